// SPDX-License-Identifier: Apache-2.0
#include "source_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint_bucket.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "message_limit.h"
#include "stream_length.h"

enum {
	CATCH_UP_MAX = 64000, /* messages of others to read one by one; beyond, as at start */
	CHECK_EVERY_MS = 10 * 1000,
	READ_BACK_MIN = 64000, /* after a refused duplicate: so many messages, each time more */
	READ_BACK_FACTOR = 8,
};

static const uint64_t NOT_CURRENT = UINT64_MAX;

struct source_checkpoint {
	struct source_checkpoint_options options;
	struct stream_reader *reader;
	struct seen seen;
	struct position position;
	/* every stored event created since is in `seen`; INT64_MIN: all */
	int64_t known_us;
	bool loaded; /* seen, position and publisher agreed with the stream once */
	struct stream_length length;
	uint64_t known_seq;  /* the publisher's last one, from before the stream was checked */
	uint64_t reconnects; /* to NATS, when the stream was loaded; or NOT_CURRENT */
	/* messages to read back at least, since the stream refused duplicates */
	uint64_t read_back;
	int64_t checked_ms; /* monotonic */
	uint64_t taken_back;
	bool bucket_refused; /* this user may not create the bucket of checkpoints */
	char uuid[64];
};

int
source_checkpoint_open(struct source_checkpoint **out,
	const struct source_checkpoint_options *options, struct err *err)
{
	struct source_checkpoint *cp = mem_alloc(sizeof(*cp));

	cp->options = *options;
	cp->known_us = INT64_MAX;
	cp->reconnects = NOT_CURRENT;
	seen_init(&cp->seen);
	position_init(&cp->position, options->overlap_us, options->audit_us);
	if (stream_reader_open(&cp->reader, options->bus, err) != 0) {
		source_checkpoint_close(cp);
		return -1;
	}
	*out = cp;
	return 0;
}

void
source_checkpoint_stop(struct source_checkpoint *cp)
{
	stream_reader_stop(cp->reader);
}

void
source_checkpoint_close(struct source_checkpoint *cp)
{
	if (cp == NULL)
		return;
	stream_reader_close(cp->reader);
	seen_free(&cp->seen);
	free(cp);
}

struct position *
source_checkpoint_position(struct source_checkpoint *cp)
{
	return &cp->position;
}

const struct seen *
source_checkpoint_seen(const struct source_checkpoint *cp)
{
	return &cp->seen;
}

bool
source_checkpoint_is_current(const struct source_checkpoint *cp)
{
	return cp->reconnects == bus_reconnects(cp->options.bus);
}

void
source_checkpoint_invalidate(struct source_checkpoint *cp)
{
	cp->reconnects = NOT_CURRENT;
}

uint64_t
source_checkpoint_taken_back(const struct source_checkpoint *cp)
{
	return cp->taken_back;
}

static void
take_back(void *ctx, const struct publisher_unacked *event)
{
	struct source_checkpoint *cp = ctx;

	seen_remove(&cp->seen, event->key, event->created_us);
	position_take_back(&cp->position, event->again_us);
	cp->taken_back++;
}

static struct stream_tail_query
query(struct source_checkpoint *cp, int64_t now_us)
{
	return (struct stream_tail_query){ .reader = cp->reader,
		.seen = &cp->seen,
		.stream = cp->options.stream->name,
		.uuid = cp->uuid,
		.at_least = cp->read_back,
		.cap_us = now_us + POSITION_TOLERANCE_US };
}

static void
adopt(struct source_checkpoint *cp, const struct stream_tail *tail)
{
	position_adopt(&cp->position, tail->any ? &tail->newest : NULL,
		tail->any_stored ? &tail->stored : NULL, tail->complete_us);
}

static void
report_loaded(const struct source_checkpoint *cp, const struct stream_info *info,
	const struct stream_tail *tail)
{
	const struct position *p = &cp->position;
	const char *stream = cp->options.stream->name;
	char text[CLOCK_TEXT_SIZE];

	if (!p->any) {
		log_info("the stream holds no event of this source", L_STR("stream", stream),
			L_INT("messages", (int64_t)info->messages));
		return;
	}
	log_info("resuming from the stream", L_STR("stream", stream),
		L_INT("sequence", (int64_t)info->last_seq), L_INT("key", p->newest.key),
		L_STR("time", clock_format(p->newest.created_us, text)),
		L_INT("identities", (int64_t)cp->seen.events.n));
	if (tail->complete_us != INT64_MAX)
		log_info(
			"its newest message was sent while others waited for their acks: reading those again",
			L_STR("from", clock_format(tail->complete_us, text)));
}

