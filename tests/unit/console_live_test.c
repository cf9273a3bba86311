// SPDX-License-Identifier: Apache-2.0
/* The ring of live events, the filter of a browser, and the last 10 minutes. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "live.h"
#include "mem.h"
#include "overview_history.h"

static struct event_row
row(int n, const char *severity, const char *entity, const char *body)
{
	char json[64];

	snprintf(json, sizeof(json), "{\"n\":%d}", n);
	return (struct event_row){ .json = mem_strdup(json),
		.source = mem_strdup("lab"),
		.severity = mem_strdup(severity),
		.name = mem_strdup("VmPoweredOnEvent"),
		.entity = mem_strdup(entity),
		.user = mem_strdup("VSPHERE.LOCAL\\anna"),
		.body = mem_strdup(body),
		.body_len = strlen(body) };
}

static void
add(struct live *l, int n)
{
	struct event_row r = row(n, n % 2 ? "error" : "info", "web-01", "{\"subject\":\"x\"}");

	live_add(l, &r);
}

static void
filters(void **state)
{
	struct event_row r = row(1, "error", "Web-01",
		"{\"subject\":\"VmPoweredOnEvent\",\"data\":{\"Vm\":{\"Name\":\"Web-01\"}}}");
	static const struct {
		struct row_filter filter;
		const char *pattern;
		bool matches;
	} cases[] = {
		{ { .name = "" }, NULL, true },
		{ { .name = "poweredon" }, NULL, true },
		{ { .name = "poweredoff" }, NULL, false },
		{ { .entity = "WEB" }, NULL, true },
		{ { .entity = "db" }, NULL, false },
		{ { .user = "anna" }, NULL, true },
		{ { .text = "web-01" }, NULL, true },
		{ { .text = "web-02" }, NULL, false },
		{ { .severity = "error" }, NULL, true },
		{ { .severity = "warning,error" }, NULL, true },
		{ { .severity = "warning" }, NULL, false },
		{ { .severity = "err" }, NULL, false },
		{ { .source = "lab" }, NULL, true },
		{ { .source = "la" }, NULL, false },
		{ { .name = "" }, "{\"data\":{\"Vm\":{\"Name\":[{\"prefix\":\"Web\"}]}}}",
			true },
		{ { .name = "" }, "{\"data\":{\"Vm\":{\"Name\":[{\"prefix\":\"db\"}]}}}",
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row_filter f = cases[i].filter;
		struct err err;

		if (cases[i].pattern != NULL)
			assert_int_equal(pattern_compile(&f.pattern, cases[i].pattern,
						 strlen(cases[i].pattern), &err),
				0);
		assert_int_equal(event_row_matches(&f, &r), cases[i].matches);
		event_row_filter_free(&f);
	}
	event_row_free(&r);
}

static void
a_slow_browser_loses_rows_and_is_told(void **state)
{
	struct live *l = live_open();
	struct live_client fast = { .next = 0 }, slow = { .next = 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(live_join(l, &fast) && live_join(l, &slow));
	live_set_state(l, true, "");
	for (int i = 0; i < 3; i++)
		add(l, i);
	assert_true(live_next(l, &fast, &out));
	assert_non_null(
		strstr(buf_str(&out), "event: state\ndata: {\"connected\":true,\"why\":\"\"}"));
	assert_non_null(strstr(buf_str(&out),
		"data: {\"left_out\":0,\"rows\":[{\"n\":0},{\"n\":1},{\"n\":2}]}\n\n"));
	for (int i = 3; i < 3 + LIVE_ROWS + 10; i++)
		add(l, i);
	buf_clear(&out);
	assert_true(live_next(l, &slow, &out));
	/* all but the newest LIVE_BATCH: lost by the ring, or too many */
	assert_non_null(strstr(buf_str(&out), "\"left_out\":997,"));
	assert_non_null(strstr(buf_str(&out), "{\"n\":1036}]}\n\n"));
	live_leave(l, &fast);
	live_leave(l, &slow);
	assert_int_equal(live_clients(l), 0);
	buf_free(&out);
	live_close(l);
}

