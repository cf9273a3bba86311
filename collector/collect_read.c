// SPDX-License-Identifier: Apache-2.0
/* Reading: the live collector, and the audit for late events. */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"
#include "stop.h"

enum { PRUNE_ABOVE = 65536 }; /* identities kept before old ones are forgotten */

static const int64_t us_per_ms = 1000;

static int
publish(struct collect *c, const struct normalize_event *e, struct err *err)
{
	const char *severity = severities_of(&c->catalogue.names, e->severity, e->name, e->class_name);
	struct publish p;

	if (!envelope_write(&c->envelope, &c->source, e, severity)) {
		/* cannot be: the normalizer trims data to what fits, and attributes have a bound */
		c->rejected++;
		seen_add(&c->seen, e->key, e->created_us);
		log_error("event does not fit a message", L_INT("key", e->key), L_STR("name", e->name));
		return 0;
	}
	if (e->stub)
		log_error("event too large, also when trimmed: stored with its key and time only",
			L_STR("event", buf_str(&c->envelope.id)), L_STR("name", buf_str(&c->envelope.name)));
	p = (struct publish){ .subject = buf_str(&c->envelope.subject), .msg_id = buf_str(&c->envelope.msg_id),
		.data = c->envelope.message.data, .len = c->envelope.message.len, .key = e->key,
		.created_us = e->created_us, .complete_us = c->reopen_us };
	if (publisher_send(c->publisher, &p, err) != 0)
		return -1;
	seen_add(&c->seen, e->key, e->created_us);
	if (!c->any || e->created_us >= c->newest_us) {
		c->any = true;
		c->newest_us = e->created_us;
		c->last_key = e->key;
	}
	return 0;
}

void
collect_begin_epoch(struct collect *c)
{
	c->seen.epoch++;
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
		log_error("event left out: it has no readable key and time", L_STR("why", page->why));
	}
}

/* Publishes what of a page is not in the stream; *fresh counts it. */
static int
take_page(struct collect *c, const struct normalize_page *page, size_t *fresh, struct err *err)
{
	size_t i;

	collect_count_page(page);
	for (i = 0; i < page->n; i++) {
		const struct normalize_event *e = &page->event[i];

		c->read++;
		if (seen_has(&c->seen, e->key, e->created_us)) {
			c->duplicates++;
			continue;
		}
		if (seen_reused(&c->seen, e->key, e->created_us)) {
			log_error("event keys start over: the vCenter's database was re-created or restored",
				L_INT("last_key", c->last_key), L_INT("key", e->key));
			collect_begin_epoch(c);
		}
		while (!publisher_room(c->publisher) && vim_receive(c->vim))
			; /* better than to wait for acks */
		if (publish(c, e, err) != 0) {
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
			L_INT("events", (int64_t)page->n), L_INT("left_out", (int64_t)page->n_left_out));
	count_damaged(c, page);
	return 0;
}

static int
publish_gap(struct collect *c, int64_t from_us, int64_t to_us, const char *reason, struct err *err)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	struct publish p;

	log_error("events may be missing: the vCenter no longer has what was stored last", L_STR("reason", reason),
		L_STR("from", clock_format(from_us, from)), L_STR("to", clock_format(to_us, to)));
	collect_count_gap();
	if (!envelope_write_gap(&c->envelope, &c->source, from_us, to_us, reason))
		return 0;
	p = (struct publish){ .subject = buf_str(&c->envelope.subject), .msg_id = buf_str(&c->envelope.msg_id),
		.data = c->envelope.message.data, .len = c->envelope.message.len, .created_us = from_us,
		.complete_us = c->reopen_us };
	if (publisher_send(c->publisher, &p, err) != 0)
		return -1;
	c->read++; /* it is published like an event: the books count it */
	return 0;
}

/*
 * The first events of a new collector overlap with what is stored. When they do not, the stored ones left the
 * vCenter: retention, or another database, whose keys start over.
 */
static int
check_overlap(struct collect *c, const struct normalize_page *page, struct err *err)
{
	const struct normalize_event *first = page->event;
	int64_t from = c->newest_us;
	size_t i;

	if (!c->expect_overlap || page->n == 0)
		return 0;
	c->expect_overlap = false;
	for (i = 0; i < page->n; i++) {
		if (seen_has(&c->seen, page->event[i].key, page->event[i].created_us))
			return 0;
		if (page->event[i].created_us < first->created_us)
			first = &page->event[i];
	}
	if (first->created_us <= from)
		return 0;
	if (c->last_key > 0 && first->key < 0) {
		log_warn("event keys have wrapped to negative", L_INT("last_key", c->last_key), L_INT("key", first->key));
	} else if (first->key <= c->last_key) {
		collect_begin_epoch(c);
		return publish_gap(c, from, first->created_us, "keys start over: database re-created or restored", err);
	}
	return publish_gap(c, from, first->created_us, "retention: purged before it was read", err);
}

