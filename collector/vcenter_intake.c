// SPDX-License-Identifier: Apache-2.0
#include "vcenter_intake.h"

#include <stdlib.h>

#include "clock.h"
#include "envelope.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "vcenter_metrics.h"

/* Hashes of the newest events that had no identity: each is counted once. */
struct damaged {
	uint64_t hash[256];
	size_t n; /* that there ever were */
};

struct vcenter_intake {
	struct vcenter_intake_options options;
	struct envelope_source source;
	struct envelope envelope;
	struct position *position;
	const struct seen *seen;
	struct vcenter_intake_counts counts;
	struct damaged damaged;
};

struct vcenter_intake *
vcenter_intake_open(const struct vcenter_intake_options *options)
{
	struct vcenter_intake *in = mem_alloc(sizeof(*in));

	in->options = *options;
	in->source = (struct envelope_source){ .vcenter = options->vcenter,
		.prefix = options->prefix,
		.url = options->url,
		.api_version = "",
		.uuid = "" };
	in->position = source_checkpoint_position(options->checkpoint);
	in->seen = source_checkpoint_seen(options->checkpoint);
	envelope_init(&in->envelope, options->event_max);
	return in;
}

void
vcenter_intake_close(struct vcenter_intake *in)
{
	if (in == NULL)
		return;
	envelope_free(&in->envelope);
	free(in);
}

void
vcenter_intake_set_about(struct vcenter_intake *in, const struct vim_about *about)
{
	in->source.api_version = about->api_version;
	in->source.uuid = about->instance_uuid;
}

const struct vcenter_intake_counts *
vcenter_intake_counts(const struct vcenter_intake *in)
{
	return &in->counts;
}

void
vcenter_intake_begin_epoch(struct vcenter_intake *in, int64_t key)
{
	source_checkpoint_begin_epoch(in->options.checkpoint, key);
	in->counts.epochs++;
	vcenter_metrics_epoch();
}

static void
report_out_of_order(
	struct vcenter_intake *in, const struct normalize_event *e, enum position_date date)
{
	vcenter_metrics_out_of_order(date);
	if (date != POSITION_AHEAD)
		return;
	log_warn(
		"event dated ahead of the vCenter's clock: a host's clock is wrong; it is stored",
		L_STR("event", buf_str(&in->envelope.id)), L_STR("name", e->name),
		L_STR("created", e->created));
}

/* False: it cannot be written; the normalizer trims data to what fits, so this is a fault. */
static bool
write_envelope(struct vcenter_intake *in, const struct normalize_event *e)
{
	const char *severity = vcenter_catalogue_severity(in->options.catalogue, e);

	if (!envelope_write(&in->envelope, &in->source, e, severity)) {
		in->counts.rejected++;
		source_checkpoint_add(in->options.checkpoint, e->key, e->created_us);
		log_error("event does not fit a message", L_INT("key", e->key),
			L_STR("name", e->name));
		return false;
	}
	if (e->stub)
		log_error(
			"event too large, also when trimmed: stored with its key and time only",
			L_STR("event", buf_str(&in->envelope.id)),
			L_STR("name", buf_str(&in->envelope.name)));
	return true;
}

static struct publish
message(const struct vcenter_intake *in)
{
	return (struct publish){ .subject = buf_str(&in->envelope.subject),
		.msg_id = buf_str(&in->envelope.msg_id),
		.data = in->envelope.message.data,
		.len = in->envelope.message.len,
		.complete_us = position_complete(in->position) };
}

static int
publish(struct vcenter_intake *in, const struct normalize_event *e, int64_t now_us,
	struct err *err)
{
	static const char *const out_of_order[] = { [POSITION_IN_ORDER] = NULL,
		[POSITION_AHEAD] = "ahead",
		[POSITION_BEHIND] = "behind" };
	enum position_date date = position_date(in->position, e->created_us, now_us);
	struct publish p;

	if (!write_envelope(in, e))
		return 0;
	p = message(in);
	p.key = e->key;
	p.created_us = e->created_us;
	p.again_us = position_again(in->position, e->created_us, date);
	p.out_of_order = out_of_order[date];
	if (publisher_send(in->options.publisher, &p, err) != 0)
		return -1;
	in->counts.sent++;
	source_checkpoint_add(in->options.checkpoint, e->key, e->created_us);
	position_sent(in->position,
		&(struct position_event){ .created_us = e->created_us, .key = e->key }, date,
		now_us);
	if (date != POSITION_IN_ORDER)
		report_out_of_order(in, e, date);
	return 0;
}

static enum source_result
publisher_failed(const struct err *err)
{
	return err->code == ERR_STOPPED ? SOURCE_STOPPED : STREAM_FAILED;
}

/* A record that takes the place of events that are not in the stream. */
static enum source_result
send_gap(struct vcenter_intake *in, int64_t from_us, int64_t to_us, const char *reason,
	struct err *err)
{
	struct publish p;

