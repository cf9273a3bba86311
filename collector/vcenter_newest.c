// SPDX-License-Identifier: Apache-2.0
#include "vcenter_newest.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stop.h"

enum {
	EVERY_MS = 10000,
	BUSY_MS = 500,
	/* newest events to look at; VIM_LATEST_MAX when there are more than these */
	PAGE = 256,
	/* so many new ones: look soon, or the page does not show them all */
	BUSY_EVENTS = PAGE * 3 / 4,
	/* at start `seen` has so many from the stream; later it keeps SEEN_KEYS_KEPT */
	RECENT_KEYS = 2000,
	PAGES_BACK_MAX = 1000, /* after a break: as many as a million events */
	WINDOWS_MAX = 100,     /* of one look; the rest is found by the next */
};

/* how near in time other events of the same host are looked for */
static const int64_t NEAR_US = 60 * 1000000;

struct vcenter_newest {
	const struct vcenter_window_reader *reader;
	const struct vcenter_cursor *cursor;
	const struct position *position;
	const struct seen *seen;
	bool due;
	int64_t looked_ms;  /* monotonic */
	uint64_t sent_then; /* the intake's counts at that time */
	uint64_t epochs_then;
	bool any;          /* `key` is set: */
	int32_t key;       /* the newest one then */
	int32_t after_key; /* this look takes events with keys after it */
};

struct look {
	const struct vcenter_newest *n;
	int64_t before_us; /* later ones are found by date */
	bool any;
	int32_t newest_key, oldest_key;   /* of the page */
	int64_t found_us[VIM_LATEST_MAX]; /* dates of those that are not stored */
	size_t n_found;
};

struct vcenter_newest *
vcenter_newest_open(
	const struct vcenter_window_reader *reader, const struct vcenter_cursor *cursor)
{
	struct vcenter_newest *n = mem_alloc(sizeof(*n));

	n->reader = reader;
	n->cursor = cursor;
	n->position = source_checkpoint_position(reader->checkpoint);
	n->seen = source_checkpoint_seen(reader->checkpoint);
	return n;
}

void
vcenter_newest_close(struct vcenter_newest *n)
{
	free(n);
}

void
vcenter_newest_set_key(struct vcenter_newest *n, int64_t key)
{
	n->any = true;
	n->key = (int32_t)key;
}

void
vcenter_newest_set_due(struct vcenter_newest *n)
{
	n->due = true;
}

static void
look_at_event(void *ctx, const struct vim_latest *event)
{
	struct look *look = ctx;

	if (!look->any || position_key_after(event->key, look->newest_key))
		look->newest_key = event->key;
	if (!look->any || position_key_after(look->oldest_key, event->key))
		look->oldest_key = event->key;
	look->any = true;
	if (event->created_us < look->before_us &&
		!seen_has(look->n->seen, event->key, event->created_us) &&
		!position_is_old_key(look->n->position, event->key))
		look->found_us[look->n_found++] = event->created_us;
}

