// SPDX-License-Identifier: Apache-2.0
/* A publisher and a stream reader beside a real nats-server. */
#ifndef VCOURIER_TEST_PUBLISHER_LAB_H
#define VCOURIER_TEST_PUBLISHER_LAB_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats.h"
#include "publisher.h"
#include "stop.h"
#include "stream_tail.h"

#define UUID "dbed6e0c-bd88-4ef6-b594-21283e1c677f"

enum {
	TIMEOUT_MS = 60000, /* valgrind on a busy machine is slow */
	GIVE_UP_MS = 2000,  /* for an ack that will never come */
};

struct world {
	struct nats_server server;
	struct bus *bus;
	struct publisher *publisher, *before; /* before: one that gave up */
	struct stream_reader *reader;
	struct stream_info info;
};

static const struct stream_config stream = {
	.name = "VC_t", .subjects = { "vc.t.>" }, .duplicate_window_ms = 60000
};

static inline int
open_world_of(void **state, const char *tls_name, int64_t ack_timeout_ms)
{
	struct world *w = calloc(1, sizeof(*w));
	struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
	struct err err;

	nats_server_start(&w->server, tls_name);
	options.ca_file = tls_name ? w->server.ca : NULL;
	options.urls = w->server.urls;
	assert_int_equal(bus_open(&w->bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(w->bus, TIMEOUT_MS, &err), 0);
	assert_int_equal(publisher_open(&w->publisher, w->bus, 64, ack_timeout_ms, &err), 0);
	assert_int_equal(stream_reader_open(&w->reader, w->bus, &err), 0);
	assert_int_equal(jetstream_stream_ensure(w->bus, &stream, &w->info, &err), 0);
	publisher_reset(w->publisher, w->info.last_seq);
	*state = w;
	return 0;
}

static inline int
open_world(void **state)
{
	return open_world_of(state, NULL, TIMEOUT_MS);
}

static inline int
open_tls_world(void **state)
{
	return open_world_of(state, "IP:127.0.0.1", TIMEOUT_MS);
}

static inline int
open_mortal_world(void **state)
{
	return open_world_of(state, NULL, GIVE_UP_MS);
}

static inline int
open_mortal_tls_world(void **state)
{
	return open_world_of(state, "IP:127.0.0.1", GIVE_UP_MS);
}

static inline int
close_world(void **state)
{
	struct world *w = *state;

	stream_reader_stop(w->reader);
	bus_close(w->bus);
	publisher_close(w->publisher);
	publisher_close(w->before);
	stream_reader_close(w->reader);
	nats_server_stop(&w->server);
	free(w);
	return 0;
}

static inline int
send_event_to(struct world *w, const char *subject, int key, struct err *err)
{
	char id[96];
	struct publish p = { .subject = subject,
		.msg_id = id,
		.data = "{}",
		.len = 2,
		.key = key,
		.created_us = INT64_C(1000) * key,
		.again_us = INT64_C(1000) * key,
		.complete_us = INT64_MAX };

	snprintf(id, sizeof(id), UUID "/%d/%d", key, key);
	return publisher_send(w->publisher, &p, err);
}

static inline int
send_event(struct world *w, int key, struct err *err)
{
	return send_event_to(w, "vc.t.x", key, err);
}

static inline struct stream_tail_query
our_tail(const struct world *w, struct seen *seen)
{
	return (struct stream_tail_query){ .reader = w->reader,
		.seen = seen,
		.stream = "VC_t",
		.uuid = UUID,
		.cap_us = INT64_MAX };
}

#endif
