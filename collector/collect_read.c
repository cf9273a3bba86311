// SPDX-License-Identifier: Apache-2.0
/* Reading: the live collector, and the audit for late events. */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"
#include "stop.h"

enum {
	PRUNE_ABOVE = 65536, /* identities kept before old ones are forgotten */
};

static const int64_t us_per_ms = 1000;

/* Where reading has to begin to meet this event again. */
static int64_t
again_us(const struct collect *c, const struct normalize_event *e, enum position_date date)
{
	const struct position *p = &c->position;

	if (date == POSITION_IN_ORDER ||
		(date == POSITION_BEHIND && e->created_us >= position_oldest_needed(p)))
		return e->created_us;
	/* dated ahead, or found by its key */
	return p->any ? position_resume(p) : p->reopen_us;
}

static void
note_out_of_order(struct collect *c, const struct normalize_event *e, enum position_date date)
{
	collect_count_out_of_order(date);
	if (date != POSITION_AHEAD)
		return;
	log_warn(
		"event dated ahead of the vCenter's clock: a host's clock is wrong; it is stored",
		L_STR("event", buf_str(&c->envelope.id)), L_STR("name", e->name),
		L_STR("created", e->created));
}

static int
publish(struct collect *c, const struct normalize_event *e, int64_t now_us, struct err *err)
{
	static const char *const out_of_order[] = { [POSITION_IN_ORDER] = NULL,
		[POSITION_AHEAD] = "ahead",
		[POSITION_BEHIND] = "behind" };
	const char *severity = severities_of(
		&c->catalogue.names, e->severity, e->name, e->class_name);
	enum position_date date = position_date(&c->position, e->created_us, now_us);
	struct publish p;

	if (!envelope_write(&c->envelope, &c->source, e, severity)) {
		/*
		 * cannot be: the normalizer trims data to what fits, and attributes have a
		 * bound
		 */
		c->rejected++;
		seen_add(&c->seen, e->key, e->created_us);
		log_error("event does not fit a message", L_INT("key", e->key),
			L_STR("name", e->name));
		return 0;
	}
	if (e->stub)
		log_error(
			"event too large, also when trimmed: stored with its key and time only",
			L_STR("event", buf_str(&c->envelope.id)),
			L_STR("name", buf_str(&c->envelope.name)));
	p = (struct publish){ .subject = buf_str(&c->envelope.subject),
		.msg_id = buf_str(&c->envelope.msg_id),
		.data = c->envelope.message.data,
		.len = c->envelope.message.len,
		.key = e->key,
		.created_us = e->created_us,
		.again_us = again_us(c, e, date),
		.complete_us = position_complete(&c->position),
		.out_of_order = out_of_order[date] };
	if (publisher_send(c->publisher, &p, err) != 0)
		return -1;
	c->recent_new++;
	seen_add(&c->seen, e->key, e->created_us);
	position_sent(&c->position,
		&(struct position_event){ .created_us = e->created_us, .key = e->key }, date,
		now_us);
	if (date != POSITION_IN_ORDER)
		note_out_of_order(c, e, date);
	return 0;
}

void
collect_begin_epoch(struct collect *c, int32_t key)
{
	c->seen.epoch++;
	if (position_is_old_key(&c->position, key))
		c->position.first.key = key;
	c->recent_due = true;
	collect_count_epoch();
}

/* Events without a key or a time cannot be known by them: each counts when it is first read. */
static void
count_damaged(struct collect *c, const struct normalize_page *page)
{
	struct collect_damaged *d = &c->damaged;
	const size_t cap = sizeof(d->hash) / sizeof(d->hash[0]);

	for (size_t i = 0; i < page->n_left_out; i++) {
		size_t kept = d->n < cap ? d->n : cap, k = 0;

		while (k < kept && d->hash[k] != page->left_out[i])
			k++;
		c->read++;
		if (k < kept) {
			c->duplicates++;
			continue;
		}
		d->hash[d->n++ % cap] = page->left_out[i];
		c->rejected++;
		log_error("event left out: it has no readable key and time",
			L_STR("why", page->why));
	}
}

