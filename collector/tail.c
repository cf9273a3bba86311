// SPDX-License-Identifier: Apache-2.0
#include "tail.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "publisher.h"
#include "text.h"

enum {
	CHUNK_FIRST = 2000, /* messages read back at first; doubled each time */
	CHUNK_MAX = 64000,
	MESSAGE_TIMEOUT_MS = 10000,
};

bool
tail_parse_id(const char *msg_id, char uuid[64], int32_t *key, int64_t *created_us)
{
	const char *first = strchr(msg_id, '/'), *second = first ? strchr(first + 1, '/') : NULL;
	char number[16];
	int64_t k, ms;

	if (second == NULL || first == msg_id || first - msg_id >= 64 || second - first > 15)
		return false;
	memcpy(number, first + 1, (size_t)(second - first - 1));
	number[second - first - 1] = '\0';
	if (!text_int(number, INT32_MIN, INT32_MAX, &k) ||
		!text_int(second + 1, -INT64_C(62135596800000), INT64_C(253402300800000), &ms))
		return false;
	memcpy(uuid, msg_id, (size_t)(first - msg_id));
	uuid[first - msg_id] = '\0';
	*key = (int32_t)k;
	*created_us = ms * 1000;
	return true;
}

/* What one chunk held. */
struct span {
	int64_t newest_us; /* INT64_MIN: nothing */
};

/* What the newest message of a collector's says of those before it. */
static void
take_complete(const struct bus_msg *msg, uint64_t seq, struct tail *tail)
{
	const char *text = bus_msg_header(msg, PUBLISHER_COMPLETE_BEFORE);
	int64_t us;

	if (seq < tail->writer_seq || bus_msg_header(msg, "Nats-Expected-Last-Sequence") == NULL)
		return; /* without a fence it is nobody's who reads a vCenter */
	tail->writer_seq = seq;
	tail->complete_us = INT64_MAX;
	if (text != NULL && clock_parse(text, strlen(text), &us))
		tail->complete_us = us > 0 ? us : INT64_MIN;
}

static void
take(const struct tail_query *q, const struct bus_msg *msg, uint64_t seq, struct seen *seen, struct tail *tail,
	struct span *span)
{
	const char *id = bus_msg_header(msg, "Nats-Msg-Id");
	char uuid[64];
	int64_t created;
	int32_t key;

	take_complete(msg, seq, tail);
	if (id == NULL || !tail_parse_id(id, uuid, &key, &created))
		return;
	if (strcmp(uuid, q->uuid) == 0)
		seen_add(seen, key, created);
	if (created > q->cap_us)
		return;
	if (created > span->newest_us)
		span->newest_us = created;
	if (!tail->any || created >= tail->newest_us) {
		tail->any = true;
		tail->newest_us = created;
		tail->newest_key = key;
		memcpy(tail->uuid, uuid, sizeof(uuid));
	}
}

static int
load(const struct tail_query *q, uint64_t from, uint64_t to, struct seen *seen, struct tail *tail,
	struct span *span, struct err *err)
{
	struct consumer_config config = { .stream = q->stream, .deliver = DELIVER_FROM_SEQ, .start_seq = from,
		.headers_only = true };
	struct delivery d = { .stream_seq = from - 1 };
	int failed = 0;

	span->newest_us = INT64_MIN;
	if (from > to)
		return 0;
	if (stream_reader_start(q->reader, &config, err) != 0)
		return err_wrap(err, "read back %s", q->stream);
	if (stream_reader_pending(q->reader) != 0) {
		do {
			struct bus_msg *msg;

			failed = stream_reader_next(q->reader, MESSAGE_TIMEOUT_MS, &msg, &d, err);
			if (failed == 0 && msg == NULL)
				failed = err_set(err, ERR_TIMEOUT, "no message within 10 s");
			if (failed == 0) {
				take(q, msg, d.stream_seq, seen, tail, span);
				tail->read++;
				bus_msg_free(msg);
			}
		} while (failed == 0 && d.stream_seq < to && d.pending != 0);
	}
	if (failed == 0 && d.stream_seq < to)
		failed = stream_reader_confirm_end(q->reader, d.stream_seq, err);
	stream_reader_stop(q->reader);
	if (failed)
		return err_wrap(err, "read back %s", q->stream);
	if (to > tail->last_seq)
		tail->last_seq = to;
	return 0;
}

int
tail_load_range(const struct tail_query *q, uint64_t from, uint64_t to, struct seen *seen, struct tail *tail,
	struct err *err)
{
	struct span span;

	return load(q, from, to, seen, tail, &span, err);
}

static int64_t
less(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
tail_load(const struct tail_query *q, const struct stream_info *info, int64_t span_us, int64_t since_us,
	struct seen *seen, struct tail *tail, struct err *err)
{
	uint64_t to = info->last_seq, size = CHUNK_FIRST;

	*tail = (struct tail){ .last_seq = info->last_seq, .complete_us = INT64_MAX };
	while (to != 0 && to >= info->first_seq) {
		uint64_t from = to >= size ? to - size + 1 : 1;
		int64_t needed;
		struct span span;

		if (from < info->first_seq)
			from = info->first_seq;
		if (load(q, from, to, seen, tail, &span, err) != 0)
			return -1;
		needed = tail->any ? less(tail->newest_us, tail->complete_us) : INT64_MIN;
		needed = less(needed == INT64_MIN ? needed : needed - span_us, since_us);
		/* a whole chunk from before that time: order in the stream is near enough to order in time */
		if (tail->any && span.newest_us < needed)
			break;
		to = from - 1;
		size = size * 2 < CHUNK_MAX ? size * 2 : CHUNK_MAX;
	}
	return 0;
}
