// SPDX-License-Identifier: Apache-2.0
#include "vcenter_stall.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "vcenter_bisect.h"
#include "vcenter_metrics.h"

enum {
	FIRST_MS = 1000, /* idle for so long: ask for the latest event */
	INTERVAL_MAX_MS = 20000,
	LIMITED_MS = 60000, /* the account lacks privileges */
	LAG_EVERY_MS = 10000,
	CHECK_DELAY_MS = 5000, /* a check that is due may wait for a pause between polls */
	CHECKS_MAX = 8,        /* then an event that is not found is given up */
	TYPES_AT = 3,          /* after so many checks that bisected by time, one by type */
};

/* vCenter's default event.maxAge */
static const int64_t RETENTION_US = INT64_C(30) * 24 * 3600 * 1000000;

struct vcenter_stall {
	struct vcenter_stall_options options;
	struct position *position;
	const struct seen *seen;
	struct vcenter_bisect bisect;
	/* checks in a row that found an event that is not stored */
	unsigned checks;
	struct vim_latest hidden; /* the latest event that was given up */
	/* monotonic: when new events came last, of the last check, of the last lag measured */
	int64_t progress_ms, checked_ms, lag_ms;
	int64_t interval_ms;
};

struct vcenter_stall *
vcenter_stall_open(const struct vcenter_stall_options *options)
{
	struct vcenter_stall *s = mem_alloc(sizeof(*s));

	s->options = *options;
	s->position = source_checkpoint_position(options->reader->checkpoint);
	s->seen = source_checkpoint_seen(options->reader->checkpoint);
	s->bisect.reader = options->reader;
	s->progress_ms = clock_monotonic_ms();
	s->interval_ms = FIRST_MS;
	return s;
}

void
vcenter_stall_close(struct vcenter_stall *s)
{
	free(s);
}

void
vcenter_stall_progress(struct vcenter_stall *s)
{
	s->progress_ms = clock_monotonic_ms();
	s->checks = 0;
}

void
vcenter_stall_distrust(struct vcenter_stall *s)
{
	s->interval_ms = FIRST_MS;
}

void
vcenter_stall_forget_hidden(struct vcenter_stall *s)
{
	s->hidden.any = false;
}

/*
 * Start of the search: after the newest stored event, else the start of reading, else vCenter's
 * retention.
 */
static int64_t
search_from(const struct position *p, const struct vim_latest *latest)
{
	if (p->any)
		return p->newest.created_us;
	return p->reopen_us != INT64_MAX && p->reopen_us != INT64_MIN
		? p->reopen_us
		: latest->created_us - RETENTION_US;
}

/*
 * The latest event is far older than what is stored, and its key comes before: a database
 * restored from a backup. Its keys come again, for other events. That event is the best known
 * bound of what was lost.
 */
