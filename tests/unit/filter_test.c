// SPDX-License-Identifier: Apache-2.0
/* dispatcher/filter.h: which subjects a filter matches, and a filter narrowed to a stream. */
#include "test.h"

#include <string.h>

#include "filter.h"

static void
subjects(void **state)
{
	static const struct {
		const char *wildcard, *subject;
		bool want;
	} rows[] = {
		{ "vc.lab.>", "vc.lab.a.b", true },
		{ "vc.lab.>", "vc.lab", false },
		{ "vc.*.a", "vc.x.a", true },
		{ "vc.*.a", "vc.x.y.a", false },
		{ "vc.*", "vc", false },
		{ ">", "a", true },
		{ "a.b", "a.b", true },
		{ "a.b", "a.bc", false },
		{ "a.b", "a.b.c", false },
		{ "vc.*.*.*.error.>", "vc.l.d.c.error.event.X", true },
		{ "vc.*.*.*.error.>", "vc.l.d.c.info.event.X", false },
		{ "*.b", ".b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(filter_subject_matches(rows[i].wildcard, rows[i].subject),
			rows[i].want);
}

static void
filters_narrowed_to_a_stream(void **state)
{
	/* NULL: nothing matches */
	static const struct {
		const char *filter, *want;
	} rows[] = {
		{ "vc.*.*.*.error.>", "vc.lab.*.*.error.>" },
		{ "vc.lab.dc.>", "vc.lab.dc.>" },
		{ ">", "" },
		{ "vc.>", "" },
		{ "vc.lab.>", "" },
		{ "*.*.x", "vc.lab.x" },
		{ "vc.other.>", NULL },
		{ "x.>", NULL },
		{ "vc.lab", NULL },
		{ "vc", NULL },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool some = filter_narrow(rows[i].filter, "vc.lab.>", out, sizeof(out));

		assert_int_equal(some, rows[i].want != NULL);
		if (some)
			assert_string_equal(out, rows[i].want);
	}
}

/* An event is judged by the filter of its vCenter, whether it is new or comes from a replay. */
static void
each_vcenter_has_its_filter(void **state)
{
	static const struct dispatch_filter common = { .subject = "vc.*.*.*.error.>" },
					    all = { .subject = "vc.>" },
					    none = { .pattern = "{\"type\":[\"x\"]}" };
	struct event_stream stream[] = {
		{ .config.subjects = { "vc.paris.>" }, .filter = &all },
		{ .config.subjects = { "vc.lab.>" }, .filter = &common },
		{ .config.subjects = { "vc.berlin.>" }, .filter = &none },
	};
	static const struct {
		const char *subject;
		bool want;
	} rows[] = {
		{ "vc.lab.d.c.error.event.X", true },
		{ "vc.lab.d.c.info.event.X", false },
		{ "vc.paris.d.c.info.event.X", true },
		{ "kn.paris.d.c.info.event.X", true }, /* replayed */
		{ "kn.lab.d.c.info.event.X", false },
		{ "vc.berlin.d.c.error.event.X", false },
		{ "vc.berli.d.c.error.event.X", true }, /* no own filter */
		{ "vc.berlin-2.d.c.error.event.X", true },
		{ "vc.berlin-2.d.c.info.event.X", false },
	};
	struct event_stream *set[] = { &stream[0], &stream[1], &stream[2] };
	const struct event_streams streams = { .stream = set, .n = COUNT(set) };
	const struct event ev = { .json = "{}", .json_len = 2 };
	struct filters filters;
	struct err err;

	(void)state;
	assert_int_equal(filters_open(&filters, &common, &streams, &err), 0);
	assert_true(filters.any_pattern);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(filters_pass(&filters, rows[i].subject, &ev), rows[i].want);
	filters_close(&filters);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subjects),
		cmocka_unit_test(each_vcenter_has_its_filter),
		cmocka_unit_test(filters_narrowed_to_a_stream),
	};

	return cmocka_run_group_tests_name("circuit", tests, NULL, NULL);
}
