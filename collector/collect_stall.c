// SPDX-License-Identifier: Apache-2.0
/*
 * Stall detection by the vCenter's latest event, and the walk past runs of events that this
 * account cannot see.
 */
#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "stop.h"

enum {
	LATEST_MAX_MS = 10000,
	LATEST_LACKING_MS = 60000, /* the account lacks privileges, as it was told: seldom */
	LAG_EVERY_MS = 10000,
	LATEST_TRIES = 8,     /* then an event that we do not get to see is not for us */
	WALK_TYPES_AT = 3,    /* after so many tries by time, one by type */
	WALK_EXPECTED = 1000, /* a window may hold so many events, times fineness */
	/* what a walk spends on windows that give nothing, times fineness */
	WALK_EMPTY_CALLS = 100,
	WALK_EMPTY_MAX = 2000,
	WALK_CALLS_MAX = 20000,
	WALK_FINEST = 16384,
	WALK_STACK = 128, /* halving microseconds of 30 years takes 50 */
};

/* vCenter's default event.maxAge */
static const int64_t RETENTION_US = INT64_C(30) * 24 * 3600 * 1000000;

/*
 * Where the unseen may begin: behind the newest stored, else at the start, else as far back as
 * vCenter keeps.
 */
static int64_t
walk_from(const struct collect *c, const struct vim_latest *latest)
{
	const struct position *p = &c->position;

	if (p->any)
		return p->newest.created_us;
	return p->reopen_us != INT64_MAX && p->reopen_us != INT64_MIN
		? p->reopen_us
		: latest->created_us - RETENTION_US;
}

/*
 * Covers (lo, latest] by windows so small that a page full of invisible events cannot hide what
 * lies behind them (govmomi issue 3450). density: events per microsecond, guessed from the
 * keys.
 */
static int
walk(struct collect *c, int64_t from, const struct vim_latest *latest, double density,
	size_t *fresh, struct err *err)
{
	struct {
		int64_t lo, hi;
	} stack[WALK_STACK] = { { from, latest->created_us } };
	unsigned calls = 0, depth = 1, fineness = c->walk_fineness ? c->walk_fineness : 4;
	unsigned spare = WALK_EMPTY_CALLS * fineness < WALK_EMPTY_MAX
		? WALK_EMPTY_CALLS * fineness
		: WALK_EMPTY_MAX;

	while (depth != 0 && calls < WALK_CALLS_MAX && !stop_requested()) {
		int64_t lo = stack[--depth].lo, hi = stack[depth].hi;
		struct collect_window w = { .filter = { .begin_us = lo, .end_us = hi } };

		if (collect_read_window(c, &w, err) != 0)
			return -1;
		*fresh += w.fresh;
		calls += w.calls;
		if (w.read != 0)
			lo = w.last_us + 1;
		if ((double)(hi - lo) * density * fineness > (double)WALK_EXPECTED && hi > lo &&
			depth + 2 <= WALK_STACK && (w.read != 0 || calls < spare)) {
			int64_t middle = lo + (hi - lo) / 2;

			stack[depth].lo = middle + 1;
			stack[depth++].hi = hi;
			stack[depth].lo = lo;
			stack[depth++].hi = middle;
		}
	}
	c->walk_fineness = fineness < WALK_FINEST ? fineness * 16 : fineness;
	return 0;
}

/*
 * Walks finer and finer for as long as that brings more to light: events are denser here than
 * there.
 */
static int
walk_all(struct collect *c, const struct vim_latest *latest, size_t *found, struct err *err)
{
	int64_t from = walk_from(c, latest);
	double keys = (double)((uint32_t)latest->key -
		(c->position.any ? (uint32_t)c->position.newest.key : 0));
	double density = keys / (double)(latest->created_us - from + 1);
	size_t fresh;

	do {
		fresh = 0;
		if (walk(c, from, latest, density, &fresh, err) != 0)
			return -1;
		*found += fresh;
	} while (fresh != 0 && c->walk_fineness < WALK_FINEST && !stop_requested());
	if (*found != 0)
		c->walk_fineness = 4;
	return 0;
}

/*
 * The same span type by type: what no window of time takes apart, because it happened in one
 * microsecond. A run of more than a page of invisible events of one type in one microsecond
 * still hides the rest of that type behind it.
 */
static int
walk_types(struct collect *c, const struct vim_latest *latest, size_t *found, struct err *err)
{
	int64_t from = walk_from(c, latest);
	const struct severity_entry *e = NULL;

	while ((e = table_next(&c->catalogue.names.by_name, e)) != NULL && !stop_requested()) {
		struct collect_window w = { .filter = { .begin_us = from,
						    .end_us = latest->created_us,
						    .type = e->name } };

		if (collect_read_window(c, &w, err) != 0)
			return -1;
		*found += w.fresh;
	}
	return 0;
}

