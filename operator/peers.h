// SPDX-License-Identifier: Apache-2.0
/*
 * The state of running dispatchers and collectors, from their replies to a status request.
 * Processes that do not run do not reply.
 *
 * A peer is a number: the dispatchers of the session, then its sources.
 */
#ifndef VCOURIER_PEERS_H
#define VCOURIER_PEERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "session.h"

struct peers;

/* After session_sources and session_dispatchers. Free it also after a failure. */
int peers_open(struct peers **peers, struct session *s, struct err *err);
/* after the session: replies may come until it is closed. NULL is fine */
void peers_free(struct peers *p);

/*
 * Sends a request to all peers and waits for their replies; takes about a second at most.
 * Replaces the replies of the last call.
 */
int peers_ask(struct peers *p, struct err *err);

/* The k-th reply of a peer's replicas, lent until the next peers_ask; NULL: there are fewer. */
const cJSON *peers_reply(const struct peers *p, size_t peer, size_t k);

/* A reply came, or NATS said that nobody listens. */
bool peers_heard(const struct peers *p, size_t peer);

/* How many replicas of a dispatcher reply; *paused: those that have paused deliveries. */
size_t peers_count(const struct peers *p, size_t peer, size_t *paused);

/* The replica has paused deliveries, or cannot store dead letters. */
bool peers_is_paused(const cJSON *reply);

#endif
