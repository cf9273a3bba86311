// SPDX-License-Identifier: Apache-2.0
/* The live event history collector. */
#include "test.h"

#include <stdio.h>

#include "vcenter_cursor.h"

static struct vcenter_cursor
opened(const char *ref)
{
	struct vcenter_cursor c = { .expect_overlap = true };

	snprintf(c.live.ref, sizeof(c.live.ref), "%s", ref);
	c.live.page_size = 125;
	return c;
}

static void
an_abandoned_collector_is_kept_to_be_destroyed(void **state)
{
	struct vcenter_cursor c = opened("session[1]");

	(void)state;
	assert_true(vcenter_cursor_is_open(&c));
	vcenter_cursor_abandon(&c);
	assert_false(vcenter_cursor_is_open(&c));
	assert_string_equal(c.old.ref, "session[1]");
	/* a second time: there is no newer one */
	vcenter_cursor_abandon(&c);
	assert_string_equal(c.old.ref, "session[1]");
	/* pages stay small for the next one */
	assert_int_equal(c.live.page_size, 125);
}

static void
with_the_session_its_collectors_are_gone(void **state)
{
	struct vcenter_cursor c = opened("session[1]");

	(void)state;
	vcenter_cursor_abandon(&c);
	snprintf(c.live.ref, sizeof(c.live.ref), "session[2]");
	vcenter_cursor_forget(&c);
	assert_false(vcenter_cursor_is_open(&c));
	assert_string_equal(c.old.ref, "");
}

static void
the_overlap_is_expected_once(void **state)
{
	struct vcenter_cursor c = opened("session[1]");

	(void)state;
	assert_true(vcenter_cursor_take_expectation(&c));
	assert_false(vcenter_cursor_take_expectation(&c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_abandoned_collector_is_kept_to_be_destroyed),
		cmocka_unit_test(with_the_session_its_collectors_are_gone),
		cmocka_unit_test(the_overlap_is_expected_once),
	};

	return cmocka_run_group_tests_name("vcenter_cursor", tests, NULL, NULL);
}
