// SPDX-License-Identifier: Apache-2.0
/*
 * What the stream holds of one source, and from where reading goes on: the set of stored events
 * (seen.h) and the reading position (position.h), both read back from the end of the stream.
 * There is no other record of them, so none can disagree with what was published.
 *
 * One thread. Times ending in _us are the source's, in microseconds since 1970.
 */
#ifndef VCOURIER_SOURCE_CHECKPOINT_H
#define VCOURIER_SOURCE_CHECKPOINT_H

#include "bus.h"
#include "jetstream.h"
#include "position.h"
#include "publisher.h"
#include "seen.h"
#include "stream_tail.h"

struct source_checkpoint;

struct source_checkpoint_options {
	struct bus *bus;
	struct publisher *publisher;        /* is reset to the end of the stream */
	const struct stream_config *stream; /* created when it does not exist */
	int64_t overlap_us, audit_us;       /* see struct position */
	size_t message_min; /* bytes: a stream that takes no such message is refused */
	bool writes_only;   /* the source receives events: nothing of the stream is read back */
};

/* Of whom the events are. */
struct source_identity {
	const char *uuid; /* first part of Nats-Msg-Id; events of others are not in `seen` */
	int64_t now_us;   /* the source's clock: later dates are not believed */
};

struct source_loaded {
	/*
	 * All was read again: at the start, after a long standby, or since the stream lost its
	 * end. Else what others have added since.
	 */
	bool whole;
	struct stream_tail tail; /* when `whole` */
	bool taken_back;         /* events were sent and are not stored: they are read again */
	size_t message_max;      /* bytes that a message may have */
};

/* The options are copied; what they point to is borrowed until close. */
int source_checkpoint_open(struct source_checkpoint **cp,
	const struct source_checkpoint_options *options, struct err *err);
void source_checkpoint_stop(struct source_checkpoint *cp);  /* before bus_close */
void source_checkpoint_close(struct source_checkpoint *cp); /* after bus_close; NULL is fine */

/* Both live as long as the checkpoint. */
struct position *source_checkpoint_position(struct source_checkpoint *cp);
const struct seen *source_checkpoint_seen(const struct source_checkpoint *cp);

/* False: call source_checkpoint_load before the source reads. So after a reconnect to NATS. */
bool source_checkpoint_is_current(const struct source_checkpoint *cp);
void source_checkpoint_invalidate(struct source_checkpoint *cp);

/*
 * Creates the stream, takes back what was not acked, reads the end of the stream and resets the
 * publisher. ERR_FULL: a message of the stream may not have message_min bytes. ERR_TIMEOUT: a
 * leader that was elected a moment ago may not know all that is stored yet.
 */
int source_checkpoint_load(struct source_checkpoint *cp, const struct source_identity *source,
	struct source_loaded *loaded, struct err *err);

/* Asks every 10 s whether the stream has lost its end; then it is no longer current. */
int source_checkpoint_check(struct source_checkpoint *cp, struct err *err);

/*
 * Call before events created since then are read again: `seen` then has what the stream holds
 * of them. INT64_MIN: all of the stream.
 */
int source_checkpoint_know_since(
	struct source_checkpoint *cp, int64_t since_us, int64_t now_us, struct err *err);

void source_checkpoint_add(
	struct source_checkpoint *cp, int64_t key, int64_t created_us); /* it was sent */

/* The source's database is another one: keys start over with this one. */
void source_checkpoint_begin_epoch(struct source_checkpoint *cp, int64_t key);

/* Everything was read without a refusal: the stream's order is the one of dates again. */
void source_checkpoint_caught_up(struct source_checkpoint *cp);

void source_checkpoint_prune(
	struct source_checkpoint *cp); /* forgets what is never read again */

uint64_t source_checkpoint_taken_back(const struct source_checkpoint *cp); /* events, ever */

#endif
