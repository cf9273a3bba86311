// SPDX-License-Identifier: Apache-2.0
/* Up to which position the account could see every event. */
#include "test.h"

#include "visibility.h"

enum { GRACE = 30000 };

struct step {
	int64_t now_ms;
	bool granted;
	int64_t reading_us; /* where reading is when the answer comes */
	enum visibility_change change;
	int64_t visible_us; /* expected after it */
};

static void
run(const char *name, int64_t grace_ms, const struct step *step, size_t n)
{
	struct visibility v;

	visibility_init(&v, grace_ms);
	for (size_t i = 0; i < n; i++) {
		struct visible_position at = { .any = true, .us = step[i].reading_us };
		enum visibility_change change = step[i].granted
			? visibility_granted(&v, at, step[i].now_ms)
			: visibility_denied(&v, at);

		if (change != step[i].change || v.position.us != step[i].visible_us)
			fail_msg("%s, step %zu: change %d, visible position %lld", name, i,
				(int)change, (long long)v.position.us);
	}
}

static void
answers_count_when_given_twice(void **state)
{
	static const struct step steady[] = {
		{ 1000, true, 10, VISIBILITY_SAME, 10 },
		{ 11000, true, 20, VISIBILITY_SAME, 10 },
		{ 31000, true, 30, VISIBILITY_SAME, 10 },
		{ 61000, true, 40, VISIBILITY_SAME, 30 },
	};
	static const struct step lost[] = {
		{ 1000, true, 10, VISIBILITY_SAME, 10 },
		{ 40000, true, 20, VISIBILITY_SAME, 10 },
		{ 45000, false, 30, VISIBILITY_SAME, 10 },
		{ 50000, false, 40, VISIBILITY_LOST, 10 },
		{ 55000, true, 50, VISIBILITY_SAME, 10 },
		{ 60000, false, 60, VISIBILITY_SAME, 10 },
		{ 65000, true, 70, VISIBILITY_SAME, 10 },
		{ 94999, true, 80, VISIBILITY_SAME, 10 },
		{ 95000, true, 90, VISIBILITY_REGAINED, 10 },
		{ 96000, true, 95, VISIBILITY_REGAINED, 10 },
	};
	static const struct step at_once[] = {
		{ 1000, true, 10, VISIBILITY_SAME, 10 },
		{ 1001, true, 20, VISIBILITY_SAME, 10 },
		{ 1002, false, 30, VISIBILITY_LOST, 10 },
		{ 1003, true, 40, VISIBILITY_REGAINED, 10 },
	};
	static const struct step denied_first[] = {
		{ 1000, false, 10, VISIBILITY_SAME, 10 },
		{ 2000, false, 20, VISIBILITY_LOST, 10 },
	};

	(void)state;
#define RUN(steps, grace) run(#steps, grace, steps, sizeof(steps) / sizeof((steps)[0]))
	RUN(steady, GRACE);
	RUN(lost, GRACE);
	RUN(at_once, 0);
	RUN(denied_first, GRACE);
}

static void
after_the_hidden_events_were_read(void **state)
{
	struct visibility v;

	(void)state;
	visibility_init(&v, GRACE);
	visibility_denied(&v, (struct visible_position){ .any = false });
	visibility_denied(&v, (struct visible_position){ .any = true, .us = 5 });
	assert_false(v.position.any);
	visibility_reset(&v, (struct visible_position){ .any = true, .us = 9 });
	assert_false(v.hidden);
	assert_int_equal(v.position.us, 9);
	/* another denial is the first one again */
	assert_int_equal(visibility_denied(&v, v.position), VISIBILITY_SAME);
}

static void
the_visible_position_goes_back_with_the_reading(void **state)
{
	struct visibility v;

	(void)state;
	visibility_init(&v, GRACE);
	visibility_lower(&v, (struct visible_position){ .any = false });
	visibility_granted(&v, (struct visible_position){ .any = true, .us = 50 }, 1000);
	visibility_lower(&v, (struct visible_position){ .any = true, .us = 60 });
	assert_int_equal(v.position.us, 50);
	visibility_lower(&v, (struct visible_position){ .any = true, .us = 40 });
	assert_int_equal(v.position.us, 40);
	/* also what was about to become the visible position */
	visibility_granted(&v, (struct visible_position){ .any = true, .us = 70 }, 31000);
	assert_int_equal(v.position.us, 40);
	visibility_lower(&v, (struct visible_position){ .any = false });
	assert_false(v.position.any);
}

static void
when_to_ask_again(void **state)
{
	struct visibility v;
	const struct visible_position at = { .any = true, .us = 1 };

	(void)state;
	visibility_init(&v, GRACE);
	visibility_granted(&v, at, 1000);
	assert_int_equal(visibility_ask_again_ms(&v, 1000, 60000), 61000);
	visibility_denied(&v, at);
	assert_int_equal(visibility_ask_again_ms(&v, 2000, 60000), 7000);
	visibility_granted(&v, at, 3000);
	assert_int_equal(visibility_ask_again_ms(&v, 3000, 60000), 8000);
	/* the last question before the grace ends is not later than its end */
	assert_int_equal(visibility_ask_again_ms(&v, 31000, 60000), 33000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_count_when_given_twice),
		cmocka_unit_test(after_the_hidden_events_were_read),
		cmocka_unit_test(the_visible_position_goes_back_with_the_reading),
		cmocka_unit_test(when_to_ask_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
