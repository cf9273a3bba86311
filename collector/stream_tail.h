// SPDX-License-Identifier: Apache-2.0
/*
 * The end of the stream is the checkpoint: which events it holds, read back from the headers
 * Nats-Msg-Id (<instanceUuid>/<key>/<createdTime ms>). There is no other record of the events
 * that were published, so none can disagree.
 */
#ifndef VCOURIER_STREAM_TAIL_H
#define VCOURIER_STREAM_TAIL_H

#include "position.h"
#include "seen.h"
#include "stream_reader.h"

struct stream_tail {
	uint64_t last_seq; /* how far it was read */
	bool held;         /* the stream holds an event of a vCenter */
	bool any;          /* `newest` is set */
	/* largest createdTime not beyond `cap_us`, of the messages in order */
	struct position_event newest;
	bool any_stored;              /* `stored` is set */
	struct position_event stored; /* the same, also beyond cap_us */
	int64_t stored_at_us;         /* NATS's clock: when the last event was stored */
	/*
	 * largest createdTime less NATS's time of the last messages in order; far below 0: none
	 */
	int64_t ahead_us;
	uint64_t writer_seq; /* the newest message of a collector's; */
	/*
	 * its HEADER_COMPLETE_BEFORE: events created since may be missing; INT64_MAX: none
	 * is
	 */
	int64_t complete_us;
	/* every event created since is in `seen`; INT64_MIN: the whole stream */
	int64_t since_us;
	uint64_t first_seq;          /* of the oldest event that was read, and */
	struct position_event first; /* what that is */
	char uuid[64]; /* instanceUuid of the newest event, whichever vCenter's it is */
	uint64_t read; /* messages looked at */
};

struct stream_tail_query {
	struct stream_reader *reader;
	const char *stream;
	/* this vCenter's instanceUuid: other vCenters' events are not added to `seen` */
	const char *uuid;
	int64_t cap_us; /* times beyond are a clock that was wrong */
	/* messages to read back, however old they are, when the stream has so many */
	uint64_t at_least;
	struct seen *seen; /* the events of `uuid` are added to it */
};

/*
 * Adds the events with sequences in [from, to] to seen and to *tail. -1 unless all of them were
 * read: a replica that lags behind the stream's leader may report an end that is too early.
 */
int stream_tail_load_range(const struct stream_tail_query *q, uint64_t from, uint64_t to,
	struct stream_tail *tail, struct err *err);

/* How far to read back. */
struct stream_tail_reach {
	/* before the newest event, or before complete_us if that is earlier */
	int64_t span_us;
	int64_t since_us; /* at least until then; INT64_MAX: span_us decides alone */
};

/*
 * Reads back from last_seq until everything created within `reach` is in seen. *tail is
 * overwritten.
 */
int stream_tail_load(const struct stream_tail_query *q, const struct stream_info *info,
	const struct stream_tail_reach *reach, struct stream_tail *tail, struct err *err);

void stream_tail_init(struct stream_tail *tail);

/* Parses "<uuid>/<key>/<ms>"; false: another id (of another program, or of a gap record). */
bool stream_tail_parse_id(const char *msg_id, char uuid[64], int64_t *key, int64_t *created_us);

#endif
