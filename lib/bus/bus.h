// SPDX-License-Identifier: Apache-2.0
/*
 * The parts of NATS that JetStream's protocol needs: connect, publish, subscribe, request. The
 * only module that uses cnats. It avoids the defects of 3.4.1 (Debian 12): no batched Fetch, no
 * js_* calls, subscriptions are not destroyed before the connection, user/password rather than
 * nkeys.
 *
 * Callbacks run on cnats threads: store the data, wake your loop, return. Never block in a
 * callback, never call bus_request from one.
 */
#ifndef VCOURIER_BUS_H
#define VCOURIER_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "secret.h"

struct bus;
struct bus_msg; /* a received message; free it with bus_msg_free */

/* Borrowed until bus_close: each connect reads them. */
struct bus_options {
	char **urls; /* NULL-terminated; nats:// or tls:// */
	const char *user;
	const struct secret *password, *token;
	const char *credentials_file; /* NATS .creds; see the note on 3.4.1 in bus_security.c */
	const char *ca_file, *cert_file, *key_file;
	bool insecure;
	/* connection name, as `nats server report connections` shows it */
	const char *name;
	const char *inbox_prefix; /* this user's own: "_INBOX_collector"; never _INBOX */
	const char *api_prefix;   /* prefix of JetStream requests; NULL: "$JS.API" */
};

/*
 * Call it first in main, before anything uses OpenSSL: at exit cnats (3.4.1) frees objects that
 * OpenSSL's own exit handler frees as well, which ends in SIGABRT. This disables OpenSSL's
 * handler.
 */
void bus_init(void);

/*
 * Whether connections with these options are encrypted: cnats uses TLS with every server when
 * one URL is tls:// or when an option of TLS is set.
 */
bool bus_uses_tls(const struct bus_options *options);

/*
 * Starts connecting and returns. Retries without limit, with backoff, also after a disconnect.
 */
int bus_open(struct bus **bus, const struct bus_options *options, struct err *err);

/*
 * Flushes published messages (for at most 2 s) and closes. NULL is fine. Free all messages
 * before: closing the last connection ends the library. Callbacks may run until the last one is
 * closed.
 */
void bus_close(struct bus *bus);

bool bus_connected(const struct bus *bus);

/*
 * Waits until connected, a stop is requested (ERR_STOPPED) or timeout_ms is over (ERR_CONNECT).
 */
int bus_wait_connected(struct bus *bus, int64_t timeout_ms, struct err *err);

/*
 * Why the bus is not connected, or a permission violation since the last call; "" if neither.
 */
void bus_last_error(struct bus *bus, struct err *err);

/* Counts up. After a change, send outstanding requests again. */
uint64_t bus_reconnects(const struct bus *bus);
/* Those of them that replaced a connection which stood, but on which nothing was answered. */
uint64_t bus_silent_reconnects(const struct bus *bus);
/*
 * A message that was requested with bus_publish (an ack, an event, a heartbeat) did not come to
 * its subscription in time. When that goes on while no subscription gets a message, the bus
 * connects again. bus_request counts by itself.
 */
void bus_unanswered(struct bus *bus);
/* bytes, headers included; 0 while not connected */
int64_t bus_max_payload(const struct bus *bus);
/* More than one server is known, from the configuration or from the server. */
bool bus_clustered(const struct bus *bus);
/*
 * "$JS.API" or its replacement in this account: another prefix when the account imports the API
 * from the streams' account, "$JS.<domain>.API" across a leaf node. Without a dot at the end.
 */
const char *bus_api_prefix(const struct bus *bus);
const char *bus_inbox(const struct bus *bus); /* "<inbox prefix>.<nuid>": subscribe below it */

struct bus_header {
	const char *name, *value;
};

/*
 * A message to send; everything is borrowed for the call. A header without a value is left out.
 */
struct bus_out {
	const char *subject, *reply; /* reply may be NULL */
	const struct bus_header *headers;
	size_t n_headers;
	const void *data;
	size_t len;
};

/*
 * Queues a message. It may be lost, so JetStream publishes wait for their ack (jetstream.h).
 * ERR_LIMIT, as for bus_request: the message is larger than max_payload, or its subject is too
 * long for a protocol line (4 KiB).
 */
int bus_publish(struct bus *bus, const struct bus_out *out, struct err *err);
int bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err);

/* One request, one reply; *reply is the caller's. ERR_NOT_FOUND: no subscriber (503). */
int bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err);

typedef void bus_on_msg(void *ctx, struct bus_msg *msg); /* owns msg */
int bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err);
/*
 * Removes the subscription. On success the server sends no more messages, and the callback has
 * got all that it had sent.
 */
int bus_unsubscribe(struct bus *bus, const char *subject, int64_t timeout_ms, struct err *err);

const char *bus_msg_subject(const struct bus_msg *msg);
const char *bus_msg_reply(const struct bus_msg *msg); /* "" when there is none */
/* The name's case must match; NULL when the message has no such header. */
const char *bus_msg_header(const struct bus_msg *msg, const char *name);
/* The last header of that name: a server adds its headers after those of the publisher. */
const char *bus_msg_last_header(const struct bus_msg *msg, const char *name);
/*
 * The same as bus_msg_header; false when the library cannot parse the headers. Only the first
 * call reports that: later calls may find some of the headers.
 */
bool bus_msg_find_header(const struct bus_msg *msg, const char *name, const char **value);
/* Calls fn for each header, in no particular order. */
void bus_msg_each_header(const struct bus_msg *msg,
	void (*fn)(void *ctx, const char *name, const char *value), void *ctx);

/*
 * Whether the library may have parsed the headers wrongly: it gives a header without a value
 * the next header line as its value, and loses all headers when the last one has no value. Only
 * header names that vcourier reads are considered.
 */
bool bus_msg_headers_doubtful(const struct bus_msg *msg);

/* Replaces the headers that the library has parsed by those of a raw block. */
void bus_msg_set_headers(struct bus_msg *msg, const char *block);
bool bus_msg_has_own_headers(const struct bus_msg *msg); /* bus_msg_set_headers was called */

const char *bus_msg_data(const struct bus_msg *msg);
size_t bus_msg_len(const struct bus_msg *msg);
void bus_msg_free(struct bus_msg *msg);

#endif
