// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_bucket.h"

#include "jetstream.h"
#include "log.h"
#include "protocol.h"

bool
checkpoint_bucket_ensure(struct bus *bus, int replicas)
{
	const struct stream_config bucket = { .name = KV_STREAM(CHECKPOINT_BUCKET),
		.subjects = { KV_SUBJECT(CHECKPOINT_BUCKET) ">" },
		.duplicate_window_ms = 2 * 60 * 1000,
		.replicas = replicas,
		.discard_new = true,
		.max_msgs_per_subject = 1,
		.description = "vcourier: up to where each dispatcher has settled all events",
		.deny_delete = true,
		.deny_purge = true };
	struct stream_info info;
	struct err err;

	if (jetstream_stream_ensure(bus, &bucket, &info, &err) == 0)
		return false;
	log_warn("cannot create the bucket for the checkpoints of dispatchers", L_ERR(&err));
	return err.code == ERR_FORBIDDEN || err.code == ERR_TIMEOUT;
}