static void
only_what_the_filter_wants(void **state)
{
	struct live *l = live_open();
	struct live_client c = { .filter = { .severity = "error" } };
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(live_join(l, &c));
	live_set_state(l, true, "");
	for (int i = 0; i < 4; i++)
		add(l, i);
	assert_true(live_next(l, &c, &out));
	assert_non_null(
		strstr(buf_str(&out), "{\"left_out\":0,\"rows\":[{\"n\":1},{\"n\":3}]}"));
	live_stop(l);
	buf_clear(&out);
	assert_false(live_next(l, &c, &out));
	live_leave(l, &c);
	assert_false(live_join(l, &c)); /* it is closing */
	buf_free(&out);
	live_close(l);
}

static void *
add_many(void *ctx)
{
	for (int i = 0; i < 3000; i++)
		add(ctx, i);
	live_stop(ctx);
	return NULL;
}

/* The second messages of 20 browsers that come together are at most 15 ms apart. */
static void
browsers_that_are_woken_together_are_spread(void **state)
{
	struct live *l = live_open();
	struct live_client client[20] = { { .next = 0 } };
	bool taken[LIVE_PAUSE_MS] = { false };
	int empty = 0, longest = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		int64_t before = clock_monotonic_ms();
		struct buf out;

		buf_init(&out, 1000);
		assert_true(live_join(l, &client[i]));
		assert_true(live_next(l, &client[i], &out)); /* the state, at once */
		assert_in_range(
			client[i].looked_ms + client[i].early_ms, before, clock_monotonic_ms());
		assert_in_range(client[i].early_ms, 0, LIVE_PAUSE_MS - 1);
		taken[client[i].early_ms] = true;
		buf_free(&out);
	}
	/* twice around: the gap after the last one ends at the first one */
	for (size_t i = 0; i < 2 * LIVE_PAUSE_MS; i++) {
		empty = taken[i % LIVE_PAUSE_MS] ? 0 : empty + 1;
		longest = empty > longest ? empty : longest;
	}
	assert_in_range(longest, 0, 14);
	for (size_t i = 0; i < 20; i++)
		live_leave(l, &client[i]);
	live_close(l);
}

static void
many_threads(void **state)
{
	struct live *l = live_open();
	struct live_client c = { .next = 0 };
	struct buf out;
	pthread_t t;

	(void)state;
	buf_init(&out, 1 << 20);
	assert_true(live_join(l, &c));
	assert_int_equal(pthread_create(&t, NULL, add_many, l), 0);
	while (live_next(l, &c, &out))
		buf_clear(&out);
	pthread_join(t, NULL);
	live_leave(l, &c);
	buf_free(&out);
	live_close(l);
}

static void
history(void **state)
{
	struct overview_history h = { .n = 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	overview_history_advance(&h, 1000 * (int64_t)HISTORY_STEP_MS);
	overview_history_set(&h, "a", 5);
	overview_history_advance(&h, 1002 * (int64_t)HISTORY_STEP_MS);
	overview_history_set(&h, "a", 7);
	overview_history_set(&h, "b\n", 1);
	overview_history_write(&h, &out);
	assert_non_null(strstr(buf_str(&out), "null,5,null,7]"));
	assert_non_null(strstr(buf_str(&out), "\"b\\n\":["));
	/* after 10 minutes without a point the series is gone */
	overview_history_advance(&h, 1002 * (int64_t)HISTORY_STEP_MS + 610000);
	assert_int_equal(h.n, 0);
	overview_history_advance(&h, 0); /* a step back moves nothing */
	for (int i = 0; i < HISTORY_SERIES_MAX + 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", i);
		overview_history_set(&h, name, i);
	}
	assert_int_equal(h.n, HISTORY_SERIES_MAX);
	overview_history_free(&h);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(a_slow_browser_loses_rows_and_is_told),
		cmocka_unit_test(only_what_the_filter_wants),
		cmocka_unit_test(browsers_that_are_woken_together_are_spread),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