/* An event that is read and not stored: the stream has it, or is not about it. */
static bool
is_suppressed(struct collect *c, const struct normalize_event *e)
{
	if (seen_has(&c->seen, e->key, e->created_us)) {
		c->duplicates++;
		return true;
	}
	if (position_is_before_start(&c->position,
		    &(struct position_event){ .created_us = e->created_us, .key = e->key })) {
		collect_count_before_start();
		return true;
	}
	return false;
}

/*
 * Publishes what of a page is not in the stream; *fresh counts it. recent_only: as in struct
 * collect_window.
 */
static int
take_page(struct collect *c, const struct normalize_page *page, bool recent_only, size_t *fresh,
	struct err *err)
{
	int64_t now_us = vcenter_clock_now(&c->clock, clock_monotonic_ms());
	size_t i;

	collect_count_page(page);
	for (i = 0; i < page->n; i++) {
		const struct normalize_event *e = &page->event[i];

		if (recent_only && !collect_is_recent(c, e->key))
			continue;
		c->read++;
		if (is_suppressed(c, e))
			continue;
		if (seen_reused(&c->seen, e->key, e->created_us)) {
			log_error(
				"event keys start over: the vCenter's database was re-created or restored",
				L_INT("last_key", c->position.newest.key),
				L_INT("key", e->key));
			collect_begin_epoch(c, e->key);
		}
		while (!publisher_room(c->publisher) && vim_receive(c->vim))
			; /* better than to wait for acks */
		if (publish(c, e, now_us, err) != 0) {
			c->read--;
			return -1;
		}
		collect_count_event(e, c->envelope.trimmed);
		(*fresh)++;
		if (i % 64 == 0)
			status_beat();
	}
	if (page->repaired)
		log_warn("a page was not well formed and was repaired", L_STR("why", page->why),
			L_INT("events", (int64_t)page->n),
			L_INT("left_out", (int64_t)page->n_left_out));
	count_damaged(c, page);
	return 0;
}

/* Where reading begins when nothing was read yet. */
static int64_t
start_us(const struct collect_options *o, int64_t now_us)
{
	switch (o->start) {
	case VCENTER_START_EARLIEST:
		return INT64_MIN;
	case VCENTER_START_AGO:
		return now_us - o->start_value * us_per_ms;
	case VCENTER_START_TIME:
		return o->start_value;
	case VCENTER_START_NOW:
		break;
	}
	return now_us;
}

/* The first beginning: what the vCenter has now, and dates before that, is not asked for. */
static int
begin_first(struct collect *c, int64_t begin_us, struct err *err)
{
	struct vim_latest latest;

	if (begin_us == INT64_MIN)
		return 0;
	if (vim_latest_event(c->vim, &latest, err) != 0)
		return -1;
	if (latest.any) /* the next key; it may wrap */
		position_set_first(&c->position,
			&(struct position_event){ .created_us = begin_us,
				.key = (int32_t)((uint32_t)latest.key + 1) });
	return 0;
}

int
collect_open(struct collect *c, struct err *err)
{
	struct position *p = &c->position;
	int64_t begin;

	if (collect_ask_clock(c, err) != 0)
		return -1;
	begin = position_begin(p, start_us(c->options, c->clock.shown_us));
	if (!p->any && p->begun_us == INT64_MAX && begin_first(c, begin, err) != 0)
		return -1;
	if (collect_know_since(c, begin, err) != 0)
		return -1;
	vim_destroy_collector(c->vim, &c->spent);
	vim_destroy_collector(c->vim, &c->live);
	if (vim_create_collector(c->vim,
		    &(struct vim_filter){ .begin_us = begin, .end_us = INT64_MAX }, &c->live,
		    err) != 0)
		return -1;
	position_begun(p, begin);
	c->live_begin_us = begin;
	c->expect_overlap = p->any && p->is_event;
	c->recent_due = true;
	c->pause_ms = c->options->poll_min_ms;
	return 0;
}

