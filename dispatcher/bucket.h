// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of dispatchers in the bucket of the checkpoints (protocol.h), which a collector
 * creates. All calls wait for the server.
 */
#ifndef VCOURIER_BUCKET_H
#define VCOURIER_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "err.h"
#include "jetstream.h"

/* key: after the prefix of the bucket. *msg is the caller's (jetstream_msg_free). */
int bucket_get(struct bus *bus, const char *key, struct stream_msg *msg, struct err *err);
/* Returns once the bucket has stored it. */
int bucket_put(
	struct bus *bus, const char *key, const void *value, size_t len, struct err *err);
/*
 * Whether NATS refused the last call because the user's permissions are older than the bucket.
 * The call itself has then failed with ERR_TIMEOUT.
 */
bool bucket_is_forbidden(struct bus *bus);

/* A value that cannot be stored. Zero it to begin, and after a success. */
struct bucket_failure {
	bool logged;
	int64_t since_ms, due_ms; /* when it began; not to be tried before */
};

/*
 * bucket_put has failed with this code. True, once: it is to be logged. A bucket that does not
 * exist yet is not logged in the first 15 s, because the collector may start later.
 */
bool bucket_failed(
	struct bucket_failure *failure, struct bus *bus, enum err_code code, int64_t now_ms);

#endif
