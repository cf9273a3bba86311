// SPDX-License-Identifier: Apache-2.0
/*
 * The account's privileges. Visible events are still read while some are hidden. The last
 * position up to which all were visible is kept (visibility.h), and reading restarts there once
 * access is granted.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"
#include "stop.h"

enum { NO_ANSWER_MS = 5000 }; /* until the vCenter is asked again */

static const char check[] = "permission";

static struct visible_position
reading_at(const struct collect *c)
{
	return (struct visible_position){ .any = c->position.any,
		.us = c->position.any ? position_resume(&c->position) : INT64_MIN };
}

void
collect_lower_mark(struct collect *c)
{
	visibility_lower(&c->visibility, reading_at(c));
}

static void
report_missing(struct collect *c, const char *missing)
{
	char text[160];

	snprintf(text, sizeof(text), "the account lacks %s on the root folder", missing);
	status_check(check, false, text);
	collect_set_lacking(true);
	if (strcmp(c->lacking, missing) == 0)
		return;
	snprintf(c->lacking, sizeof(c->lacking), "%s", missing);
	log_error(
		"the account may not see all events: give it the role Read-only on the root folder, with propagation",
		L_STR("user", c->options->vim.user), L_STR("missing", missing));
}

/*
 * Reads the events that were hidden since the visible position. Until that is done, each
 * message carries that position, so that another collector that takes over begins there.
 */
static int
read_hidden(struct collect *c, struct err *err)
{
	struct position *p = &c->position;
	struct position before = *p;
	int64_t from_us = c->visibility.position.us;
	struct collect_window w = { .filter.end_us = INT64_MAX,
		.filter.begin_us = from_us == INT64_MIN ? INT64_MIN : from_us - p->overlap_us };

	if (from_us < p->reopen_us)
		p->reopen_us = from_us;
	p->reopen_until_end = true;
	if (collect_read_window(c, &w, err) != 0)
		return -1;
	if (stop_requested())
		return err_set(err, ERR_STOPPED, "asked to stop");
	p->reopen_us = before.reopen_us;
	p->reopen_until_end = before.reopen_until_end;
	return 0;
}

/* Nothing was ever seen: from the start. */
static int
read_all(struct collect *c, struct err *err)
{
	if (c->position.any && collect_know_since(c, INT64_MIN, err) != 0)
		return -1;
	position_forget(&c->position);
	c->position.reopen_us = c->position.begun_us;
	return 0;
}

/* Takes one answer of the vCenter; access.missing is empty when all was granted. */
static enum visibility_change
take_answer(struct collect *c, const struct vim_access *access)
{
	int64_t now_ms = clock_monotonic_ms();
	enum visibility_change change = *access->missing
		? visibility_denied(&c->visibility, reading_at(c))
		: visibility_granted(&c->visibility, reading_at(c), now_ms);

	if (change == VISIBILITY_LOST)
		report_missing(c, access->missing);
	c->access_ms = visibility_ask_again_ms(
		&c->visibility, now_ms, c->options->audit_interval_ms);
	return change;
}

/* The account must see everything after the reading, too: the answers enclose it. */
static int
regain(struct collect *c, struct err *err)
{
	struct vim_access access;

	log_info("the account may see all events again: reading what was hidden");
	if ((c->visibility.position.any ? read_hidden(c, err) : read_all(c, err)) != 0 ||
		vim_access(c->vim, &access, err) != 0)
		return -1;
	if (*access.missing || !access.known) {
		take_answer(c, &access);
		return 0;
	}
	visibility_reset(&c->visibility, reading_at(c));
	c->lacking[0] = '\0';
	c->invisible.any = false;
	collect_set_lacking(false);
	status_check(check, true, "");
	return collect_open(c, err);
}

int
collect_check_access(struct collect *c, struct err *err)
{
	struct vim_access access;

	if (clock_monotonic_ms() < c->access_ms)
		return 0;
	if (vim_access(c->vim, &access, err) != 0)
		return -1;
	if (!access.known && c->visibility.hidden) {
		c->access_ms = clock_monotonic_ms() + NO_ANSWER_MS;
		return 0;
	}
	c->hidden_due = take_answer(c, &access) == VISIBILITY_REGAINED;
	if (!c->visibility.hidden) {
		collect_set_lacking(false);
		status_check(check, true, access.known ? "" : "this vCenter cannot tell");
	}
	return 0;
}

int
collect_regain(struct collect *c, struct err *err)
{
	if (!c->hidden_due)
		return 0;
	if (regain(c, err) != 0)
		return -1;
	c->hidden_due = false;
	return 0;
}

void
collect_forget_access(void)
{
	status_check(check, true, "standby: not asked");
	collect_set_lacking(false);
}

void
collect_recheck_access(struct collect *c)
{
	c->access_ms = 0;
}
