// SPDX-License-Identifier: Apache-2.0
/*
 * The open connections of the server. libmicrohttpd's timeout counts silence only, so a client
 * that sends a byte now and then would keep its connection without limit. Here a request must
 * have come SERVER_REQUEST_MS after the connection was opened, or after the last answer. Safe
 * from any thread.
 */
#ifndef VCOURIER_SERVER_CONNECTIONS_H
#define VCOURIER_SERVER_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct server_connections;

struct server_connections *server_connections_open(void);
void server_connections_close(struct server_connections *c);

/* key: whatever names the connection until it is removed. */
void server_connections_add(
	struct server_connections *c, const void *key, int fd, int64_t now_ms);
void server_connections_remove(struct server_connections *c, const void *key);

/* busy: its request has come and is being answered; however long that takes. */
void server_connections_busy(struct server_connections *c, const void *key, bool busy);

/* Shuts down the others that are too old; the server then closes them. */
void server_connections_expire(struct server_connections *c, int64_t now_ms);

#endif
