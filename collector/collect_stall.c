// SPDX-License-Identifier: Apache-2.0
/* Stall detection by the vCenter's latest event, and the walk past runs of events that this account cannot see. */
#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "stop.h"

enum {
	LATEST_MAX_MS = 10000,
	LATEST_LACKING_MS = 60000, /* the account lacks privileges, as it was told: seldom */
	LAG_EVERY_MS = 10000,
	LATEST_TRIES = 8,       /* then an event that we do not get to see is not for us */
	WALK_TYPES_AT = 3,      /* after so many tries by time, one by type */
	WALK_EXPECTED = 1000,   /* a window may hold so many events, times fineness */
	WALK_EMPTY_CALLS = 100, /* what a walk spends on windows that give nothing, times fineness */
	WALK_EMPTY_MAX = 2000,
	WALK_CALLS_MAX = 20000,
	WALK_FINEST = 16384,
	WALK_STACK = 128,       /* halving microseconds of 30 years takes 50 */
};

static const int64_t us_per_ms = 1000;
static const int64_t RETENTION_US = INT64_C(30) * 24 * 3600 * 1000000; /* vCenter's default event.maxAge */

/* Where the unseen may begin: behind the newest stored, else at the start, else as far back as vCenter keeps. */
static int64_t
walk_from(const struct collect *c, const struct vim_latest *latest)
{
	if (c->any)
		return c->newest_us;
	return c->reopen_us != INT64_MAX && c->reopen_us != INT64_MIN ? c->reopen_us : latest->created_us - RETENTION_US;
}

/*
 * Covers (lo, latest] by windows so small that a page full of invisible events cannot hide what lies behind them
 * (govmomi issue 3450). density: events per microsecond, guessed from the keys.
 */
static int
walk(struct collect *c, int64_t from, const struct vim_latest *latest, double density, size_t *fresh, struct err *err)
{
	struct { int64_t lo, hi; } stack[WALK_STACK] = { { from, latest->created_us } };
	unsigned calls = 0, depth = 1, fineness = c->walk_fineness ? c->walk_fineness : 4;
	unsigned spare = WALK_EMPTY_CALLS * fineness < WALK_EMPTY_MAX ? WALK_EMPTY_CALLS * fineness : WALK_EMPTY_MAX;

	while (depth != 0 && calls < WALK_CALLS_MAX && !stop_requested()) {
		int64_t lo = stack[--depth].lo, hi = stack[depth].hi;
		struct collect_window w = { .filter = { .begin_us = lo, .end_us = hi } };

		if (collect_read_window(c, &w, err) != 0)
			return -1;
		*fresh += w.fresh;
		calls += w.calls;
		if (w.read != 0)
			lo = w.last_us + 1;
		if ((double)(hi - lo) * density * fineness > (double)WALK_EXPECTED && hi > lo && depth + 2 <= WALK_STACK &&
			(w.read != 0 || calls < spare)) {
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

/* Walks finer and finer for as long as that brings more to light: events are denser here than there. */
static int
walk_all(struct collect *c, const struct vim_latest *latest, size_t *found, struct err *err)
{
	int64_t from = walk_from(c, latest);
	double keys = (double)((uint32_t)latest->key - (c->any ? (uint32_t)c->last_key : 0));
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
 * The same span type by type: what no window of time takes apart, because it happened in one microsecond. A run of
 * more than a page of invisible events of one type in one microsecond still hides the rest of that type behind it.
 */
static int
walk_types(struct collect *c, const struct vim_latest *latest, size_t *found, struct err *err)
{
	int64_t from = walk_from(c, latest);
	size_t i;

	for (i = 0; i < c->catalogue.names.slots && !stop_requested(); i++) {
		struct collect_window w = { .filter = { .begin_us = from, .end_us = latest->created_us,
						    .type = c->catalogue.names.slot[i].name } };

		if (w.filter.type == NULL)
			continue;
		if (collect_read_window(c, &w, err) != 0)
			return -1;
		*found += w.fresh;
	}
	return 0;
}

/* The latest event is far older than what we stored: a clock set back, or a database restored. */
static int
step_back(struct collect *c, const struct vim_latest *latest, struct err *err)
{
	char stored[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	/* what was published back then must be known again before it is read again */
	if (collect_load_since(c, latest->created_us - c->options->overlap_ms * us_per_ms, err) != 0)
		return -1;
	collect_begin_epoch(c);
	log_error("the vCenter's time went back: clock set, or database restored from a backup",
		L_STR("stored", clock_format(c->newest_us, stored)), L_STR("latest", clock_format(latest->created_us, now)),
		L_INT("last_key", c->last_key), L_INT("latest_key", latest->key));
	c->newest_us = latest->created_us;
	c->last_key = latest->key;
	c->reopen_us = INT64_MAX;
	return collect_open(c, err);
}

static int
look_past(struct collect *c, const struct vim_latest *latest, struct err *err)
{
	size_t fresh = 0;

	if (c->any && latest->created_us < c->newest_us - c->options->overlap_ms * us_per_ms)
		return step_back(c, latest, err);
	if (collect_audit(c, err) != 0)
		return -1;
	if (seen_has(&c->seen, latest->key, latest->created_us) || ++c->stalls < 2)
		return 0;
	if (latest->created_us >= walk_from(c, latest)) {
		collect_count_stall("permission_gap");
		if (walk_all(c, latest, &fresh, err) != 0 ||
			(fresh == 0 && c->stalls == WALK_TYPES_AT && walk_types(c, latest, &fresh, err) != 0))
			return -1;
		log_warn("no events although there are some: walked past events this account cannot see",
			L_INT("latest_key", latest->key), L_INT("found", (int64_t)fresh));
	}
	if (fresh == 0 && (c->walk_fineness >= WALK_FINEST || c->stalls >= LATEST_TRIES)) {
		c->invisible = *latest; /* really not for us: no more walks for this one */
		c->walk_fineness = 0;
		collect_count_stall("unseen");
		log_warn("the latest event of the vCenter cannot be seen, and what it hides cannot be reached",
			L_INT("latest_key", latest->key));
	}
	/* the live collector may be stuck for ever: a new one begins behind what was found */
	return collect_open(c, err);
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
		now - c->latest_check_ms < (*c->lacking ? LATEST_LACKING_MS : c->latest_interval_ms))
		return 0;
	c->latest_check_ms = c->lag_ms = now;
	if (vim_latest_event(c->vim, &latest, err) != 0)
		return -1;
	collect_set_latest(c, &latest);
	if (!latest.any || seen_has(&c->seen, latest.key, latest.created_us) ||
		(c->invisible.any && c->invisible.key == latest.key && c->invisible.created_us == latest.created_us) ||
		(!c->any && c->reopen_us != INT64_MAX && latest.created_us < c->reopen_us)) {
		c->stalls = 0;
	} else if (look_past(c, &latest, err) != 0) {
		return -1;
	}
	c->latest_interval_ms = c->latest_interval_ms * 2 < LATEST_MAX_MS ? c->latest_interval_ms * 2 : LATEST_MAX_MS;
	return 0;
}
