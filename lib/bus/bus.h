// SPDX-License-Identifier: Apache-2.0
/*
 * NATS, as far as JetStream's protocol needs it: connect, publish, subscribe, request. The only
 * module that speaks to cnats; it steers round the defects of 3.4.1 (Debian 12): no batched
 * Fetch, no js_* calls, subscriptions are not destroyed before the connection, user/password
 * rather than nkeys.
 *
 * Callbacks run on cnats threads: take what you need, wake your loop, return; never block,
 * never call bus_request from one.
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

struct bus_options {
	char **urls; /* NULL-terminated; nats:// or tls:// */
	const char *user;
	const struct secret *password, *token;
	const char *credentials_file; /* NATS .creds; see the note on 3.4.1 in bus.c */
	const char *ca_file, *cert_file, *key_file;
	bool insecure;
	/* connection name, as `nats server report connections` shows it */
	const char *name;
	const char *inbox_prefix; /* private to this user: "_INBOX_collector"; never the shared
				     _INBOX */
	const char *api_prefix;   /* of JetStream's requests; NULL: "$JS.API" */
};

/*
 * Call it first in main, before anything uses OpenSSL: cnats (3.4.1) frees at exit what
 * OpenSSL's own exit handler frees as well, which ends in SIGABRT; this turns the latter off.
 */
void bus_init(void);

/*
 * Whether connections with these options are encrypted: cnats uses TLS with every server when
 * one URL is tls:// or when an option of TLS is set.
 */
bool bus_uses_tls(const struct bus_options *options);

/* Starts connecting and returns; retries for ever with backoff, also after a disconnect. */
int bus_open(struct bus **bus, const struct bus_options *options, struct err *err);

/*
 * Flushes what was published (bounded by 2 s) and closes. NULL is fine. Free all messages
 * before: the library that made them ends here. Callbacks may come until it returns.
 */
void bus_close(struct bus *bus);

bool bus_connected(const struct bus *bus);

/*
 * Waits until connected, a stop is requested (ERR_STOPPED) or timeout_ms is over (ERR_CONNECT).
 */
int bus_wait_connected(struct bus *bus, int64_t timeout_ms, struct err *err);

/* Why it is not connected, or a permission violation since the last call; "" if all is well. */
void bus_last_error(struct bus *bus, struct err *err);

/* counts up; a change means: ask again for what you had asked */
uint64_t bus_reconnects(const struct bus *bus);
/* bytes, headers included; 0 while not connected */
int64_t bus_max_payload(const struct bus *bus);
/* more than one server is known, by configuration or from the server */
bool bus_clustered(const struct bus *bus);
/*
 * "$JS.API", or what stands for it in this account: another prefix when the account imports the
 * API from the streams' account, "$JS.<domain>.API" across a leaf node. Without a dot at its
 * end.
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
 * Queues it; at most once by itself, so JetStream publishes wait for their ack (jetstream.h).
 * ERR_LIMIT, as of bus_request: larger than max_payload, or its subject is too long for a
 * protocol line (4 KiB).
 */
int bus_publish(struct bus *bus, const struct bus_out *out, struct err *err);
int bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err);

/* One request, one reply; *reply is the caller's. ERR_NOT_FOUND when nobody listens (503). */
int bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err);

typedef void bus_on_msg(void *ctx, struct bus_msg *msg); /* owns msg */
int bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err);
/*
 * Ends it for good. On success the server sends no more, and what it had sent is with the
 * callback.
 */
int bus_unsubscribe(struct bus *bus, const char *subject, int64_t timeout_ms, struct err *err);

const char *bus_msg_subject(const struct bus_msg *msg);
const char *bus_msg_reply(const struct bus_msg *msg); /* "" when none */
/* exact case; NULL when none */
const char *bus_msg_header(const struct bus_msg *msg, const char *name);
/* The last one of that name: what a server adds is behind what the publisher wrote. */
const char *bus_msg_last_header(const struct bus_msg *msg, const char *name);
/*
 * The same as bus_msg_header; false when the library cannot read the headers. It says so once:
 * asked again it may give some of them.
 */
bool bus_msg_find_header(const struct bus_msg *msg, const char *name, const char **value);
/* Calls fn for each header, in no particular order. */
void bus_msg_each_header(const struct bus_msg *msg,
	void (*fn)(void *ctx, const char *name, const char *value), void *ctx);

/*
 * Whether the library may have read the headers wrongly: a header without a value has the next
 * one as its value, without a value in the last one there are none. Names that nobody here
 * reads are not looked for.
 */
bool bus_msg_headers_doubtful(const struct bus_msg *msg);

/* Puts the headers of a raw block in place of those that the library has read. */
void bus_msg_set_headers(struct bus_msg *msg, const char *block);
bool bus_msg_has_own_headers(const struct bus_msg *msg); /* that was done */

const char *bus_msg_data(const struct bus_msg *msg);
size_t bus_msg_len(const struct bus_msg *msg);
void bus_msg_free(struct bus_msg *msg);

#endif
