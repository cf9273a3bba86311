// SPDX-License-Identifier: Apache-2.0
#include "kv_bucket.h"

/* ADR-8: the window for duplicates is this long, and no longer than the TTL. */
enum { DUPLICATE_WINDOW_MS = 2 * 60 * 1000 };

int
kv_bucket_ensure(struct bus *bus, const struct kv_bucket *bucket, struct stream_info *info,
	struct err *err)
{
	struct stream_config config = { .name = bucket->stream,
		.subjects = { bucket->subjects },
		.description = bucket->description,
		.max_age_ms = bucket->ttl_ms,
		.duplicate_window_ms = DUPLICATE_WINDOW_MS,
		.replicas = bucket->replicas,
		.discard_new = true,
		.max_msgs_per_subject = 1,
		.deny_delete = true,
		.deny_purge = true };

	if (bucket->ttl_ms != 0 && bucket->ttl_ms < DUPLICATE_WINDOW_MS)
		config.duplicate_window_ms = bucket->ttl_ms;
	return jetstream_stream_ensure(bus, &config, info, err);
}
