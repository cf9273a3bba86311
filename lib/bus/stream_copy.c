// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "stream_copy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "jetstream_api.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"

enum {
	CHUNK = 64 * 1024,
	/*
	 * The server sends at most 8 MiB without an ack, newer ones 32 MiB by configuration
	 * (defaultSnapshotWindowSize).
	 */
	QUEUE = 64 * 1024 * 1024 / CHUNK,
	SILENCE_MS = 30 * 1000,
	/* a server checks or stores the whole stream before it replies */
	REPLY_TIMEOUT_MS = 10 * 60 * 1000,
	LOOK_MS = 200, /* how soon a refusal or a lost connection is noticed */
};

/* ---- messages arrive on a thread of the bus and are taken by the caller's */

struct arrivals {
	struct bus *bus;
	struct buf subject;
	uint64_t reconnects;
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct bus_msg *queue[QUEUE];
	size_t first, n;
	bool overflow;
};

static void
on_msg(void *ctx, struct bus_msg *msg)
{
	struct arrivals *a = ctx;

	pthread_mutex_lock(&a->lock);
	if (a->n < QUEUE) {
		a->queue[(a->first + a->n++) % QUEUE] = msg;
		msg = NULL;
	} else {
		a->overflow = true;
	}
	pthread_cond_signal(&a->came);
	pthread_mutex_unlock(&a->lock);
	bus_msg_free(msg);
}

static void
free_arrivals(struct arrivals *a)
{
	while (a->n > 0) {
		bus_msg_free(a->queue[a->first]);
		a->first = (a->first + 1) % QUEUE;
		a->n--;
	}
	pthread_cond_destroy(&a->came);
	pthread_mutex_destroy(&a->lock);
	buf_free(&a->subject);
	free(a);
}

/* Subscribes to "<inbox>.<what>.<stream>". NULL with err. */
static struct arrivals *
open_arrivals(struct bus *bus, const char *what, const char *stream, struct err *err)
{
	struct arrivals *a = mem_alloc(sizeof(*a));

	a->bus = bus;
	a->reconnects = bus_reconnects(bus);
	pthread_mutex_init(&a->lock, NULL);
	clock_cond_init(&a->came);
	buf_init(&a->subject, JS_NAME_MAX);
	buf_printf(&a->subject, "%s.%s.%s", bus_inbox(bus), what, stream);
	if (bus_subscribe(bus, buf_str(&a->subject), on_msg, a, err) == 0)
		return a;
	free_arrivals(a);
	return NULL;
}

/* If the server does not confirm the end, messages may still arrive: then `a` stays. */
static void
close_arrivals(struct arrivals *a)
{
	struct err ignored;

	if (a != NULL &&
		bus_unsubscribe(a->bus, buf_str(&a->subject), SILENCE_MS, &ignored) == 0)
		free_arrivals(a);
}

/* Why no message will come. 0: it may still come. */
static int
look(struct arrivals *a, struct err *err)
{
	struct err last;

	if (a->overflow)
		return err_set(err, ERR_LIMIT, "the server sends more than it may");
	bus_last_error(a->bus, &last);
	if (last.code == ERR_FORBIDDEN) {
		*err = last;
		return -1;
	}
	return bus_reconnects(a->bus) == a->reconnects
		? 0
		: err_set(err, ERR_CONNECT, "the connection to NATS was lost");
}

/* NULL with err: none came for that long, it is not permitted, or the connection was lost. */
static struct bus_msg *
next_msg(struct arrivals *a, int64_t timeout_ms, struct err *err)
{
	struct bus_msg *msg = NULL;
	int64_t end = clock_monotonic_ms() + timeout_ms;
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	while (a->n == 0 && (rc = look(a, err)) == 0 && clock_monotonic_ms() < end)
		clock_cond_wait(&a->came, &a->lock, LOOK_MS);
	if (rc == 0 && a->n > 0) {
		msg = a->queue[a->first];
		a->first = (a->first + 1) % QUEUE;
		a->n--;
	} else if (rc == 0) {
		err_set(err, ERR_TIMEOUT, "NATS does not answer");
	}
	pthread_mutex_unlock(&a->lock);
	return msg;
}

