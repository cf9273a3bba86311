// SPDX-License-Identifier: Apache-2.0
#include "vcenter_cursor.h"

bool
vcenter_cursor_is_open(const struct vcenter_cursor *c)
{
	return c->live.ref[0] != '\0';
}

void
vcenter_cursor_abandon(struct vcenter_cursor *c)
{
	if (vcenter_cursor_is_open(c))
		c->old = c->live;
	c->live.ref[0] = '\0';
}

void
vcenter_cursor_forget(struct vcenter_cursor *c)
{
	c->live.ref[0] = c->old.ref[0] = '\0';
}

int
vcenter_cursor_open(struct vcenter_cursor *c, struct vim *vim, int64_t begin_us,
	bool expect_overlap, struct err *err)
{
	const struct vim_filter filter = { .begin_us = begin_us, .end_us = INT64_MAX };

	vim_destroy_collector(vim, &c->old);
	vim_destroy_collector(vim, &c->live);
	if (vim_create_collector(vim, &filter, &c->live, err) != 0)
		return -1;
	c->begin_us = begin_us;
	c->expect_overlap = expect_overlap;
	return 0;
}

bool
vcenter_cursor_take_expectation(struct vcenter_cursor *c)
{
	bool expected = c->expect_overlap;

	c->expect_overlap = false;
	return expected;
}
