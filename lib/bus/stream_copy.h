// SPDX-License-Identifier: Apache-2.0
/*
 * Copies a whole stream out of JetStream and back: its settings, messages with their sequences,
 * and consumers with their positions. Both need a user of the account that has the streams:
 * the server sends a backup to a subject of that account.
 *
 * https://github.com/nats-io/nats-architecture-and-design, and server/jetstream_api.go of
 * nats-server: streamSnapshot, processStreamRestore. The description and the data are those of
 * `nats stream backup`, so either tool restores what the other has written.
 */
#ifndef VCOURIER_STREAM_COPY_H
#define VCOURIER_STREAM_COPY_H

#include <stddef.h>

#include "buf.h"
#include "bus.h"
#include "err.h"

/* Takes the next bytes of the data. 0, or -1 with err: the backup ends. */
typedef int stream_copy_take(void *ctx, const void *data, size_t len, struct err *err);

/*
 * *description is appended to: the JSON object {"config":..., "state":...}. The server checks
 * all messages first. ERR_NOT_FOUND: there is no such stream. ERR_PROTOCOL: data is missing or
 * the server reports a fault. ERR_TIMEOUT: no data for 30 s, or the connection was lost.
 */
struct stream_copy {
	const char *stream;
	stream_copy_take *take;
	void *ctx;
};
int stream_backup(struct bus *bus, const struct stream_copy *copy, struct buf *description,
	struct err *err);

/* Reads up to size bytes: how many, 0 at the end, -1 with err. */
typedef long stream_copy_give(void *ctx, void *data, size_t size, struct err *err);

struct stream_original {
	const char *stream;
	const char *description; /* as stream_backup has made it */
	size_t len;
	int replicas; /* 0: as many as before */
	stream_copy_give *give;
	void *ctx;
};

/* ERR_CONFLICT: the stream exists; nothing is changed then. *last_seq: of the new stream. */
int stream_restore(struct bus *bus, const struct stream_original *original, uint64_t *last_seq,
	struct err *err);

#endif
