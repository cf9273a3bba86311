// SPDX-License-Identifier: Apache-2.0
/*
 * The state that the files of the bus share; no other file includes cnats. bus.c manages the
 * connection, bus_io.c uses it, bus_answers.c finds out that it is of no use, bus_loop.c does
 * its socket I/O, bus_security.c sets credentials and TLS, bus_error.c translates errors.
 */
#ifndef VCOURIER_BUS_PRIVATE_H
#define VCOURIER_BUS_PRIVATE_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "bus.h"
#include "bus_loop.h"
#include "bus_silence.h"

struct bus_subscription {
	struct bus *bus;
	char *subject;
	bus_on_msg *on_msg;
	void *ctx;
	natsSubscription *sub;
	bool ended; /* removed: not subscribed again on a new connection */
};

struct bus {
	struct bus_options options;
	char *inbox;
	pthread_t thread;
	pthread_rwlock_t nc_lock; /* readers use nc, the thread replaces it */
	natsConnection *nc;
	struct bus_loop *loop; /* of nc; NULL: cnats does the I/O */
	pthread_mutex_t lock;  /* for the members below */
	pthread_cond_t changed;
	bool started, connected, dead, closing;
	bool silent; /* the connection is open, and nothing is answered on it */
	/* of bus_request, which has a subscription of cnats; of our own subscriptions */
	struct bus_silence requests, messages;
	struct err last_error;
	/* n_subs of them; each keeps its address, because cnats stores it */
	struct bus_subscription **subs;
	size_t n_subs;
	atomic_uint_fast64_t reconnects, silent_reconnects;
	atomic_bool heard; /* a subscription got a message since the last bus_unanswered */
	struct bus *closed_before; /* closed, and not freed before the last one is */
};

struct bus_msg {
	natsMsg *msg;
	/*
	 * replaces the headers that cnats has parsed: the text that `header` points into; NULL:
	 * not replaced
	 */
	char *headers;
	struct bus_header *header;
	size_t n_headers;
};

/* Fills err from a cnats status and cnats' error text; returns -1. */
int bus_error(struct err *err, natsStatus s, const char *what);
/* A text of cnats without the place in its source. */
const char *bus_error_text(const char *text);

/*
 * Sets credentials (read again) and TLS; err is set when the cause is not cnats. loop: for a
 * TLS connection, or NULL.
 */
natsStatus bus_set_security(natsOptions *opts, const struct bus_options *options,
	struct bus_loop *loop, struct err *err);

/* A request got a reply, or none in its time. */
void bus_note_reply(struct bus *bus, bool came);

/* Subscribes at the server; call with nc_lock held for writing. */
natsStatus bus_start_subscription(struct bus_subscription *sub, natsConnection *nc);

/*
 * Ends all subscriptions: their last messages are handled, at most timeout_ms. What cnats still
 * has of them when its library ends is not freed.
 */
void bus_drain(struct bus *bus, int64_t timeout_ms);

/*
 * bus_library.c: each connection is opened and closed. The last one that is closed ends the
 * library and frees them all: until then, its threads may use the subscriptions.
 */
void bus_library_opened(void);
void bus_library_closed(struct bus *bus);

/* Destroys messages that were freed and still belong to cnats; call before cnats ends. */
void bus_destroy_messages(void);

#endif