/* Forgets what is never read again, whatever comes back from the publisher. */
static void
prune(struct collect *c)
{
	int64_t until, in_flight;

	if (c->seen.events.n <= PRUNE_ABOVE || c->seen.events.n * 3 <= c->seen.events.slots)
		return;
	until = position_oldest_needed(&c->position);
	if (until == INT64_MIN)
		return;
	in_flight = publisher_oldest_us(c->publisher);
	if (in_flight != INT64_MAX &&
		in_flight - c->position.overlap_us - c->position.audit_us < until)
		until = in_flight - c->position.overlap_us - c->position.audit_us;
	seen_prune(&c->seen, until, c->position.newest.key);
	if (until > c->known_us)
		c->known_us = until;
}

/* The live collector's page was sent: what that says of the position, and of the next poll. */
static void
page_done(struct collect *c, const struct normalize_page *page, bool full, size_t fresh)
{
	struct position_event sample[POSITION_SAMPLES];
	size_t n = full && page->n != 0 ? POSITION_SAMPLES : 0, i;

	for (i = 0; i < n; i++) {
		const struct normalize_event *e = &page->event[i * page->n / POSITION_SAMPLES];

		sample[i] = (struct position_event){ .created_us = e->created_us,
			.key = e->key };
	}
	position_end_page(
		&c->position, sample, n, vcenter_clock_now(&c->clock, clock_monotonic_ms()));
	if (fresh != 0) {
		c->fresh_ms = clock_monotonic_ms();
		c->pause_ms = c->options->poll_min_ms;
		c->stalls = 0;
		c->latest_interval_ms = LATEST_FIRST_MS;
	} else if (!full) {
		c->pause_ms = c->pause_ms * 2 < c->options->poll_max_ms
			? c->pause_ms * 2
			: c->options->poll_max_ms;
	}
	if (!full)
		c->read_back = 0; /* the end was reached without a refusal */
}

int
collect_poll(struct collect *c, bool *full, struct err *err)
{
	struct normalize_page page;
	size_t fresh = 0;
	int failed = vim_read_next(c->vim, &c->live, &page, full, err);

	collect_count_poll(failed == 0);
	if (failed || collect_check_dates(c, &page, err) != 0 ||
		collect_check_overlap(c, &page, err) != 0)
		return -1;
	position_begin_page(&c->position, *full);
	if (take_page(c, &page, false, &fresh, err) != 0)
		return -1;
	page_done(c, &page, *full, fresh);
	prune(c);
	return 0;
}

static int
read_window(struct collect *c, struct collect_window *w, struct vim_collector *window,
	struct err *err)
{
	struct normalize_page page = { .n = 0 };
	int failed = vim_create_collector(c->vim, &w->filter, window, err);
	bool full;

	while (!failed && !stop_requested()) {
		failed = vim_read_next(c->vim, window, &page, &full, err);
		w->calls++;
		status_beat();
		if (failed || page.n + page.n_left_out == 0)
			break;
		w->read += page.n;
		if (page.n != 0)
			w->last_us = page.event[page.n - 1].created_us;
		failed = take_page(c, &page, w->recent_only, &w->fresh, err);
	}
	vim_destroy_collector(c->vim, window);
	return failed;
}

int
collect_read_window(struct collect *c, struct collect_window *w, struct err *err)
{
	struct vim_collector window = { "" };
	int failed;

	if (!w->recent_only && collect_know_since(c, w->filter.begin_us, err) != 0)
		return -1;
	while ((failed = read_window(c, w, &window, err)) != 0 && err->code == ERR_LIMIT)
		; /* its pages are smaller now */
	return failed;
}

int
collect_audit(struct collect *c, struct err *err)
{
	struct collect_window w = { .filter.end_us = c->position.newest.created_us };

	c->audit_ms = clock_monotonic_ms();
	if (!c->position.any)
		return 0;
	w.filter.begin_us = position_audit_begin(&c->position, c->audit_ms);
	if (collect_read_window(c, &w, err) != 0)
		return -1;
	if (w.fresh != 0)
		log_info("late events found by the audit", L_INT("events", (int64_t)w.fresh));
	return 0;
}