static void
restored(struct vcenter_stall *s, const struct vim_latest *latest)
{
	const struct position_event *newest = &s->position->newest;
	char stored[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	log_error("the vCenter's events went back: database restored from a backup",
		L_STR("stored", clock_format(newest->created_us, stored)),
		L_STR("latest", clock_format(latest->created_us, now)),
		L_INT("last_key", newest->key), L_INT("latest_key", latest->key));
	vcenter_intake_begin_epoch(s->options.reader->intake, latest->key);
	position_set_restored(s->position,
		&(struct position_event){
			.created_us = latest->created_us, .key = latest->key });
	vcenter_cursor_abandon(s->options.cursor);
}

/* Reads past events that this account cannot see, to the latest one. */
static enum source_result
read_past_hidden(struct vcenter_stall *s, const struct vim_latest *latest, size_t *fresh,
	struct err *err)
{
	int64_t from_us = search_from(s->position, latest);
	const struct vcenter_window span = { .filter = { .begin_us = from_us,
						     .end_us = latest->created_us } };
	enum source_result result;

	vcenter_metrics_stall(VCENTER_STALL_PERMISSION_GAP);
	result = vcenter_bisect_read(&s->bisect, from_us, latest, fresh, err);
	if (result == SOURCE_OK && *fresh == 0 && s->checks == TYPES_AT)
		result = vcenter_bisect_read_types(
			&s->bisect, s->options.catalogue, &span, fresh, err);
	if (result == SOURCE_OK)
		log_warn(
			"reading was stalled by events that this account cannot see: it continues after them",
			L_INT("latest_key", latest->key), L_INT("found", (int64_t)*fresh));
	return result;
}

static void
give_up(struct vcenter_stall *s, const struct vim_latest *latest)
{
	s->hidden = *latest; /* do not search for this one again */
	vcenter_bisect_reset(&s->bisect);
	vcenter_metrics_stall(VCENTER_STALL_UNSEEN);
	log_warn(
		"the latest event of the vCenter cannot be read, and other events before it may be missing",
		L_INT("latest_key", latest->key));
}

/* The places where an event can be that are quick to look at. */
static enum source_result
read_likely(struct vcenter_stall *s, size_t *fresh, struct err *err)
{
	enum source_result result = vcenter_newest_read(s->options.newest, fresh, err);

	return result == SOURCE_OK ? vcenter_audit_run(s->options.audit, err) : result;
}

static enum source_result
search(struct vcenter_stall *s, const struct vim_latest *latest, struct err *err)
{
	int64_t now_us = vcenter_clock_watch_now(s->options.clock);
	enum position_date date = position_date(s->position, latest->created_us, now_us);
	enum source_result result;
	size_t fresh = 0;

	if (vcenter_clock_watch_check_date(s->options.clock, latest->created_us, err) != 0)
		return SOURCE_FAILED;
	if (!vcenter_cursor_is_open(s->options.cursor))
		return SOURCE_OK; /* the clock was set back: the next reading shows the event */
	if (date == POSITION_BEHIND &&
		position_key_after(s->position->newest.key, latest->key)) {
		restored(s, latest);
		return SOURCE_OK;
	}
	result = read_likely(s, &fresh, err);
	if (result != SOURCE_OK || seen_has(s->seen, latest->key, latest->created_us) ||
		++s->checks < 2)
		return result;
	if (date == POSITION_IN_ORDER && latest->created_us >= search_from(s->position, latest))
		result = read_past_hidden(s, latest, &fresh, err);
	if (result != SOURCE_OK)
		return result;
	if (fresh == 0 && (vcenter_bisect_is_exhausted(&s->bisect) || s->checks >= CHECKS_MAX))
		give_up(s, latest);
	/* the live collector may be stuck for ever: the next begins after what was found */
	vcenter_cursor_abandon(s->options.cursor);
	return SOURCE_OK;
}

/* Whether the event is one that has to be searched for. */
static bool
is_missing(const struct vcenter_stall *s, const struct vim_latest *latest)
{
	return latest->any && !seen_has(s->seen, latest->key, latest->created_us) &&
		!(s->hidden.any && s->hidden.key == latest->key &&
			s->hidden.created_us == latest->created_us) &&
		!position_is_before_start(s->position,
			&(struct position_event){
				.created_us = latest->created_us, .key = latest->key });
}

static bool
is_dated_ahead(const struct vcenter_stall *s, const struct vim_latest *latest)
{
	return latest->created_us >
		vcenter_clock_watch_now(s->options.clock) + POSITION_TOLERANCE_US;
}

static void
set_lag(struct vcenter_stall *s, const struct vim_latest *latest)
{
	const struct position *p = s->position;
	/* what was sent is not yet stored */
	int64_t waits_us = publisher_oldest_us(s->options.publisher);
	int64_t stored_us = waits_us < p->newest.created_us ? waits_us : p->newest.created_us;
	/* a wrong date is no lag */
	bool counts = latest->any && p->any && !is_dated_ahead(s, latest);
	double lag = counts ? (double)(latest->created_us - stored_us) / 1e6 : 0;
	int64_t backlog = counts ? (int64_t)latest->key - p->newest.key : 0;
	struct publisher_stats stats;

	publisher_stats(s->options.publisher, &stats);
	vcenter_metrics_lag(lag, (double)(backlog + (int64_t)stats.in_flight));
}

void
vcenter_stall_measure_lag(struct vcenter_stall *s)
{
	struct vim *vim = s->options.reader->vim;
	int64_t now_ms = clock_monotonic_ms();
	struct vim_latest latest;

	/* a check measures it too */
	if (!vim_has_session(vim) || now_ms - s->lag_ms < LAG_EVERY_MS ||
		now_ms - s->checked_ms < s->interval_ms + CHECK_DELAY_MS)
		return;
	s->lag_ms = now_ms;
	if (vim_latest_event(vim, &latest, NULL) == 0)
		set_lag(s, &latest);
}

enum source_result
vcenter_stall_check(struct vcenter_stall *s, bool limited, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	struct vim_latest latest;

	if (now_ms - s->progress_ms < FIRST_MS ||
		now_ms - s->checked_ms < (limited ? LIMITED_MS : s->interval_ms))
		return SOURCE_OK;
	s->checked_ms = s->lag_ms = now_ms;
	if (vim_latest_event(s->options.reader->vim, &latest, err) != 0)
		return SOURCE_FAILED;
	set_lag(s, &latest);
	if (is_missing(s, &latest)) {
		vcenter_stall_distrust(s);
		return search(s, &latest, err);
	}
	s->checks = 0;
	s->interval_ms *= 2;
	if (s->interval_ms > INTERVAL_MAX_MS)
		s->interval_ms = INTERVAL_MAX_MS;
	return SOURCE_OK;
}