/*
 * Sends a request and checks that its reply is no error. The reply is the caller's. Not
 * bus_request: this one takes minutes, and would not notice that it is not permitted.
 */
static struct bus_msg *
ask(struct bus *bus, const char *call, const char *stream, const struct buf *body,
	struct err *err)
{
	struct arrivals *a = open_arrivals(bus, call, stream, err);
	struct bus_msg *reply = NULL;
	struct buf subject;
	cJSON *json;

	if (a == NULL)
		return NULL;
	buf_init(&subject, JS_NAME_MAX);
	buf_printf(&subject, "%s.STREAM.%s.%s", bus_api_prefix(bus), call, stream);
	if (bus_publish(bus,
		    &(struct bus_out){ .subject = buf_str(&subject),
			    .reply = buf_str(&a->subject),
			    .data = body->data,
			    .len = body->len },
		    err) == 0)
		reply = next_msg(a, REPLY_TIMEOUT_MS, err);
	if (reply != NULL && jetstream_reply(buf_str(&subject), reply, &json, err) == 0) {
		cJSON_Delete(json);
	} else {
		bus_msg_free(reply);
		reply = NULL;
	}
	buf_free(&subject);
	close_arrivals(a);
	return reply;
}

/* ---- backup */

/* The number at the end of "$JS.SNAPSHOT.ACK.<stream>.<id>.<bytes>.<number>". 0: none. */
static int64_t
chunk_number(const char *ack)
{
	const char *dot = strrchr(ack, '.');
	int64_t n;

	return dot != NULL && text_int(dot + 1, 1, INT64_MAX, &n) ? n : 0;
}

/* Takes a chunk and confirms it. 1: it is the end; 0: more will come. */
static int
take_chunk(struct bus *bus, const struct stream_copy *copy, const struct bus_msg *msg,
	int64_t number, struct err *err)
{
	const char *status = bus_msg_header(msg, "Status");
	const char *reason = bus_msg_header(msg, "Description");
	const char *ack = bus_msg_reply(msg);

	if (bus_msg_len(msg) == 0) {
		if (status == NULL || strncmp(status, "204", 3) == 0)
			return 1;
		return err_set(err, ERR_PROTOCOL,
			"%s: the server ended the backup: %.20s %.200s", copy->stream, status,
			reason != NULL ? reason : "");
	}
	/* the last chunk of data may come without a request for an ack */
	if (*ack != '\0' && chunk_number(ack) != number)
		return err_set(
			err, ERR_PROTOCOL, "%s: a part of the data was lost", copy->stream);
	if (copy->take(copy->ctx, bus_msg_data(msg), bus_msg_len(msg), err) != 0)
		return -1;
	return *ack == '\0' ? 0 : bus_publish(bus, &(struct bus_out){ .subject = ack }, err);
}

static int
take_all(struct bus *bus, const struct stream_copy *copy, struct arrivals *a, struct err *err)
{
	for (int64_t number = 1;; number++) {
		struct bus_msg *msg = next_msg(a, SILENCE_MS, err);
		int rc;

		if (msg == NULL)
			return err_wrap(err, "%s", copy->stream);
		rc = take_chunk(bus, copy, msg, number, err);
		bus_msg_free(msg);
		if (rc != 0)
			return rc > 0 ? 0 : -1;
	}
}

static int
describe(const char *stream, const struct bus_msg *reply, struct buf *out, struct err *err)
{
	const char *text = bus_msg_data(reply);
	size_t len = bus_msg_len(reply);

	buf_add_str(out, "{\"config\":");
	if (json_find_member(text, len, "config", out)) {
		buf_add_str(out, ",\"state\":");
		if (json_find_member(text, len, "state", out)) {
			buf_add_char(out, '}');
			return 0;
		}
	}
	return err_set(
		err, ERR_PROTOCOL, "%s: the server does not describe its backup", stream);
}

int
stream_backup(struct bus *bus, const struct stream_copy *copy, struct buf *description,
	struct err *err)
{
	struct arrivals *a = open_arrivals(bus, "backup", copy->stream, err);
	struct bus_msg *reply;
	struct buf body;
	int rc = -1;

