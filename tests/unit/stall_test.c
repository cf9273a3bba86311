// SPDX-License-Identifier: Apache-2.0
/* When the dispatcher counts as stopped. */
#include "test.h"

#include "stall.h"

enum { SECOND = 1000 };

/*
 * Looks once a second for so many seconds, the view staying as it is. Gives how often it was
 * told of a stall.
 */
static int
look_for(struct stall *stall, const struct stall_view *view, int64_t *now_ms, int seconds,
	enum stall_kind *kind)
{
	int told = 0;

	for (int i = 0; i < seconds; i++, *now_ms += SECOND) {
		enum stall_kind found = stall_check(stall, view, *now_ms);

		if (found == STALL_NONE)
			continue;
		told++;
		*kind = found;
	}
	return told;
}

static void
what_counts_as_stopped(void **state)
{
	static const struct row {
		const char *name;
		struct stall_view view;
		enum stall_kind want;
	} rows[] = {
		{ "no work", { .able = true }, STALL_NONE },
		{ "events pending that no pull asks for", { .able = true, .starving = true },
			STALL_PULL },
		{ "the same without NATS or a backend's address", { .starving = true },
			STALL_NONE },
		{ "events held that nothing will move", { .able = true, .holding = true },
			STALL_DELIVER },
		{ "the same, and events pending",
			{ .able = true, .holding = true, .starving = true }, STALL_DELIVER },
		{ "events held that wait for something",
			{ .able = true, .holding = true, .under_way = true }, STALL_NONE },
		{ "a full window, and more pending",
			{ .able = true, .holding = true, .under_way = true, .starving = true },
			STALL_NONE },
		{ "events held while dead letters cannot be stored", { .holding = true },
			STALL_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stall stall = { .since_ms = 0 };
		enum stall_kind kind = STALL_NONE;
		int64_t now_ms = 123456789;
		int told = look_for(&stall, &rows[i].view, &now_ms, 65, &kind);

		print_message("%s\n", rows[i].name);
		assert_int_equal(kind, rows[i].want);
		/* after 30 s, and after 30 s more */
		assert_int_equal(told, rows[i].want == STALL_NONE ? 0 : 2);
	}
}

static void
only_without_a_break(void **state)
{
	struct stall stall = { .since_ms = 0 };
	struct stall_view starving = { .able = true, .starving = true },
			  idle = { .able = true };
	enum stall_kind kind = STALL_NONE;
	int64_t now_ms = 5;

	(void)state;
	assert_int_equal(look_for(&stall, &starving, &now_ms, 29, &kind), 0);
	assert_int_equal(look_for(&stall, &idle, &now_ms, 1, &kind), 0);
	assert_int_equal(look_for(&stall, &starving, &now_ms, 30, &kind), 0);
	assert_int_equal(look_for(&stall, &starving, &now_ms, 1, &kind), 1);
}

static void
progress_begins_it_again(void **state)
{
	struct stall stall = { .since_ms = 0 };
	struct stall_view view = { .able = true, .holding = true };
	enum stall_kind kind = STALL_NONE;
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 10; i++, view.progress++)
		assert_int_equal(look_for(&stall, &view, &now_ms, 20, &kind), 0);
	assert_int_equal(look_for(&stall, &view, &now_ms, 31, &kind), 1);
	assert_int_equal(kind, STALL_DELIVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_as_stopped),
		cmocka_unit_test(only_without_a_break),
		cmocka_unit_test(progress_begins_it_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
