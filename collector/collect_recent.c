// SPDX-License-Identifier: Apache-2.0
/*
 * The newest events by key. The live collector and the audit read by date, so neither meets an
 * event that a host with a wrong clock dates hours or years back, or that the vCenter stores
 * later than the audit looks. A look at the newest keys finds it, also while others keep
 * coming. It is read at its own date. Its neighbours there are events of long ago, so only
 * those with one of the newest keys are taken: whatever their date, `seen` knows which of them
 * are stored.
 */
#include <stdlib.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"
#include "stop.h"

enum {
	EVERY_MS = 10000,
	BUSY_MS = 500,
	/* newest events looked at; VIM_LATEST_MAX when there are more than these */
	PAGE = 256,
	/* so many new ones: look soon, or the page does not show them all */
	BUSY_EVENTS = PAGE / 2,
	/* at start `seen` has so many from the stream; later it keeps SEEN_KEYS_KEPT */
	RECENT_KEYS = 2000,
	PAGES_BACK_MAX = 1000, /* after a break: as many as a million events */
	WINDOWS_MAX = 100,     /* of one look; the rest is found by the next */
};

/* other events of the same host are looked for so near */
static const int64_t NEAR_US = 60 * 1000000;

struct look {
	const struct collect *c;
	int64_t before_us; /* later ones are found by date */
	bool any;
	int32_t newest_key, oldest_key;   /* of the page */
	int64_t found_us[VIM_LATEST_MAX]; /* dates of those that are not stored */
	size_t n;
};

bool
collect_is_recent(const struct collect *c, int32_t key)
{
	return position_key_after(key, c->recent_from_key) &&
		!position_is_old_key(&c->position, key);
}

static void
note(void *ctx, const struct vim_latest *event)
{
	struct look *look = ctx;

	if (!look->any || position_key_after(event->key, look->newest_key))
		look->newest_key = event->key;
	if (!look->any || position_key_after(look->oldest_key, event->key))
		look->oldest_key = event->key;
	look->any = true;
	if (event->created_us < look->before_us &&
		!seen_has(&look->c->seen, event->key, event->created_us) &&
		!position_is_old_key(&look->c->position, event->key))
		look->found_us[look->n++] = event->created_us;
}

static int
by_date(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int
read_found(struct collect *c, struct look *look, size_t *fresh, struct err *err)
{
	size_t i = 0, windows = 0;

	qsort(look->found_us, look->n, sizeof(look->found_us[0]), by_date);
	while (i < look->n && windows++ < WINDOWS_MAX) {
		struct collect_window w = { .recent_only = true,
			.filter.begin_us = look->found_us[i] < 0
				? INT64_MIN
				: look->found_us[i] - NEAR_US };

		do
			w.filter.end_us = look->found_us[i++] + NEAR_US;
		while (i < look->n && look->found_us[i] - NEAR_US <= w.filter.end_us);
		if (collect_read_window(c, &w, err) != 0)
			return -1;
		*fresh += w.fresh;
	}
	return 0;
}

static int
look_at(struct collect *c, int max, struct look *look, struct err *err)
{
	look->any = false;
	look->n = 0;
	return vim_latest_page(c->vim, max, note, look, err);
}

/* The page does not reach back to the one before it. */
static bool
is_too_short(const struct collect *c, const struct look *look)
{
	return c->recent_any && look->any &&
		position_key_after(look->oldest_key, c->recent_key);
}

void
collect_set_recent_key(struct collect *c, int32_t key)
{
	c->recent_any = true;
	c->recent_key = key;
}

/*
 * More keys have passed than the newest page shows, as after a break. Goes back page by page to
 * where the last look ended. What is dated since the live collector began was read by that one;
 * of what is dated before, each event with such a key is missing.
 */
static int
look_back_with(
	struct collect *c, struct vim_collector *collector, size_t *fresh, struct err *err)
{
	struct vim_filter all = {
		.begin_us = INT64_MIN, .end_us = INT64_MAX, .latest = VIM_LATEST_MAX
	};
	struct look look = { .c = c, .before_us = c->live_begin_us };
	struct normalize_page page;
	int failed, pages = 0;

	c->recent_from_key = c->recent_key;
	if (vim_create_collector(c->vim, &all, collector, err) != 0)
		return -1;
	failed = vim_reset_collector(c->vim, collector, err);
	while (!failed && pages++ < PAGES_BACK_MAX && !stop_requested()) {
		failed = vim_read_previous(c->vim, collector, &page, err);
		if (failed || page.n + page.n_left_out == 0)
			break;
		look.any = false;
		look.n = 0;
		for (size_t i = 0; i < page.n && i < VIM_LATEST_MAX; i++)
			note(&look,
				&(struct vim_latest){ .key = page.event[i].key,
					.created_us = page.event[i].created_us });
		failed = read_found(c, &look, fresh, err);
		status_beat();
		if (look.any && !is_too_short(c, &look))
			break;
	}
	vim_destroy_collector(c->vim, collector);
	return failed;
}

static int
look_back(struct collect *c, size_t *fresh, struct err *err)
{
	struct vim_collector collector = { "" };
	int failed;

	while ((failed = look_back_with(c, &collector, fresh, err)) != 0 &&
		err->code == ERR_LIMIT)
		; /* its pages are smaller now */
	return failed;
}

int
collect_read_recent(struct collect *c, size_t *fresh, struct err *err)
{
	struct look look = { .c = c };

	*fresh = 0;
	c->recent_due = false;
	c->recent_new = 0;
	c->recent_ms = clock_monotonic_ms();
	if (c->position.any)
		look.before_us = position_audit_begin(&c->position, c->recent_ms);
	else if (c->position.begun_us != INT64_MAX)
		look.before_us = c->position.begun_us;
	else
		return 0;
	if (look_at(c, PAGE, &look, err) != 0 ||
		(is_too_short(c, &look) && look_at(c, VIM_LATEST_MAX, &look, err) != 0))
		return err->code == ERR_FORBIDDEN ? 0 : -1;
	c->recent_from_key = (int32_t)((uint32_t)look.newest_key - RECENT_KEYS);
	if (look.any &&
		(read_found(c, &look, fresh, err) != 0 ||
			(is_too_short(c, &look) && look_back(c, fresh, err) != 0)))
		return -1;
	if (look.any)
		collect_set_recent_key(c, look.newest_key);
	if (*fresh != 0)
		log_warn(
			"events are dated far behind the others: a host's clock is wrong, or they were stored late",
			L_INT("events", (int64_t)*fresh));
	return 0;
}

int
collect_check_recent(struct collect *c, struct err *err)
{
	int64_t waited = clock_monotonic_ms() - c->recent_ms;
	size_t fresh;

	if (!c->recent_due &&
		(c->recent_new == 0 ||
			waited < (c->recent_new >= BUSY_EVENTS ? BUSY_MS : EVERY_MS)))
		return 0;
	return collect_read_recent(c, &fresh, err);
}
