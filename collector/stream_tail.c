// SPDX-License-Identifier: Apache-2.0
#include "stream_tail.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "protocol.h"
#include "publisher.h"
#include "text.h"

enum {
	CHUNK_FIRST = 2000, /* messages read back at first; doubled each time */
	CHUNK_MAX = 64000,
	MESSAGE_TIMEOUT_MS = 10000,
	/* messages that tell what the vCenter's clock showed when they were stored */
	NEWEST = 32,
};

bool
stream_tail_parse_id(const char *msg_id, char uuid[64], int64_t *key, int64_t *created_us)
{
	const char *first = strchr(msg_id, '/'),
		   *second = first ? strchr(first + 1, '/') : NULL;
	char number[TEXT_INT_SIZE];
	int64_t k, ms;

	if (second == NULL || first == msg_id || first - msg_id >= 64 ||
		second - first > TEXT_INT_SIZE)
		return false;
	memcpy(number, first + 1, (size_t)(second - first - 1));
	number[second - first - 1] = '\0';
	if (!text_int(number, INT64_MIN, INT64_MAX, &k) ||
		!text_int(second + 1, -INT64_C(62135596800000), INT64_C(253402300800000), &ms))
		return false;
	memcpy(uuid, msg_id, (size_t)(first - msg_id));
	uuid[first - msg_id] = '\0';
	*key = k;
	*created_us = ms * 1000;
	return true;
}

/* The sequences of one chunk, and what it holds. */
struct span {
	uint64_t from, to;
	int64_t newest_us; /* of the messages in order; INT64_MIN: nothing */
};

/* The newest message that a collector wrote says whether those before it are complete. */
static void
take_complete(const struct bus_msg *msg, uint64_t seq, struct stream_tail *tail)
{
	const char *text = bus_msg_header(msg, HEADER_COMPLETE_BEFORE);
	int64_t us;

	if (seq < tail->writer_seq || bus_msg_header(msg, HEADER_EXPECTED_LAST_SEQ) == NULL)
		return; /* not written by a collector: it has no fence */
	tail->writer_seq = seq;
	tail->complete_us = INT64_MAX;
	if (text != NULL && clock_parse(text, strlen(text), &us))
		tail->complete_us = us > 0 ? us : INT64_MIN;
}

/* A message in order moves the position. */
static void
take_position(const struct stream_tail_query *q, const struct position_event *e,
	const struct jetstream_meta *d, const char *uuid, struct stream_tail *tail)
{
	if (d->stream_seq + NEWEST > tail->last_seq &&
		e->created_us - d->time_us > tail->ahead_us)
		tail->ahead_us = e->created_us - d->time_us;
	if (!tail->any_stored || e->created_us > tail->stored.created_us) {
		tail->any_stored = true;
		tail->stored = *e;
	}
	if (e->created_us > q->cap_us || (tail->any && e->created_us < tail->newest.created_us))
		return;
	tail->any = true;
	tail->newest = *e;
	snprintf(tail->uuid, sizeof(tail->uuid), "%s", uuid);
}

static void
take(const struct stream_tail_query *q, const struct bus_msg *msg,
	const struct jetstream_meta *d, struct stream_tail *tail, struct span *span)
{
	const char *id = bus_msg_header(msg, HEADER_MSG_ID);
	struct position_event e;
	char uuid[64];

	take_complete(msg, d->stream_seq, tail);
	if (id == NULL || !stream_tail_parse_id(id, uuid, &e.key, &e.created_us))
		return;
	if (strcmp(uuid, q->uuid) == 0)
		seen_add(q->seen, e.key, e.created_us);
	if (!tail->held || d->time_us > tail->stored_at_us)
		tail->stored_at_us = d->time_us;
	tail->held = true;
	if (bus_msg_header(msg, HEADER_OUT_OF_ORDER) != NULL)
		return;
	if (d->stream_seq < tail->first_seq) {
		tail->first_seq = d->stream_seq;
		tail->first = e;
	}
	take_position(q, &e, d, uuid, tail);
	if (e.created_us <= q->cap_us && e.created_us > span->newest_us)
		span->newest_us = e.created_us;
}

static int
load(const struct stream_tail_query *q, struct span *span, struct stream_tail *tail,
	struct err *err)
{
	struct consumer_config config = { .stream = q->stream,
		.deliver = DELIVER_FROM_SEQ,
		.start_seq = span->from,
		.headers_only = true };
	struct jetstream_meta d = { .stream_seq = span->from - 1 };
	int failed = 0;

	span->newest_us = INT64_MIN;
	if (span->from > span->to)
		return 0;
	if (stream_reader_start(q->reader, &config, err) != 0)
		return err_wrap(err, "read back %s", q->stream);
	if (stream_reader_pending(q->reader) != 0) {
		do {
			struct bus_msg *msg;

			failed = stream_reader_next(
				q->reader, MESSAGE_TIMEOUT_MS, &msg, &d, err);
			if (failed == 0 && msg == NULL)
				failed = err_set(err, ERR_TIMEOUT, "no message within 10 s");
			if (failed == 0) {
				take(q, msg, &d, tail, span);
				tail->read++;
				bus_msg_free(msg);
			}
		} while (failed == 0 && d.stream_seq < span->to && d.pending != 0);
	}
	if (failed == 0 && d.stream_seq < span->to)
		failed = stream_reader_confirm_end(q->reader, d.stream_seq, err);
	stream_reader_stop(q->reader);
	if (failed)
		return err_wrap(err, "read back %s", q->stream);
	if (span->to > tail->last_seq)
		tail->last_seq = span->to;
	return 0;
}

int
stream_tail_load_range(const struct stream_tail_query *q, uint64_t from, uint64_t to,
	struct stream_tail *tail, struct err *err)
{
	struct span span = { .from = from, .to = to };

	return load(q, &span, tail, err);
}

void
stream_tail_init(struct stream_tail *tail)
{
	*tail = (struct stream_tail){ .complete_us = INT64_MAX,
		.ahead_us = INT64_MIN / 2,
		.since_us = INT64_MIN,
		.first_seq = UINT64_MAX };
}

static int64_t
less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
stream_tail_load(const struct stream_tail_query *q, const struct stream_info *info,
	const struct stream_tail_reach *reach, struct stream_tail *tail, struct err *err)
{
	uint64_t to = info->last_seq, size = CHUNK_FIRST;

	stream_tail_init(tail);
	tail->last_seq = info->last_seq;
	while (to != 0 && to >= info->first_seq) {
		struct span span = { .from = to >= size ? to - size + 1 : 1, .to = to };
		int64_t needed;

		if (span.from < info->first_seq)
			span.from = info->first_seq;
		if (load(q, &span, tail, err) != 0)
			return -1;
		needed = tail->any ? less(tail->newest.created_us, tail->complete_us)
				   : INT64_MIN;
		needed = less(needed == INT64_MIN ? needed : needed - reach->span_us,
			reach->since_us);
		to = span.from - 1;
		/*
		 * a whole chunk from before that time: order in the stream is near enough to
		 * order in time
		 */
		if (tail->any && span.newest_us != INT64_MIN && span.newest_us < needed &&
			info->last_seq - to >= q->at_least) {
			tail->since_us = needed;
			return 0;
		}
		size = size * 2 < CHUNK_MAX ? size * 2 : CHUNK_MAX;
	}
	return 0; /* the whole stream */
}
