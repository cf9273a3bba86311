// SPDX-License-Identifier: Apache-2.0
/*
 * The account's privileges. Without System.Read on the root folder vCenter leaves events out
 * without a word, so an empty stream would look like a quiet vCenter. What the account still
 * sees is read on; behind it, what is hidden is not lost: the place up to which everything was
 * seen is kept, and reading begins there again when it may.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"
#include "stop.h"

enum { LOOK_AGAIN_MS = 5000 }; /* while something is missing; else as often as the audit */

static const char check[] = "permission";

static void
mark(struct collect *c)
{
	c->visible = (struct collect_mark){ .set = true,
		.any = c->position.any,
		.us = c->position.any ? position_resume(&c->position) : INT64_MIN };
}

void
collect_lower_mark(struct collect *c)
{
	if (c->visible.set &&
		(!c->position.any || position_resume(&c->position) < c->visible.us))
		mark(c);
}

static void
lost(struct collect *c, const char *missing)
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
 * Reads what was hidden since the mark. Until that is done, each message tells the mark, so
 * that whoever takes over from us begins there.
 */
static int
read_hidden(struct collect *c, struct err *err)
{
	struct position *p = &c->position;
	struct position before = *p;
	struct collect_window w = { .filter.end_us = INT64_MAX,
		.filter.begin_us = c->visible.us == INT64_MIN ? INT64_MIN
							      : c->visible.us - p->overlap_us };

	if (c->visible.us < p->reopen_us)
		p->reopen_us = c->visible.us;
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

int
collect_regain(struct collect *c, struct err *err)
{
	if (!c->hidden_due)
		return 0;
	log_info("the account may see all events again: reading what was hidden");
	if ((c->visible.any ? read_hidden(c, err) : read_all(c, err)) != 0)
		return -1;
	c->hidden_due = false;
	c->lacking[0] = '\0';
	c->invisible.any = false;
	mark(c);
	collect_set_lacking(false);
	status_check(check, true, "");
	return collect_open(c, err);
}

int
collect_check_access(struct collect *c, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	struct vim_access access;

	if (now < c->access_ms)
		return 0;
	if (vim_access(c->vim, &access, err) != 0)
		return -1;
	if (!c->visible.set)
		mark(c);
	c->access_ms = now + (*access.missing ? LOOK_AGAIN_MS : c->options->audit_interval_ms);
	if (*access.missing) {
		lost(c, access.missing);
		return 0;
	}
	if (!access.known && c->lacking[0] != '\0')
		return 0; /* no answer this time */
	c->hidden_due = c->lacking[0] != '\0';
	if (c->hidden_due)
		return 0; /* collect_regain goes on */
	if (access.known)
		mark(c);
	collect_set_lacking(false);
	status_check(check, true, access.known ? "" : "this vCenter cannot tell");
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