	vcenter_metrics_gap();
	if (!envelope_write_gap(&in->envelope, &in->source, from_us, to_us, reason))
		return SOURCE_OK;
	p = message(in);
	p.created_us = p.again_us = from_us;
	if (publisher_send(in->options.publisher, &p, err) != 0)
		return publisher_failed(err);
	in->counts.read++; /* it is published like an event: the books count it */
	return SOURCE_OK;
}

static enum source_result
report_skipped(struct vcenter_intake *in, const struct normalize_page *page, struct err *err)
{
	int64_t after_us = page->skipped_after_us, next_us = page->event[0].created_us;
	int64_t from_us = after_us < next_us ? after_us : next_us;
	int64_t to_us = after_us < next_us ? next_us : after_us;
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

	log_error("event skipped: vCenter fails each time that it is read",
		L_STR("from", clock_format(from_us, from)),
		L_STR("to", clock_format(to_us, to)));
	return send_gap(in, from_us, to_us, "vCenter cannot return an event", err);
}

/*
 * Events without a readable key or time cannot be known by them: each is counted when it is
 * read for the first time.
 */
static enum source_result
count_damaged(struct vcenter_intake *in, const struct normalize_page *page, struct err *err)
{
	struct damaged *d = &in->damaged;
	const size_t cap = sizeof(d->hash) / sizeof(d->hash[0]);

	for (size_t i = 0; i < page->n_left_out; i++) {
		size_t kept = d->n < cap ? d->n : cap, k = 0;

		while (k < kept && d->hash[k] != page->left_out[i])
			k++;
		in->counts.read++;
		if (k < kept) {
			in->counts.suppressed++;
			continue;
		}
		d->hash[d->n++ % cap] = page->left_out[i];
		in->counts.rejected++;
		if (page->skipped)
			return report_skipped(in, page, err);
		log_error("event left out: it has no readable key and time",
			L_STR("why", page->why));
	}
	return SOURCE_OK;
}

/* The event is not stored again, or not at all: the stream has it, or is not about it. */
static bool
is_suppressed(struct vcenter_intake *in, const struct normalize_event *e)
{
	if (seen_has(in->seen, e->key, e->created_us)) {
		in->counts.suppressed++;
		return true;
	}
	if (position_is_before_start(in->position,
		    &(struct position_event){ .created_us = e->created_us, .key = e->key })) {
		vcenter_metrics_before_start();
		return true;
	}
	return false;
}

static bool
is_wanted(const struct vcenter_intake *in, int32_t key, const int32_t *after_key)
{
	return after_key == NULL ||
		(position_key_after(key, *after_key) &&
			!position_is_old_key(in->position, key));
}

static int
take_event(struct vcenter_intake *in, const struct normalize_event *e, int64_t now_us,
	struct err *err)
{
	if (seen_reused(in->seen, e->key, e->created_us)) {
		log_error(
			"event keys start over: the vCenter's database was re-created or restored",
			L_INT("last_key", in->position->newest.key), L_INT("key", e->key));
		vcenter_intake_begin_epoch(in, e->key);
	}
	/* parse the next page instead of waiting for acks */
	while (!publisher_room(in->options.publisher) && vim_receive(in->options.vim))
		;
	if (publish(in, e, now_us, err) != 0) {
		in->counts.read--;
		return -1;
	}
	vcenter_metrics_event(e, in->envelope.trimmed);
	return 0;
}

enum source_result
vcenter_intake_page(struct vcenter_intake *in, const struct normalize_page *page,
	const int32_t *after_key, size_t *fresh, struct err *err)
{
	int64_t now_us = vcenter_clock_watch_now(in->options.clock);

	vcenter_metrics_page(page);
	for (size_t i = 0; i < page->n; i++) {
		const struct normalize_event *e = &page->event[i];

		if (!is_wanted(in, e->key, after_key))
			continue;
		in->counts.read++;
		if (is_suppressed(in, e))
			continue;
		if (take_event(in, e, now_us, err) != 0)
			return publisher_failed(err);
		(*fresh)++;
		if (i % 64 == 0)
			status_beat();
	}
	if (page->repaired)
		log_warn("a page was not well formed and was repaired", L_STR("why", page->why),
			L_INT("events", (int64_t)page->n),
			L_INT("left_out", (int64_t)page->n_left_out));
	return count_damaged(in, page, err);
}

enum source_result
vcenter_intake_gap(struct vcenter_intake *in, int64_t from_us, int64_t to_us,
	const char *reason, struct err *err)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

	log_error("events may be missing: the vCenter no longer has what was stored last",
		L_STR("reason", reason), L_STR("from", clock_format(from_us, from)),
		L_STR("to", clock_format(to_us, to)));
	return send_gap(in, from_us, to_us, reason, err);
}
