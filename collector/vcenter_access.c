// SPDX-License-Identifier: Apache-2.0
#include "vcenter_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stop.h"
#include "vcenter_metrics.h"
#include "visibility.h"

enum { NO_ANSWER_MS = 5000 }; /* until the vCenter is asked again */

static const char check[] = "permission";

struct vcenter_access {
	struct vcenter_access_options options;
	struct position *position;
	struct visibility visibility;
	bool regained;    /* the hidden events have to be read */
	char missing[64]; /* privileges, as reported; "" */
	int64_t due_ms;   /* monotonic: when to ask again */
};

struct vcenter_access *
vcenter_access_open(const struct vcenter_access_options *options)
{
	struct vcenter_access *a = mem_alloc(sizeof(*a));

	a->options = *options;
	a->position = source_checkpoint_position(options->reader->checkpoint);
	visibility_init(&a->visibility, options->grace_ms);
	return a;
}

void
vcenter_access_close(struct vcenter_access *a)
{
	free(a);
}

static struct visible_position
reading_at(const struct vcenter_access *a)
{
	const struct position *p = a->position;

	return (struct visible_position){ .any = p->any,
		.us = p->any ? position_resume(p) : INT64_MIN };
}

void
vcenter_access_lower(struct vcenter_access *a)
{
	visibility_lower(&a->visibility, reading_at(a));
}

static void
report_missing(struct vcenter_access *a, const char *missing)
{
	char text[160];

	snprintf(text, sizeof(text), "the account lacks %s on the root folder", missing);
	status_check(check, false, text);
	vcenter_metrics_permission(true);
	if (strcmp(a->missing, missing) == 0)
		return;
	snprintf(a->missing, sizeof(a->missing), "%s", missing);
	log_error(
		"the account may not see all events: give it the role Read-only on the root folder, with propagation",
		L_STR("user", a->options.user), L_STR("missing", missing));
}

/* Takes one answer of the vCenter; access.missing is empty when all was granted. */
static enum visibility_change
take_answer(struct vcenter_access *a, const struct vim_access *access)
{
	int64_t now_ms = clock_monotonic_ms();
	enum visibility_change change = *access->missing
		? visibility_denied(&a->visibility, reading_at(a))
		: visibility_granted(&a->visibility, reading_at(a), now_ms);

	if (change == VISIBILITY_LOST)
		report_missing(a, access->missing);
	a->due_ms = visibility_ask_again_ms(&a->visibility, now_ms, a->options.interval_ms);
	return change;
}

int
vcenter_access_check(struct vcenter_access *a, struct err *err)
{
	struct vim_access access;

	if (clock_monotonic_ms() < a->due_ms)
		return 0;
	if (vim_access(a->options.reader->vim, &access, err) != 0)
		return -1;
	if (!access.known && a->visibility.hidden) {
		a->due_ms = clock_monotonic_ms() + NO_ANSWER_MS;
		return 0;
	}
	a->regained = take_answer(a, &access) == VISIBILITY_REGAINED;
	if (!a->visibility.hidden) {
		vcenter_metrics_permission(false);
		status_check(check, true, access.known ? "" : "this vCenter cannot tell");
	}
	return 0;
}

/*
 * Reads the events that were hidden since the visible position. Until that is done, each
 * message carries that position, so that another collector that takes over begins there.
 */
static enum source_result
read_hidden(struct vcenter_access *a, struct err *err)
{
	int64_t from_us = a->visibility.position.us;
	struct vcenter_window w = { .filter.end_us = INT64_MAX,
		.filter.begin_us = from_us == INT64_MIN ? INT64_MIN
							: from_us - a->position->overlap_us };
	struct position_hold hold = position_hold(a->position, from_us);
	enum source_result result = vcenter_window_read(a->options.reader, &w, err);

	if (result != SOURCE_OK)
		return result;
	if (stop_requested())
		return SOURCE_STOPPED;
	position_release(a->position, &hold);
	return SOURCE_OK;
}

/* Nothing was ever visible: reading restarts where it began. */
static enum source_result
restart(struct vcenter_access *a, struct err *err)
{
	const struct vcenter_window_reader *r = a->options.reader;

	if (a->position->any &&
		source_checkpoint_know_since(
			r->checkpoint, INT64_MIN, vcenter_clock_watch_now(r->clock), err) != 0)
		return STREAM_FAILED;
	position_forget(a->position);
	position_reopen_at_start(a->position);
	return SOURCE_OK;
}

enum source_result
vcenter_access_regain(struct vcenter_access *a, bool *regained, struct err *err)
{
	struct vim_access access;
	enum source_result result;

	*regained = false;
	if (!a->regained)
		return SOURCE_OK;
	log_info("the account may see all events again: reading what was hidden");
	result = a->visibility.position.any ? read_hidden(a, err) : restart(a, err);
	if (result != SOURCE_OK)
		return result;
	/* the account must see everything after the reading, too: the answers enclose it */
	if (vim_access(a->options.reader->vim, &access, err) != 0)
		return SOURCE_FAILED;
	a->regained = false;
	if (*access.missing || !access.known) {
		take_answer(a, &access);
		return SOURCE_OK;
	}
	visibility_reset(&a->visibility, reading_at(a));
	a->missing[0] = '\0';
	vcenter_metrics_permission(false);
	status_check(check, true, "");
	vcenter_cursor_abandon(a->options.cursor);
	*regained = true;
	return SOURCE_OK;
}

bool
vcenter_access_is_limited(const struct vcenter_access *a)
{
	return a->missing[0] != '\0';
}

void
vcenter_access_recheck(struct vcenter_access *a)
{
	a->due_ms = 0;
}

void
vcenter_access_refused(struct vcenter_access *a)
{
	vcenter_metrics_permission(true);
	vcenter_access_recheck(a);
}

void
vcenter_access_stand_by(void)
{
	status_check(check, true, "standby: not asked");
	vcenter_metrics_permission(false);
}
