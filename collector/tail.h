// SPDX-License-Identifier: Apache-2.0
/*
 * The stream's own tail is the checkpoint: which events it holds, read back from the
 * Nats-Msg-Id headers (<instanceUuid>/<key>/<createdTime ms>). No other record can disagree
 * with what was published.
 */
#ifndef VCOURIER_TAIL_H
#define VCOURIER_TAIL_H

#include "position.h"
#include "seen.h"
#include "stream_reader.h"

struct tail {
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

struct tail_query {
	struct stream_reader *reader;
	const char *stream;
	/* this vCenter's instanceUuid: other vCenters' events are not added to `seen` */
	const char *uuid;
	int64_t cap_us; /* times beyond are a clock that was wrong */
	/* messages to read back, however old they are, when the stream has so many */
	uint64_t at_least;
};

/*
 * Adds the events with sequences in [from, to] to seen and to *tail. All of them, or -1: a
 * replica that is behind the stream's leader may be the one that answers, and is then not taken
 * for the stream.
 */
int tail_load_range(const struct tail_query *q, uint64_t from, uint64_t to, struct seen *seen,
	struct tail *tail, struct err *err);

/*
 * Reads back from last_seq until everything created since `span_us` before the newest event, or
 * before complete_us, is in seen, or everything since since_us when that is earlier (INT64_MAX:
 * no such wish). *tail is set anew.
 */
int tail_load(const struct tail_query *q, const struct stream_info *info, int64_t span_us,
	int64_t since_us, struct seen *seen, struct tail *tail, struct err *err);

void tail_init(struct tail *tail);

/* "<uuid>/<key>/<ms>" apart; false when it is none (somebody else's message, a gap record). */
bool tail_parse_id(const char *msg_id, char uuid[64], int32_t *key, int64_t *created_us);

#endif
