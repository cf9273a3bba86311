// SPDX-License-Identifier: Apache-2.0
/*
 * The delivery checkpoint of one stream: up to where all events are settled, and when the
 * stream stored the last of them. Kept in a bucket on the bus, for this reason: after a power
 * cut, or when a backup was restored, a stream may end earlier than the position of its
 * consumer, or may have grown again with other events. The server then never delivers what is
 * stored below that position (nats-server issue 5412). A sequence can be used again, its time
 * cannot: when the stream has another event at the checkpoint, the consumer must be recreated.
 *
 * Only the watch thread uses this; most calls wait for the server.
 */
#ifndef VCOURIER_CHECKPOINT_H
#define VCOURIER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "jetstream.h"

struct checkpoint;

struct checkpoint_config { /* all borrowed */
	struct bus *bus;
	const char *stream, *durable;
};

struct checkpoint *checkpoint_open(const struct checkpoint_config *config);
void checkpoint_close(struct checkpoint *checkpoint); /* NULL is fine */

/* All events up to here are settled. */
struct stream_position {
	uint64_t seq; /* 0: no event is */
	/* when the stream stored that message; earlier when it had left the stream already */
	int64_t stored_us;
};

enum checkpoint_verdict {
	CHECKPOINT_VALID,    /* the consumer's position is one in this stream */
	CHECKPOINT_INVALID,  /* it is not: recreate the consumer */
	CHECKPOINT_REPLACED, /* it was not, and another dispatcher has recreated the consumer */
};

struct checkpoint_finding {
	enum checkpoint_verdict verdict;
	struct stream_position
		position; /* CHECKPOINT_INVALID: where to start again, after it */
};

/*
 * Compares stream and consumer with the checkpoint; *stream is read again when it is older than
 * *info. ERR_TIMEOUT: no answer, or a finding that is not certain yet; call again later.
 */
int checkpoint_check(struct checkpoint *checkpoint, struct stream_info *stream,
	const struct consumer_info *info, struct checkpoint_finding *finding, struct err *err);
/* Fills in where a new consumer begins, so that it misses nothing stored after position. */
int checkpoint_start_after(struct checkpoint *checkpoint,
	const struct stream_position *position, struct consumer_config *consumer,
	struct err *err);
/* The consumer was recreated to begin after position. */
void checkpoint_recreated(
	struct checkpoint *checkpoint, const struct stream_position *position);

/* After a check: stores the consumer's ack floor as the new checkpoint. Failure is logged. */
void checkpoint_store(struct checkpoint *checkpoint, const struct consumer_info *info);
void checkpoint_forget(struct checkpoint *checkpoint); /* the stream was recreated */

/* ---- the decision; pure */

struct checkpoint_facts {
	struct stream_position checkpoint;
	/* when the stream stored its message at checkpoint.seq; 0: it has none there */
	int64_t found_us;
	uint64_t stream_last, delivered; /* last sequence of the stream, of the consumer */
	/*
	 * The bucket was read: once for each connection, because the server may have been
	 * restarted. written_us: when the checkpoint was last written, by the server's clock;
	 * 0: the bucket has none.
	 */
	bool bucket_read;
	int64_t written_us;
	bool was_stored;      /* this process has stored one */
	int64_t delivered_us; /* when the stream stored the message at delivered; 0: unknown */
	bool consumer_is_other; /* it was created after the last check, not by this process */
};

enum checkpoint_verdict checkpoint_decide(const struct checkpoint_facts *facts);

#endif