	if (a == NULL)
		return -1;
	buf_init(&body, 2 * JS_NAME_MAX);
	buf_printf(&body,
		"{\"deliver_subject\":\"%s\",\"no_consumers\":false,\"jsck\":true,"
		"\"chunk_size\":%d}",
		buf_str(&a->subject), CHUNK);
	reply = ask(bus, "SNAPSHOT", copy->stream, &body, err);
	if (reply != NULL)
		rc = describe(copy->stream, reply, description, err);
	if (rc == 0)
		rc = take_all(bus, copy, a, err);
	bus_msg_free(reply);
	buf_free(&body);
	close_arrivals(a);
	return rc;
}

/* ---- restore: each chunk is a request, so the server sets the pace */

/* The description with another number of replicas: of two members the server takes the last. */
static int
restore_request(const struct stream_original *o, struct buf *body, struct err *err)
{
	struct buf config, state;
	bool found;

	buf_init(&config, o->len + 1);
	buf_init(&state, o->len + 1);
	found = json_find_member(o->description, o->len, "config", &config) &&
		json_find_member(o->description, o->len, "state", &state) && buf_ok(&config) &&
		buf_ok(&state) && config.len > 2 && config.data[config.len - 1] == '}';
	if (found) {
		buf_add_str(body, "{\"config\":");
		buf_add(body, config.data, config.len - 1);
		if (o->replicas > 0)
			buf_printf(body, ",\"num_replicas\":%d", o->replicas);
		buf_add_str(body, "},\"state\":");
		buf_add(body, buf_str(&state), state.len);
		buf_add_char(body, '}');
	}
	buf_free(&config);
	buf_free(&state);
	return found ? 0
		     : err_set(err, ERR_PROTOCOL,
			       "%s: the description is no JSON object with config and state",
			       o->stream);
}

/* Sends one part; an empty one is the end, to which the server replies with the stream. */
static int
send_part(struct bus *bus, const char *subject, const struct bus_out *part, struct err *err)
{
	struct bus_out out = *part;
	struct bus_msg *reply = NULL;
	int rc = 0;

	out.subject = subject;
	if (bus_request(bus, &out, SILENCE_MS, &reply, err) != 0)
		return -1;
	if (bus_msg_len(reply) > 0)
		rc = err_set(err, ERR_PROTOCOL, "the server refused a part of the data: %.200s",
			bus_msg_data(reply));
	bus_msg_free(reply);
	return rc;
}

static int
send_all(struct bus *bus, const struct stream_original *o, const char *subject,
	uint64_t *last_seq, struct err *err)
{
	char *chunk = mem_alloc(CHUNK);
	int64_t most = bus_max_payload(bus);
	size_t size = most > 0 && most < CHUNK ? (size_t)most : CHUNK;
	struct bus_msg *reply;
	cJSON *json;
	long n;
	int rc = 0;

	while (rc == 0 && (n = o->give(o->ctx, chunk, size, err)) != 0)
		rc = n < 0 ? -1
			   : send_part(bus, subject,
				     &(struct bus_out){ .data = chunk, .len = (size_t)n }, err);
	free(chunk);
	if (rc != 0)
		return -1;
	if (bus_request(bus, &(struct bus_out){ .subject = subject }, REPLY_TIMEOUT_MS, &reply,
		    err) != 0)
		return -1;
	rc = jetstream_reply(subject, reply, &json, err) == 0 ? 0 : -1;
	bus_msg_free(reply);
	if (rc != 0)
		return -1;
	*last_seq = json_member_uint(json_member(json, "state"), "last_seq");
	cJSON_Delete(json);
	return 0;
}

int
stream_restore(struct bus *bus, const struct stream_original *original, uint64_t *last_seq,
	struct err *err)
{
	struct bus_msg *reply = NULL;
	struct buf body;
	cJSON *json;
	int rc;

	buf_init(&body, original->len + 2 * JS_NAME_MAX);
	rc = restore_request(original, &body, err);
	if (rc == 0)
		reply = ask(bus, "RESTORE", original->stream, &body, err);
	buf_free(&body);
	if (reply == NULL)
		return -1;
	json = cJSON_ParseWithLength(bus_msg_data(reply), bus_msg_len(reply));
	bus_msg_free(reply);
	rc = send_all(bus, original, json_member_text(json, "deliver_subject"), last_seq, err);
	cJSON_Delete(json);
	return rc;
}