static int64_t
begin_of(const struct collect *c, int64_t now_us)
{
	const struct collect_options *o = c->options;
	int64_t begin;

	if (c->any) {
		begin = c->newest_us < c->reopen_us ? c->newest_us : c->reopen_us;
		return begin == INT64_MIN ? begin : begin - o->overlap_ms * us_per_ms;
	}
	if (c->reopen_us != INT64_MAX)
		return c->reopen_us;
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

int
collect_open(struct collect *c, struct err *err)
{
	int64_t now = 0, begin;

	if (!c->any && c->reopen_us == INT64_MAX && vim_current_time(c->vim, &now, err) != 0)
		return -1;
	begin = begin_of(c, now);
	vim_destroy_collector(c->vim, &c->spent);
	vim_destroy_collector(c->vim, &c->live);
	if (vim_create_collector(c->vim, &(struct vim_filter){ .begin_us = begin, .end_us = INT64_MAX }, &c->live, err) != 0)
		return -1;
	if (c->any)
		c->expect_overlap = true;
	else if (begin != INT64_MIN)
		c->reopen_us = begin; /* until something is stored: the same beginning after a failure */
	if (begin < c->floor_us)
		c->floor_us = begin;
	c->pause_ms = c->options->poll_min_ms;
	return 0;
}

/* Forgets what is never read again, whatever comes back from the publisher. */
static void
prune(struct collect *c)
{
	int64_t until = c->newest_us < c->reopen_us ? c->newest_us : c->reopen_us, in_flight;

	if (c->seen.n <= PRUNE_ABOVE || c->seen.n * 3 <= c->seen.slots)
		return;
	in_flight = publisher_oldest_us(c->publisher);
	if (in_flight < until)
		until = in_flight;
	if (until != INT64_MIN)
		seen_prune(&c->seen, until - (c->options->overlap_ms + c->options->audit_span_ms) * us_per_ms);
}

int
collect_poll(struct collect *c, bool *full, struct err *err)
{
	struct normalize_page page;
	size_t fresh = 0;
	int failed = vim_read_next(c->vim, &c->live, c->page_size, &page, err);

	collect_count_poll(failed == 0);
	if (failed || check_overlap(c, &page, err) != 0)
		return -1;
	*full = page.n >= (size_t)c->page_size;
	if (!*full)
		c->page_size = c->options->page_size; /* not before: the same replies come again after a failure */
	if (*full)
		vim_read_ahead(c->vim, &c->live, c->page_size);
	if (take_page(c, &page, &fresh, err) != 0)
		return -1;
	if (c->any && (!*full || page.event[0].created_us > c->reopen_us))
		c->reopen_us = INT64_MAX; /* the live position is past it */
	if (fresh != 0) {
		c->fresh_ms = clock_monotonic_ms();
		c->pause_ms = c->options->poll_min_ms;
		c->stalls = 0;
		c->latest_interval_ms = LATEST_FIRST_MS;
	} else if (!*full) {
		c->pause_ms = c->pause_ms * 2 < c->options->poll_max_ms ? c->pause_ms * 2 : c->options->poll_max_ms;
	}
	prune(c);
	return 0;
}

static int
read_window(struct collect *c, struct collect_window *w, int page_size, struct err *err)
{
	struct vim_collector window = { "" };
	struct normalize_page page = { .n = 0 };
	int failed = vim_create_collector(c->vim, &w->filter, &window, err);

	while (!failed && !stop_requested()) {
		failed = vim_read_next(c->vim, &window, page_size, &page, err);
		w->calls++;
		status_beat();
		if (failed || page.n == 0)
			break;
		w->read += page.n;
		w->last_us = page.event[page.n - 1].created_us;
		failed = take_page(c, &page, &w->fresh, err);
	}
	vim_destroy_collector(c->vim, &window);
	return failed;
}

int
collect_read_window(struct collect *c, struct collect_window *w, struct err *err)
{
	int failed, page_size = c->page_size;

	while ((failed = read_window(c, w, page_size, err)) != 0 && err->code == ERR_LIMIT && page_size > 1)
		page_size /= 2; /* the reply was too large */
	return failed;
}

int
collect_audit(struct collect *c, struct err *err)
{
	struct collect_window w = { .filter = { .begin_us = c->newest_us - c->options->audit_span_ms * us_per_ms,
					    .end_us = c->newest_us } };

	c->audit_ms = clock_monotonic_ms();
	if (!c->any)
		return 0;
	if (collect_read_window(c, &w, err) != 0)
		return -1;
	if (w.fresh != 0)
		log_info("late events found by the audit", L_INT("events", (int64_t)w.fresh));
	return 0;
}
