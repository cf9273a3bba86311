// SPDX-License-Identifier: Apache-2.0
/*
 * The vCenter's event descriptions: the severity of each event class. It becomes a token of the
 * subject, for good, so an answer that is empty or does not come must not turn errors into
 * infos: what was known stays known, and while nothing is known yet events are not read, for up
 * to emptyGrace. A vCenter that has just started may describe only some of its events, so the
 * descriptions are read again at each login, and once after the first time.
 */
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"

enum { AGAIN_MS = 5000 }; /* after a failure */

static const char check[] = "catalogue";

struct reading {
	struct severities *names;
	size_t n;
};

static void
note(void *ctx, const char *name, const char *severity)
{
	struct reading *r = ctx;

	severities_add(r->names, name, severity);
	r->n++;
}

static void
failed(struct collect_catalogue *t, bool waiting, const struct err *err)
{
	status_check(check, !waiting, err->text);
	if (t->failed)
		return;
	t->failed = true;
	log_warn(t->names.by_name.n > 0
			? "no event descriptions: those known before are used"
			: "no event descriptions: without them severity is info unless the event has its own",
		L_ERR(err));
}

static void
succeeded(struct collect_catalogue *t)
{
	status_check(check, true, "");
	if (t->failed)
		log_info("event descriptions are read again",
			L_INT("names", (int64_t)t->names.by_name.n));
	t->failed = false;
}

void
collect_want_catalogue(struct collect *c)
{
	c->catalogue.due_ms = 0;
}

int
collect_check_catalogue(struct collect *c, bool *wait, struct err *err)
{
	struct collect_catalogue *t = &c->catalogue;
	struct reading r = { .names = &t->names };
	int64_t now_ms = clock_monotonic_ms();

	if (t->since_ms == 0)
		t->since_ms = now_ms;
	*wait = t->names.by_name.n == 0 && now_ms - t->since_ms < c->options->empty_grace_ms;
	if (now_ms < t->due_ms && *wait == t->waited)
		return 0;
	t->waited = *wait;
	if (vim_event_severities(c->vim, note, &r, err) == 0 && r.n == 0)
		err_set(err, ERR_PROTOCOL, "the vCenter describes no events");
	if (r.n > 0) {
		t->due_ms = t->read_once ? INT64_MAX : now_ms + c->options->empty_grace_ms;
		t->read_once = true;
		*wait = false;
		succeeded(t);
		return 0;
	}
	t->due_ms = now_ms + AGAIN_MS;
	failed(t, *wait, err);
	return vim_has_session(c->vim) ? 0 : -1;
}