/* Reads everything again: at start, and when the stream is not the one that was known. */
static int
load_all(struct source_checkpoint *cp, const struct stream_info *info, int64_t now_us,
	struct stream_tail *tail, struct err *err)
{
	const struct position *p = &cp->position;
	const struct stream_tail_reach reach = { p->overlap_us + p->audit_us, INT64_MAX };
	const struct stream_tail_query q = query(cp, now_us);

	seen_free(&cp->seen);
	position_forget(&cp->position);
	if (stream_tail_load(&q, info, &reach, tail, err) != 0)
		return -1;
	cp->known_us = tail->since_us;
	adopt(cp, tail);
	if (tail->first_seq != UINT64_MAX)
		position_set_first(&cp->position, &tail->first);
	stream_length_set(&cp->length, info);
	publisher_reset(cp->options.publisher, info->last_seq);
	report_loaded(cp, info, tail);
	return 0;
}

/* Reads the end of the stream once more, back to since_us. */
static int
load_since(struct source_checkpoint *cp, const struct stream_info *info, int64_t since_us,
	int64_t now_us, struct err *err)
{
	const struct stream_tail_reach reach = { 0, since_us };
	const struct stream_tail_query q = query(cp, now_us);
	struct stream_tail tail;

	if (stream_tail_load(&q, info, &reach, &tail, err) != 0)
		return -1;
	if (tail.since_us < cp->known_us)
		cp->known_us = tail.since_us;
	if (tail.first_seq != UINT64_MAX && cp->position.has_first)
		position_set_first(&cp->position, &tail.first);
	return 0;
}

int
source_checkpoint_know_since(
	struct source_checkpoint *cp, int64_t since_us, int64_t now_us, struct err *err)
{
	struct stream_info info;
	int64_t span_us;

	if (since_us >= cp->known_us)
		return 0;
	if (cp->position.any && since_us != INT64_MIN) {
		/* twice as far each time: many steps back cost no more than one */
		span_us = cp->position.newest.created_us - cp->known_us;
		if (span_us > 0 && cp->known_us - span_us < since_us)
			since_us = cp->known_us - span_us;
	}
	if (jetstream_stream_look(cp->options.bus, cp->options.stream->name, &info, err) != 0)
		return -1;
	return load_since(cp, &info, since_us, now_us, err);
}

static void
report_settings(const struct source_checkpoint *cp, const struct stream_info *info)
{
	bool reported = cp->length.known && cp->length.created_us == info->created_us;

	if (!reported && *info->differs)
		log_warn("the stream has other settings than configured; they stay as they are",
			L_STR("stream", cp->options.stream->name),
			L_STR("differs", info->differs));
}

/* Reads what others have added to the stream that was known up to sequence `known`. */
static int
load_rest(struct source_checkpoint *cp, uint64_t known, const struct stream_info *info,
	int64_t now_us, struct err *err)
{
	const struct stream_tail_query q = query(cp, now_us);
	struct stream_tail tail;

	stream_tail_init(&tail);
	if (stream_tail_load_range(&q, known + 1, info->last_seq, &tail, err) != 0)
		return -1;
	adopt(cp, &tail);
	publisher_reset(cp->options.publisher, info->last_seq);
	return 0;
}

/*
 * The stream refused an event that it has: its order is not the one of dates, and more such
 * events may come. Reads further and further back, so that all refusals together cost no more
 * than the last reading.
 */
static int
load_refused(struct source_checkpoint *cp, const struct stream_info *info, int64_t now_us,
	struct err *err)
{
	const struct position *p = &cp->position;

	cp->read_back = cp->read_back == 0 ? READ_BACK_MIN : cp->read_back * READ_BACK_FACTOR;
	log_warn("the stream has an event that its tail did not show: reading it further back",
		L_INT("messages", (int64_t)cp->read_back));
	if (load_since(cp, info, p->any ? position_resume(p) : INT64_MIN, now_us, err) != 0)
		return -1;
	publisher_reset(cp->options.publisher, info->last_seq);
	return 0;
}

int
source_checkpoint_check(struct source_checkpoint *cp, struct err *err)
{
	uint64_t known = publisher_last_seq(cp->options.publisher);
	int64_t now_ms = clock_monotonic_ms();
	struct stream_info info;

	if (now_ms - cp->checked_ms < CHECK_EVERY_MS)
		return 0;
	cp->checked_ms = now_ms;
	if (jetstream_stream_look(cp->options.bus, cp->options.stream->name, &info, err) != 0)
		return -1;
	if (stream_length_check(&cp->length, known, &info, bus_reconnects(cp->options.bus),
		    err) != STREAM_LENGTH_OK)
		source_checkpoint_invalidate(cp);
	return 0;
}

