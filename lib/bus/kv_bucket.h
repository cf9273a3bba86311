// SPDX-License-Identifier: Apache-2.0
/*
 * A KV bucket, which is a stream with certain settings: ADR-8 of
 * https://github.com/nats-io/nats-architecture-and-design. Without history: a key has its last
 * value only. No user may remove or empty what others wrote.
 */
#ifndef VCOURIER_KV_BUCKET_H
#define VCOURIER_KV_BUCKET_H

#include "jetstream.h"

struct kv_bucket {
	const char *stream;   /* KV_STREAM(name) */
	const char *subjects; /* KV_SUBJECT(name) ">" */
	const char *description;
	int64_t ttl_ms; /* a value is removed then; 0: never */
	int replicas;
};

/* Creates the bucket unless it exists; else as jetstream_stream_ensure. */
int kv_bucket_ensure(struct bus *bus, const struct kv_bucket *bucket, struct stream_info *info,
	struct err *err);

#endif
