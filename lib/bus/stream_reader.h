// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a part of a stream in order, without acks: an ephemeral pull consumer and its messages.
 * One reader serves any number of reads, one after the other. The caller's thread waits in
 * stream_reader_next.
 */
#ifndef VCOURIER_STREAM_READER_H
#define VCOURIER_STREAM_READER_H

#include "jetstream.h"

struct stream_reader;

int stream_reader_open(struct stream_reader **reader, struct bus *bus, struct err *err);
/*
 * Frees it; after stream_reader_stop and bus_close, because the subscription lives that long.
 * NULL is fine.
 */
void stream_reader_close(struct stream_reader *reader);

/*
 * Begins a read; ends the one before. Only stream, filter_subject, deliver, start_*,
 * headers_only count.
 */
int stream_reader_start(
	struct stream_reader *reader, const struct consumer_config *config, struct err *err);
void stream_reader_stop(struct stream_reader *reader); /* removes the consumer */

/*
 * A reader may be on a replica that is behind its stream, for a moment or for ever, and shows
 * that one's end. 0: by its leader's word the stream had nothing for this read behind seq (0:
 * nothing came) when it began. ERR_TIMEOUT: it had, or the leader itself is behind; start
 * again.
 */
int stream_reader_confirm_end(struct stream_reader *reader, uint64_t seq, struct err *err);

/* How many messages the read will give, as known when it began. */
uint64_t stream_reader_pending(const struct stream_reader *reader);

/*
 * The next message (the caller's) and where it stands. 0: *msg is it, or NULL when nothing came
 * within timeout_ms. d->pending == 0: it is the newest. ERR_NOT_FOUND: the consumer is gone,
 * start again from the sequence you have. ERR_STOPPED: a stop was requested.
 */
int stream_reader_next(struct stream_reader *reader, int64_t timeout_ms, struct bus_msg **msg,
	struct jetstream_meta *d, struct err *err);

#endif