/*
 * The latest event is far older than what is stored, and its key comes before: a database
 * restored from a backup. Its keys come again, for other events; where it was cut off is not
 * known better than by that event.
 */
static int
restored(struct collect *c, const struct vim_latest *latest, struct err *err)
{
	struct position_event *newest = &c->position.newest;
	char stored[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	log_error("the vCenter's events went back: database restored from a backup",
		L_STR("stored", clock_format(newest->created_us, stored)),
		L_STR("latest", clock_format(latest->created_us, now)),
		L_INT("last_key", newest->key), L_INT("latest_key", latest->key));
	collect_begin_epoch(c, latest->key);
	position_set_back(&c->position, latest->created_us);
	newest->key = latest->key;
	return collect_open(c, err);
}

/* Reads past events that this account cannot see, to the latest one. */
static int
walk_past(struct collect *c, const struct vim_latest *latest, size_t *fresh, struct err *err)
{
	collect_count_stall("permission_gap");
	if (walk_all(c, latest, fresh, err) != 0 ||
		(*fresh == 0 && c->stalls == WALK_TYPES_AT &&
			walk_types(c, latest, fresh, err) != 0))
		return -1;
	log_warn(
		"no events although there are some: walked past events this account cannot see",
		L_INT("latest_key", latest->key), L_INT("found", (int64_t)*fresh));
	return 0;
}

static int
look_past(struct collect *c, const struct vim_latest *latest, struct err *err)
{
	int64_t now_us = vcenter_clock_now(&c->clock, clock_monotonic_ms());
	enum position_date date = position_date(&c->position, latest->created_us, now_us);
	size_t fresh = 0;

	if (collect_check_date(c, latest->created_us, err) != 0)
		return -1;
	if (*c->live.ref == '\0')
		return 0; /* the clock was set back: what is read next shows the event */
	if (date == POSITION_BEHIND && position_key_after(c->position.newest.key, latest->key))
		return restored(c, latest, err);
	if (collect_read_recent(c, &fresh, err) != 0 || collect_audit(c, err) != 0)
		return -1;
	if (seen_has(&c->seen, latest->key, latest->created_us) || ++c->stalls < 2)
		return 0;
	if (date == POSITION_IN_ORDER && latest->created_us >= walk_from(c, latest) &&
		walk_past(c, latest, &fresh, err) != 0)
		return -1;
	if (fresh == 0 && (c->walk_fineness >= WALK_FINEST || c->stalls >= LATEST_TRIES)) {
		c->invisible = *latest; /* really not for us: no more walks for this one */
		c->walk_fineness = 0;
		collect_count_stall("unseen");
		log_warn(
			"the latest event of the vCenter cannot be seen, and what it hides cannot be reached",
			L_INT("latest_key", latest->key));
	}
	/* the live collector may be stuck for ever: a new one begins behind what was found */
	return collect_open(c, err);
}

/* Whether the event is one that has to be looked for. */
static bool
is_unseen(const struct collect *c, const struct vim_latest *latest)
{
	const struct position *p = &c->position;

	return latest->any && !seen_has(&c->seen, latest->key, latest->created_us) &&
		!(c->invisible.any && c->invisible.key == latest->key &&
			c->invisible.created_us == latest->created_us) &&
		!position_is_before_start(p,
			&(struct position_event){
				.created_us = latest->created_us, .key = latest->key });
}

void
collect_measure_lag(struct collect *c)
{
	int64_t now = clock_monotonic_ms();
	struct vim_latest latest;

	if (!vim_has_session(c->vim) || now - c->lag_ms < LAG_EVERY_MS)
		return;
	c->lag_ms = now;
	if (vim_latest_event(c->vim, &latest, NULL) == 0)
		collect_set_latest(c, &latest);
}

int
collect_check_latest(struct collect *c, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	struct vim_latest latest;

	if (now - c->fresh_ms < LATEST_FIRST_MS ||
		now - c->latest_check_ms <
			(*c->lacking ? LATEST_LACKING_MS : c->latest_interval_ms))
		return 0;
	c->latest_check_ms = c->lag_ms = now;
	if (vim_latest_event(c->vim, &latest, err) != 0)
		return -1;
	collect_set_latest(c, &latest);
	if (!is_unseen(c, &latest))
		c->stalls = 0;
	else if (look_past(c, &latest, err) != 0)
		return -1;
	c->latest_interval_ms = c->latest_interval_ms * 2 < LATEST_MAX_MS
		? c->latest_interval_ms * 2
		: LATEST_MAX_MS;
	return 0;
}