static void
forget(void *ctx, const struct publisher_unacked *event)
{
	(void)ctx;
	(void)event;
}

/* Nothing is read back: who sent the events sends them again. */
static void
load_nothing(struct source_checkpoint *cp, const struct stream_info *info,
	struct source_loaded *loaded)
{
	publisher_take_unacked(cp->options.publisher, forget, NULL);
	loaded->whole = !cp->loaded;
	stream_length_set(&cp->length, info);
	publisher_reset(cp->options.publisher, info->last_seq);
}

/* The three ways to read the stream again. */
static int
load(struct source_checkpoint *cp, const struct stream_info *info, int64_t now_us,
	struct source_loaded *loaded, struct err *err)
{
	bool refused = publisher_refused_duplicate(cp->options.publisher);
	enum stream_length_state length;
	uint64_t before = cp->taken_back, known = cp->known_seq;

	publisher_take_unacked(cp->options.publisher, take_back, cp);
	loaded->taken_back = cp->taken_back != before;
	length = stream_length_check(
		&cp->length, known, info, bus_reconnects(cp->options.bus), err);
	if (length == STREAM_LENGTH_UNSTEADY)
		return -1;
	loaded->whole = !cp->loaded || length == STREAM_LENGTH_LOST ||
		info->last_seq - known > CATCH_UP_MAX;
	if (!loaded->whole)
		return refused ? load_refused(cp, info, now_us, err)
			       : load_rest(cp, known, info, now_us, err);
	if (length == STREAM_LENGTH_LOST)
		log_error("the stream was changed: reading the missing span again",
			L_INT("known_sequence", (int64_t)known),
			L_INT("sequence", (int64_t)info->last_seq));
	if (load_all(cp, info, now_us, &loaded->tail, err) != 0)
		return -1;
	if (length == STREAM_LENGTH_LOST && !cp->position.any)
		position_reopen_at_start(&cp->position);
	return 0;
}

int
source_checkpoint_load(struct source_checkpoint *cp, const struct source_identity *source,
	struct source_loaded *loaded, struct err *err)
{
	uint64_t reconnects = bus_reconnects(cp->options.bus);
	struct stream_info info;

	cp->known_seq = publisher_last_seq(cp->options.publisher);
	*loaded = (struct source_loaded){ .whole = false };
	snprintf(cp->uuid, sizeof(cp->uuid), "%s", source->uuid);
	if (jetstream_stream_ensure(cp->options.bus, cp->options.stream, &info, err) != 0 ||
		message_limit_find(cp->options.bus, &info, cp->options.message_min,
			&loaded->message_max, err) != 0)
		return -1;
	report_settings(cp, &info);
	cp->bucket_refused = cp->bucket_refused ||
		checkpoint_bucket_ensure(cp->options.bus, cp->options.stream->replicas);
	if (cp->options.writes_only)
		load_nothing(cp, &info, loaded);
	else if (load(cp, &info, source->now_us, loaded, err) != 0)
		return -1;
	cp->loaded = true;
	cp->reconnects = reconnects;
	return 0;
}

void
source_checkpoint_add(struct source_checkpoint *cp, int64_t key, int64_t created_us)
{
	seen_add(&cp->seen, key, created_us);
}

void
source_checkpoint_begin_epoch(struct source_checkpoint *cp, int64_t key)
{
	cp->seen.epoch++;
	position_begin_epoch(&cp->position, key);
}

void
source_checkpoint_caught_up(struct source_checkpoint *cp)
{
	cp->read_back = 0;
}

void
source_checkpoint_prune(struct source_checkpoint *cp)
{
	const struct position *p = &cp->position;
	int64_t until_us, in_flight_us;

	if (!seen_is_large(&cp->seen))
		return;
	until_us = position_oldest_needed(p);
	if (until_us == INT64_MIN)
		return;
	in_flight_us = publisher_oldest_us(cp->options.publisher);
	if (in_flight_us != INT64_MAX && in_flight_us - p->overlap_us - p->audit_us < until_us)
		until_us = in_flight_us - p->overlap_us - p->audit_us;
	seen_prune(&cp->seen, until_us, p->newest.key);
	if (until_us > cp->known_us)
		cp->known_us = until_us;
}
