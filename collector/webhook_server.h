// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP server of the webhook (libmicrohttpd), in a thread of its own. It authenticates and
 * reads requests and makes events of them (webhook_parse.h). Requests with events wait in a
 * queue until the collector's loop has stored the events and answers them; all others are
 * answered at once.
 *
 * Bounded: connections, the time in which a request must arrive, bytes of each body and of all.
 */
#ifndef VCOURIER_WEBHOOK_SERVER_H
#define VCOURIER_WEBHOOK_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "webhook_options.h"
#include "webhook_events.h"

struct webhook_server;

/* Opened by webhook_http_open (webhook_http.h). */
void webhook_server_close(struct webhook_server *server); /* refuses what waits; NULL is fine */
int webhook_server_port(const struct webhook_server *server);

/*
 * Whether events can be stored. If not, requests that wait and that come are answered with 503.
 * message_max: bytes that a message may have.
 */
void webhook_server_set_ready(struct webhook_server *server, bool ready, size_t message_max);

/* A request that waits for its events to be stored. */
struct webhook_request;
const struct webhook_events *webhook_request_events(const struct webhook_request *request);
struct webhook_request *webhook_request_next(const struct webhook_request *request);

/* All requests that wait, in order; NULL: there was none for wait_ms. */
struct webhook_request *webhook_server_take(struct webhook_server *server, int64_t wait_ms);

/* Answers a request that was taken. Not stored: with 503. It is gone then. */
void webhook_server_answer(
	struct webhook_server *server, struct webhook_request *request, bool stored);

/*
 * Call it a few times a second: closes connections that are too old, and uses changed files of
 * the certificate. -1: they cannot be used, and the old ones stay in use; reported once for
 * each change.
 */
int webhook_server_tick(struct webhook_server *server, struct err *err);

size_t webhook_server_connections(struct webhook_server *server);

#endif
