// SPDX-License-Identifier: Apache-2.0
/* Horizon: the order in which spans of time are read, and what is known not to be readable. */
#include "test.h"

#include <stdlib.h>

#include "hash.h"
#include "horizon_left_out.h"
#include "horizon_window.h"

enum { N = 3000, SIZE = 20, FROM = 1000, END = 90000000 };

/* A Horizon with these events, sorted by time. */
struct pod {
	int64_t time[N];
	bool taken[N];
	int64_t newest; /* that was taken */
	size_t requests;
};

static int
ascending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The page that is asked for, newest first: n of its events, from first on. */
static size_t
ask(struct pod *pod, const struct horizon_window *w, size_t *last, bool *more)
{
	size_t low = 0, high, skip = (size_t)((w->page - 1) * w->size), found;

	while (low < N && pod->time[low] < w->from_ms)
		low++;
	for (high = low; high < N && pod->time[high] <= w->to_ms; high++)
		;
	found = high - low > skip ? high - low - skip : 0;
	*last = high - skip;
	*more = found > (size_t)w->size;
	pod->requests++;
	return *more ? (size_t)w->size : found;
}

static void
take(struct pod *pod, size_t last, size_t n)
{
	for (size_t i = last - n; i < last; i++) {
		assert_false(pod->taken[i]);
		assert_true(pod->time[i] >= pod->newest);
		pod->taken[i] = true;
	}
	if (n != 0)
		pod->newest = pod->time[last - 1];
}

/* Every event once and in ascending order, however they lie, with and without has_more. */
static void
every_event_in_order(void **state)
{
	static struct pod pod;
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct horizon_window w = { .open = false };

		pod = (struct pod){ .requests = 0 };
		for (size_t i = 0; i < N; i++) {
			int64_t spread = round % 4 == 0 ? END - FROM : INT64_C(1) << (round);

			pod.time[i] = FROM +
				(int64_t)(hash_splitmix64(&random) % (uint64_t)spread);
		}
		qsort(pod.time, N, sizeof(pod.time[0]), ascending);
		horizon_window_begin(&w, FROM, END, SIZE);
		while (w.open) {
			size_t last;
			bool more, told = round % 2 == 0;
			size_t n = ask(&pod, &w, &last, &more);

			assert_true(w.from_ms >= FROM && w.to_ms <= END && w.page > 0);
			if (!horizon_window_fits(&w, n, told && more))
				continue;
			take(&pod, last, n);
			horizon_window_next(&w, n, told && more);
		}
		for (size_t i = 0; i < N; i++)
			assert_true(pod.taken[i]);
		assert_true(pod.requests < 3 * N / SIZE + 300);
	}
}

/* Less and less is asked for; an event that does not fit alone is passed over. */
static void
a_page_that_is_too_large(void **state)
{
	struct horizon_window w = { .open = false };
	size_t steps = 0;

	(void)state;
	horizon_window_begin(&w, FROM, FROM + 1000, SIZE);
	while (horizon_window_shrink(&w)) {
		assert_true(++steps < 100);
		assert_int_equal(w.from_ms, FROM);
	}
	assert_int_equal(w.to_ms, FROM);
	assert_int_equal(w.size, 1);
	assert_int_equal(w.page, 2);
	assert_true(horizon_window_fits(&w, 0, false));
	horizon_window_next(&w, 0, false);
	assert_true(w.open && w.from_ms == FROM + 1 && w.page == 1 && w.size == SIZE);
}

/* has_more_records with an empty page must not be believed for ever. */
static void
an_empty_page_ends_a_millisecond(void **state)
{
	struct horizon_window w = { .open = false };

	(void)state;
	horizon_window_begin(&w, FROM, FROM, SIZE);
	assert_true(horizon_window_fits(&w, 0, true));
	horizon_window_next(&w, 0, true);
	assert_false(w.open);
}

/* The rest of the pass is asked for in one span, which is no shorter because of it. */
static void
a_millisecond_is_gone_round(void **state)
{
	struct horizon_window w = { .open = false };

	(void)state;
	horizon_window_begin(&w, FROM, END, SIZE);
	assert_true(horizon_window_go_round(&w, FROM + 7));
	assert_int_equal(w.to_ms, FROM + 6);
	assert_true(horizon_window_fits(&w, 3, false));
	horizon_window_next(&w, 3, false);
	assert_true(w.open && w.from_ms == FROM + 7 && w.to_ms == END);
	assert_true(horizon_window_go_round(&w, FROM + 7));
	assert_true(w.from_ms == FROM + 8 && w.to_ms == END);
	horizon_window_next(&w, 0, false);
	assert_false(w.open);
	/* the next pass */
	horizon_window_begin(&w, FROM + 1, END + 1, SIZE);
	assert_true(w.to_ms == END + 1);
	/* a span of this millisecond alone, and the last one of a pass */
	assert_true(horizon_window_go_round(&w, FROM + 2));
	horizon_window_next(&w, SIZE - 1, false);
	w.to_ms = FROM + 2;
	assert_true(horizon_window_go_round(&w, FROM + 2));
	assert_true(w.from_ms == FROM + 3 && w.to_ms > w.from_ms);
	assert_false(horizon_window_go_round(&w, w.end_ms));
}

static void
a_millisecond_is_probed(void **state)
{
	struct horizon_window w = { .open = false };

	(void)state;
	horizon_window_begin(&w, FROM, END, SIZE);
	horizon_window_probe(&w, 5);
	assert_true(w.to_ms == FROM && w.page == 5 && w.size == 1);
	horizon_window_read(&w);
	assert_true(w.to_ms == FROM && w.page == 1 && w.size == SIZE);
	horizon_window_probe(&w, 5);
	horizon_window_next(&w, 0, false);
	assert_true(w.open && w.from_ms == FROM + 1 && w.to_ms == END && w.page == 1);
}

/* Each event counts once, however often it is met. */
static void
events_that_are_left_out(void **state)
{
	struct horizon_left_out l = { .n = 0 };

	(void)state;
	assert_true(horizon_left_out_add(&l, 10));
	assert_true(horizon_left_out_add(&l, 10));
	assert_null(horizon_left_out_find(&l, 0, 100)); /* the pass may have failed there */
	horizon_left_out_begin(&l);
	assert_false(horizon_left_out_add(&l, 10));
	assert_false(horizon_left_out_add(&l, 10));
	assert_true(horizon_left_out_add(&l, 10));
	horizon_left_out_ended(&l, 10, 4);
	horizon_left_out_ended(&l, 11, 1);
	assert_true(horizon_left_out_add(&l, 5));
	horizon_left_out_ended(&l, 5, 2);
	assert_int_equal(horizon_left_out_find(&l, 0, 100)->ms, 5);
	assert_int_equal(horizon_left_out_find(&l, 6, 10)->end_page, 4);
	assert_null(horizon_left_out_find(&l, 11, 100));
	horizon_left_out_changed(&l, 10);
	assert_null(horizon_left_out_find(&l, 6, 10));
	for (int64_t ms = 1000; ms < 1000 + HORIZON_LEFT_OUT_MAX; ms++) {
		assert_true(horizon_left_out_add(&l, ms));
		horizon_left_out_ended(&l, ms, 2);
	}
	assert_int_equal(horizon_left_out_find(&l, 0, 9999)->ms, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_order),
		cmocka_unit_test(a_page_that_is_too_large),
		cmocka_unit_test(an_empty_page_ends_a_millisecond),
		cmocka_unit_test(a_millisecond_is_gone_round),
		cmocka_unit_test(a_millisecond_is_probed),
		cmocka_unit_test(events_that_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
