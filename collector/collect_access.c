// SPDX-License-Identifier: Apache-2.0
/*
 * The account's privileges. Without System.Read on the root folder vCenter leaves events out without a word, so an
 * empty stream would look like a quiet vCenter. What the account still sees is read on; behind it, what is hidden is
 * not lost: the place up to which everything was seen is kept, and reading begins there again when it may.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"

enum { LOOK_AGAIN_MS = 5000 }; /* while something is missing; else as often as the audit */

static const char check[] = "permission";

static void
mark(struct collect *c)
{
	c->sighted = (struct collect_mark){ .set = true, .any = c->any, .last_key = c->last_key,
		.newest_us = c->reopen_us < c->newest_us ? c->reopen_us : c->newest_us };
}

void
collect_lower_mark(struct collect *c)
{
	if (c->sighted.set && (!c->any || c->newest_us < c->sighted.newest_us || c->reopen_us < c->sighted.newest_us))
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
	log_error("the account may not see all events: give it the role Read-only on the root folder, with propagation",
		L_STR("user", c->options->vim.user), L_STR("missing", missing));
}

/* Back to the mark. The identities of what was stored since then must be known before it is read again. */
static int
regained(struct collect *c, struct err *err)
{
	const struct collect_mark *m = &c->sighted;
	int64_t since = m->any ? m->newest_us - c->options->overlap_ms * 1000 : INT64_MIN;

	if (c->any && collect_load_since(c, since, err) != 0)
		return -1;
	log_info("the account may see all events again: reading what was hidden");
	c->lacking[0] = '\0';
	if (!m->any) {
		c->any = false;
		c->reopen_us = c->floor_us;
	} else if (m->newest_us < c->newest_us) { /* lower is always safe: what is read again is suppressed */
		c->newest_us = m->newest_us;
		c->last_key = m->last_key;
	}
	c->invisible.any = false;
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
	if (!c->sighted.set)
		mark(c);
	c->access_ms = now + (*access.missing ? LOOK_AGAIN_MS : c->options->audit_interval_ms);
	if (*access.missing) {
		lost(c, access.missing);
		return 0;
	}
	if (!access.known && c->lacking[0] != '\0')
		return 0; /* no answer this time */
	if (c->lacking[0] != '\0' && regained(c, err) != 0)
		return -1;
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
