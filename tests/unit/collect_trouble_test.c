// SPDX-License-Identifier: Apache-2.0
/* Whether the collector's trouble is over. */
#include "test.h"

#include "collect_trouble.h"

static struct publisher_stats stats;

void __wrap_publisher_stats(struct publisher *publisher, struct publisher_stats *out);
void
__wrap_publisher_stats(struct publisher *publisher, struct publisher_stats *out)
{
	(void)publisher;
	*out = stats;
}

/* A turn ends, and its messages are not acked yet. */
static void
when_a_refusal_is_over(void **state)
{
	static const struct row {
		const char *name;
		enum err_code code;
		struct publisher_stats before, after;
		bool over;
	} rows[] = {
		{ "full, and none acked", ERR_FULL, { .published = 7 },
			{ .published = 7, .in_flight = 3 }, false },
		{ "no ack, and none acked", ERR_TIMEOUT, { .published = 7 },
			{ .published = 7, .in_flight = 3 }, false },
		{ "full, and one acked", ERR_FULL, { .published = 7 },
			{ .published = 8, .in_flight = 2 }, true },
		{ "full, and one is there already", ERR_FULL, { .published = 7 },
			{ .published = 7, .duplicates = 1, .in_flight = 2 }, true },
		{ "full, and nothing to store", ERR_FULL, { .published = 7 },
			{ .published = 7 }, true },
		/* the turn has shown that the connection is back */
		{ "no connection", ERR_CONNECT, { .published = 7 },
			{ .published = 7, .in_flight = 3 }, true },
		{ "another writer", ERR_CONFLICT, { .published = 7 },
			{ .published = 7, .in_flight = 3 }, true },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct collect_trouble t = { .refused = false };

		stats = rows[i].before;
		err_set(&err, rows[i].code, "why");
		collect_trouble_report(&t, "stream", "failed", &err);
		collect_trouble_refused(&t, NULL, rows[i].code);
		stats = rows[i].after;
		if (collect_trouble_end(&t, NULL) != rows[i].over)
			fail_msg("%s", rows[i].name);
		assert_string_equal(t.text, rows[i].over ? "" : "why");
		stats.in_flight = 0;
		assert_true(collect_trouble_end(&t, NULL));
		assert_false(t.refused);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_a_refusal_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
