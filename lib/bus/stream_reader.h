// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a part of a stream in order, without acks: an ephemeral pull consumer and its messages.
 * One reader serves any number of reads, one after the other. stream_reader_next blocks the
 * calling thread.
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
 * Begins a read; ends the previous one. Only stream, filter_subject, deliver, start_* and
 * headers_only of config are used.
 */
int stream_reader_start(
	struct stream_reader *reader, const struct consumer_config *config, struct err *err);
void stream_reader_stop(struct stream_reader *reader); /* removes the consumer */
/*
 * Begins a read after the message seq, or as many messages before the newest one when it is
 * further back than that (at_most; 0: no limit). A stream that ends before seq was created
 * again: then with its first message. `deliver` and `start_*` of config are not used.
 */
int stream_reader_resume(struct stream_reader *reader, const struct consumer_config *config,
	uint64_t seq, uint64_t at_most, struct err *err);

/*
 * true: messages are requested every 40 ms, and those that came since then arrive together.
 * false, as at the start: a pull stays open, and each message arrives when it is stored, which
 * wakes the server and this process each time. Call it between two of stream_reader_next.
 */
void stream_reader_in_groups(struct stream_reader *reader, bool in_groups);

/*
 * A reader may read from a replica that lags behind its stream and so ends too early. 0: when
 * the read began, the stream's leader had nothing for it after seq (0: nothing was received).
 * ERR_TIMEOUT: it had, or the leader itself lags; start again.
 */
int stream_reader_confirm_end(struct stream_reader *reader, uint64_t seq, struct err *err);

/* How many messages the read will deliver, as known when it began. */
uint64_t stream_reader_pending(const struct stream_reader *reader);

/*
 * The next message (the caller's) and its position. 0: *msg is the message, or NULL when none
 * arrived within timeout_ms. d->pending == 0: it is the newest. ERR_NOT_FOUND: the consumer is
 * gone; resume after the last sequence received. ERR_STOPPED: a stop was requested.
 */
int stream_reader_next(struct stream_reader *reader, int64_t timeout_ms, struct bus_msg **msg,
	struct jetstream_meta *d, struct err *err);

#endif