static int
by_date(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static enum source_result
read_found(struct vcenter_newest *n, struct look *look, size_t *fresh, struct err *err)
{
	size_t i = 0, windows = 0;

	qsort(look->found_us, look->n_found, sizeof(look->found_us[0]), by_date);
	while (i < look->n_found && windows++ < WINDOWS_MAX) {
		struct vcenter_window w = { .by_key = true,
			.after_key = n->after_key,
			.filter.begin_us = look->found_us[i] < 0
				? INT64_MIN
				: look->found_us[i] - NEAR_US };
		enum source_result result;

		do
			w.filter.end_us = look->found_us[i++] + NEAR_US;
		while (i < look->n_found && look->found_us[i] - NEAR_US <= w.filter.end_us);
		result = vcenter_window_read(n->reader, &w, err);
		if (result != SOURCE_OK)
			return result;
		*fresh += w.fresh;
	}
	return SOURCE_OK;
}

static int
look_at_page(struct vcenter_newest *n, int max, struct look *look, struct err *err)
{
	look->any = false;
	look->n_found = 0;
	return vim_latest_page(n->reader->vim, max, look_at_event, look, err);
}

/* The page does not reach back to the newest key of the last look. */
static bool
is_too_short(const struct vcenter_newest *n, const struct look *look)
{
	return n->any && look->any && position_key_after(look->oldest_key, n->key);
}

static enum source_result
read_pages_back(struct vcenter_newest *n, struct vim_collector *collector, size_t *fresh,
	struct err *err)
{
	struct look look = { .n = n, .before_us = n->cursor->begin_us };
	struct normalize_page page;

	for (int pages = 0; pages < PAGES_BACK_MAX && !stop_requested(); pages++) {
		enum source_result result;

		if (vim_read_previous(n->reader->vim, collector, &page, err) != 0)
			return SOURCE_FAILED;
		if (page.n + page.n_left_out == 0)
			break;
		look.any = false;
		look.n_found = 0;
		for (size_t i = 0; i < page.n && i < VIM_LATEST_MAX; i++)
			look_at_event(&look,
				&(struct vim_latest){ .key = page.event[i].key,
					.created_us = page.event[i].created_us });
		result = read_found(n, &look, fresh, err);
		if (result != SOURCE_OK)
			return result;
		status_beat();
		if (look.any && !is_too_short(n, &look))
			break;
	}
	return SOURCE_OK;
}

/*
 * More keys have passed than the newest page shows, as after a break. Goes back page by page to
 * where the last look ended. Events dated since the live collector began were read by that one;
 * of those dated before, each with such a key is missing.
 */
static enum source_result
look_back(struct vcenter_newest *n, size_t *fresh, struct err *err)
{
	const struct vim_filter all = {
		.begin_us = INT64_MIN, .end_us = INT64_MAX, .latest = VIM_LATEST_MAX
	};
	struct vim_collector collector = { "" };
	struct vim *vim = n->reader->vim;
	enum source_result result;

	n->after_key = n->key;
	do {
		if (vim_create_collector(vim, &all, &collector, err) != 0)
			return SOURCE_FAILED;
		result = vim_reset_collector(vim, &collector, err) != 0
			? SOURCE_FAILED
			: read_pages_back(n, &collector, fresh, err);
		vim_destroy_collector(vim, &collector);
	} while (result == SOURCE_FAILED && err->code == ERR_LIMIT); /* its pages get smaller */
	return result;
}

static void
begin_look(struct vcenter_newest *n)
{
	const struct vcenter_intake_counts *counts = vcenter_intake_counts(n->reader->intake);

	n->due = false;
	n->sent_then = counts->sent;
	n->epochs_then = counts->epochs;
	n->looked_ms = clock_monotonic_ms();
}

/* Reads the events that the page shows and the stream does not have. */
static enum source_result
read_missing(struct vcenter_newest *n, struct look *look, size_t *fresh, struct err *err)
{
	enum source_result result;

	if (!look->any)
		return SOURCE_OK;
	n->after_key = (int32_t)((uint32_t)look->newest_key - RECENT_KEYS);
	result = read_found(n, look, fresh, err);
	if (result == SOURCE_OK && is_too_short(n, look))
		result = look_back(n, fresh, err);
	if (result == SOURCE_OK)
		vcenter_newest_set_key(n, look->newest_key);
	return result;
}

enum source_result
vcenter_newest_read(struct vcenter_newest *n, size_t *fresh, struct err *err)
{
	const struct position *p = n->position;
	struct look look = { .n = n };
	enum source_result result;

	*fresh = 0;
	begin_look(n);
	if (p->any)
		look.before_us = position_audit_begin(p, n->looked_ms);
	else if (p->begun_us != INT64_MAX)
		look.before_us = p->begun_us;
	else
		return SOURCE_OK;
	if (look_at_page(n, PAGE, &look, err) != 0 ||
		(is_too_short(n, &look) && look_at_page(n, VIM_LATEST_MAX, &look, err) != 0))
		return err->code == ERR_FORBIDDEN ? SOURCE_OK : SOURCE_FAILED;
	result = read_missing(n, &look, fresh, err);
	if (result == SOURCE_OK && *fresh != 0)
		log_warn(
			"events are dated far behind the others: a host's clock is wrong, or they were stored late",
			L_INT("events", (int64_t)*fresh));
	return result;
}

enum source_result
vcenter_newest_check(struct vcenter_newest *n, struct err *err)
{
	const struct vcenter_intake_counts *counts = vcenter_intake_counts(n->reader->intake);
	uint64_t sent = counts->sent - n->sent_then;
	int64_t waited_ms = clock_monotonic_ms() - n->looked_ms;
	size_t fresh;

	if (!n->due && counts->epochs == n->epochs_then &&
		(sent == 0 || waited_ms < (sent >= BUSY_EVENTS ? BUSY_MS : EVERY_MS)))
		return SOURCE_OK;
	return vcenter_newest_read(n, &fresh, err);
}
