// SPDX-License-Identifier: Apache-2.0
/*
 * NATS KV by its stream (ADR-8): bucket "vcourier" is stream KV_vcourier, a key is a subject in
 * it, its revision a sequence. max_age ends the lease of a holder that is gone.
 */
#define _DEFAULT_SOURCE
#include "lease.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "jetstream.h"
#include "kv_bucket.h"
#include "log.h"
#include "mem.h"
#include "protocol.h"
#include "subject.h"

#define LEASE_STREAM KV_STREAM(LEASE_BUCKET)
#define LEASE_PREFIX KV_SUBJECT(LEASE_BUCKET)

enum {
	LEASE_TTL_MS = 10000,
	RENEW_MS = 3000, /* three tries before it expires */
	/* of a standby: it takes over at once after a release, within the TTL after a kill */
	TRY_MS = 500,
	TIMEOUT_MS = 2000,
};

struct lease {
	struct bus *bus;
	char *subject;
	int replicas;
	char holder[64];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t closing_cond;
	bool closing;
	int64_t held_until_ms; /* by our own clock, from before the renewal was sent */
	uint64_t revision;
	bool bucket_exists;
};

static int
put(struct lease *l, uint64_t revision, const char *operation, uint64_t *new_revision,
	struct err *err)
{
	char expected[24];
	struct bus_header headers[] = { { HEADER_EXPECTED_LAST_SUBJECT_SEQ, expected },
		{ HEADER_KV_OPERATION, operation } };
	struct bus_out out = { .subject = l->subject,
		.headers = headers,
		.n_headers = operation ? 2 : 1,
		.data = l->holder,
		.len = operation ? 0 : strlen(l->holder) };
	struct pub_ack ack;

	snprintf(expected, sizeof(expected), "%" PRIu64, revision);
	if (jetstream_publish(l->bus, &out, TIMEOUT_MS, &ack, err) != 0)
		return -1;
	*new_revision = ack.seq;
	return 0;
}

/* *revision: the one to overwrite; 0: no one. ERR_CONFLICT: another collector holds it. */
static int
look(struct lease *l, uint64_t *revision, struct err *err)
{
	struct stream_info info;
	struct stream_msg msg;
	char operation[16];
	bool deleted;

	*revision = 0;
	if (!l->bucket_exists && jetstream_stream_look(l->bus, LEASE_STREAM, &info, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	l->bucket_exists = true;
	if (jetstream_stream_get(l->bus, &(struct message_query){ LEASE_STREAM, 0, l->subject },
		    &msg, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	deleted = jetstream_msg_header(
			  msg.headers, HEADER_KV_OPERATION, operation, sizeof(operation)) ||
		msg.len == 0;
	*revision = msg.seq;
	jetstream_msg_free(&msg);
	return deleted ? 0 : err_set(err, ERR_CONFLICT, "held by another collector");
}

static void
set_held(struct lease *l, int64_t until_ms, uint64_t revision)
{
	pthread_mutex_lock(&l->lock);
	l->held_until_ms = until_ms;
	l->revision = revision;
	pthread_mutex_unlock(&l->lock);
}

/* Tries once to get or to renew the lease; true: we hold it. */
static bool
renew(struct lease *l)
{
	const struct kv_bucket bucket = { .stream = LEASE_STREAM,
		.subjects = LEASE_PREFIX ">",
		.description = "vcourier: which collector reads",
		.ttl_ms = LEASE_TTL_MS,
		.replicas = l->replicas };
	int64_t start = clock_monotonic_ms();
	struct stream_info info;
	uint64_t revision = l->revision;
	struct err err;

	if (!bus_connected(l->bus))
		return lease_held(l);
	if (revision != 0 && put(l, revision, NULL, &revision, &err) == 0) {
		set_held(l, start + LEASE_TTL_MS, revision);
		return true;
	}
	if (revision != 0) {
		if (err.code != ERR_CONFLICT)
			return lease_held(l); /* no answer: we hold it until it expires */
		set_held(l, 0, 0);
	}
	if (look(l, &revision, &err) != 0) {
		if (err.code == ERR_CONFLICT ||
			kv_bucket_ensure(l->bus, &bucket, &info, &err) != 0)
			return false;
		revision = 0;
	}
	/* the bucket may not exist yet: then no stream answers */
	if (put(l, revision, NULL, &revision, &err) != 0 &&
		(err.code == ERR_CONFLICT ||
			kv_bucket_ensure(l->bus, &bucket, &info, &err) != 0 ||
			put(l, revision, NULL, &revision, &err) != 0))
		return false;
	set_held(l, start + LEASE_TTL_MS, revision);
	return true;
}

static void *
keep(void *ctx)
{
	struct lease *l = ctx;

	pthread_mutex_lock(&l->lock);
	while (!l->closing) {
		int64_t wait;

		pthread_mutex_unlock(&l->lock);
		wait = renew(l) ? RENEW_MS : TRY_MS;
		pthread_mutex_lock(&l->lock);
		if (l->closing)
			break;
		clock_cond_wait(&l->closing_cond, &l->lock, wait);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

int
lease_open(struct lease **out, struct bus *bus, const char *name, int replicas, struct err *err)
{
	struct lease *l = mem_alloc(sizeof(*l));
	struct buf subject;

	l->bus = bus;
	l->replicas = replicas;
	buf_init(&subject, 512);
	buf_add_str(&subject, LEASE_PREFIX "lease.");
	subject_add_token(&subject, name, strlen(name));
	l->subject = buf_take(&subject, NULL);
	snprintf(l->holder, sizeof(l->holder), "%ld-%lld", (long)getpid(),
		(long long)clock_wall_us());
	pthread_mutex_init(&l->lock, NULL);
	clock_cond_init(&l->closing_cond);
	if (pthread_create(&l->thread, NULL, keep, l) != 0) {
		free(l->subject);
		free(l);
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	}
	*out = l;
	return 0;
}

void
lease_close(struct lease *l)
{
	uint64_t ignored;
	struct err err;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_signal(&l->closing_cond);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	if (l->revision != 0 && bus_connected(l->bus))
		put(l, l->revision, "DEL", &ignored, &err);
	pthread_cond_destroy(&l->closing_cond);
	pthread_mutex_destroy(&l->lock);
	free(l->subject);
	free(l);
}

bool
lease_held(struct lease *l)
{
	bool held;

	pthread_mutex_lock(&l->lock);
	held = clock_monotonic_ms() < l->held_until_ms;
	pthread_mutex_unlock(&l->lock);
	return held;
}
