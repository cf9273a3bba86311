// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_bucket.h"

#include "kv_bucket.h"
#include "log.h"
#include "protocol.h"

bool
checkpoint_bucket_ensure(struct bus *bus, int replicas)
{
	const struct kv_bucket bucket = { .stream = KV_STREAM(CHECKPOINT_BUCKET),
		.subjects = KV_SUBJECT(CHECKPOINT_BUCKET) ">",
		.description = "vcourier: up to where each dispatcher has settled all events",
		.replicas = replicas };
	struct stream_info info;
	struct err err;

	if (kv_bucket_ensure(bus, &bucket, &info, &err) == 0)
		return false;
	log_warn("cannot create the bucket for the checkpoints of dispatchers", L_ERR(&err));
	return err.code == ERR_FORBIDDEN || err.code == ERR_TIMEOUT;
}
