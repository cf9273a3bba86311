// SPDX-License-Identifier: Apache-2.0
/* The open pulls of a consumer, and the events that were acknowledged last. */
#include "test.h"

#include <stdlib.h>

#include "mem.h"
#include "pull_credit.h"
#include "recently_acked.h"

enum { SECOND = 1000 };

static void
a_pull_is_worth_it(void **state)
{
	static const struct {
		size_t left, budget, least, wanted;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ 0, 10, 0, 10 },
		{ 4, 10, 6, 6 },
		{ 4, 10, 7, 0 }, /* too few are missing */
		{ 10, 10, 0, 0 },
		{ 20, 10, 0, 0 }, /* the budget has shrunk */
		{ 0, 1, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pull_credit credit = { .n = 0 };

		if (rows[i].left > 0)
			pull_credit_add(&credit, rows[i].left, 0);
		assert_int_equal(pull_credit_wanted(&credit, rows[i].budget, rows[i].least),
			rows[i].wanted);
	}
}

static void
messages_use_up_the_oldest_pull(void **state)
{
	struct pull_credit credit = { .n = 0 };

	(void)state;
	pull_credit_add(&credit, 2, 0);
	pull_credit_add(&credit, 3, 0);
	assert_int_equal(pull_credit_left(&credit), 5);
	pull_credit_message(&credit);
	pull_credit_message(&credit);
	assert_int_equal(credit.n, 1);
	assert_int_equal(pull_credit_left(&credit), 3);
	for (int i = 0; i < 4; i++) /* one more than was requested */
		pull_credit_message(&credit);
	assert_int_equal(pull_credit_left(&credit), 0);
}

static void
a_status_message_ends_its_pull(void **state)
{
	struct pull_credit credit = { .n = 0 };
	uint64_t first, second;

	(void)state;
	first = pull_credit_next_id(&credit);
	pull_credit_add(&credit, 5, 0);
	second = pull_credit_next_id(&credit);
	pull_credit_add(&credit, 7, 0);
	assert_true(first != second);
	pull_credit_end(&credit, first);
	assert_int_equal(pull_credit_left(&credit), 7);
	pull_credit_end(&credit, first); /* twice, or after its deadline */
	assert_int_equal(pull_credit_left(&credit), 7);
	pull_credit_end(&credit, second);
	assert_int_equal(credit.n, 0);
	assert_true(pull_credit_next_id(&credit) > second);
}

static void
no_more_than_the_most(void **state)
{
	struct pull_credit credit = { .n = 0 };

	(void)state;
	for (int i = 0; i < PULLS_MAX; i++) {
		assert_int_equal(pull_credit_wanted(&credit, 100, 0), 100 - i);
		pull_credit_add(&credit, 1, 0);
	}
	assert_int_equal(pull_credit_wanted(&credit, 100, 0), 0);
	pull_credit_message(&credit);
	assert_int_equal(pull_credit_wanted(&credit, 100, 0), 100 - PULLS_MAX + 1);
}

/* A server before 2.9.16 sends no status message when a pull expires. */
static void
pulls_end_by_themselves(void **state)
{
	struct pull_credit credit = { .n = 0 };

	(void)state;
	pull_credit_add(&credit, 1, 0);
	pull_credit_add(&credit, 2, 10 * SECOND);
	pull_credit_expire(&credit, 30 * SECOND); /* its status message may be on the way */
	assert_int_equal(pull_credit_left(&credit), 3);
	pull_credit_expire(&credit, 32 * SECOND);
	assert_int_equal(pull_credit_left(&credit), 2);
	pull_credit_end_all(&credit);
	assert_int_equal(pull_credit_left(&credit), 0);
}

static void
silence(void **state)
{
	struct pull_credit credit = { .n = 0 };

	(void)state;
	assert_false(pull_credit_silent(&credit, 3600 * SECOND)); /* nothing is expected */
	pull_credit_add(&credit, 9, 3600 * SECOND);
	assert_false(pull_credit_silent(&credit, 3604 * SECOND));
	assert_true(pull_credit_silent(&credit, 3606 * SECOND));
	pull_credit_heard(&credit, 3606 * SECOND);
	assert_false(pull_credit_silent(&credit, 3610 * SECOND));
	pull_credit_add(&credit, 9, 3611 * SECOND); /* a second pull breaks no silence */
	assert_true(pull_credit_silent(&credit, 3612 * SECOND));
}

static void
acked_lately(void **state)
{
	struct recently_acked *acked = mem_alloc(sizeof(*acked));

	(void)state;
	assert_false(recently_acked_has(acked, 7, 100));
	recently_acked_add(acked, 7, 100);
	assert_true(recently_acked_has(acked, 7, 100));
	assert_false(recently_acked_has(acked, 7, 101)); /* another event after a power cut */
	assert_false(recently_acked_has(acked, 7 + RECENTLY_ACKED_MAX, 100));
	for (uint64_t seq = 8; seq < 7 + RECENTLY_ACKED_MAX; seq++)
		recently_acked_add(acked, seq, 100);
	assert_true(recently_acked_has(acked, 7, 100));
	recently_acked_add(acked, 7 + RECENTLY_ACKED_MAX, 100);
	assert_false(recently_acked_has(acked, 7, 100));
	assert_true(recently_acked_has(acked, 7 + RECENTLY_ACKED_MAX, 100));
	free(acked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pull_is_worth_it),
		cmocka_unit_test(messages_use_up_the_oldest_pull),
		cmocka_unit_test(a_status_message_ends_its_pull),
		cmocka_unit_test(no_more_than_the_most),
		cmocka_unit_test(pulls_end_by_themselves),
		cmocka_unit_test(silence),
		cmocka_unit_test(acked_lately),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
