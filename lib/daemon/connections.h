// SPDX-License-Identifier: Apache-2.0
/*
 * The open connections of the status port. A client that sends a byte now and then would keep
 * its connection without limit, because libmicrohttpd's timeout counts silence only. So each
 * connection has an age limit, and when many are open the oldest is closed. A probe is
 * therefore answered even when there are many slow clients. Safe from any thread.
 */
#ifndef VCOURIER_CONNECTIONS_H
#define VCOURIER_CONNECTIONS_H

#include <stdint.h>

enum {
	CONNECTIONS_MAX = 64, /* that the server may accept */
	/*
	 * above this number a new one closes the oldest; the rest is room for those that are
	 * closing
	 */
	CONNECTIONS_KEPT = 48,
	CONNECTIONS_MS_MAX = 5000,
};

/* A connection was accepted. now_ms: monotonic. */
void connections_add(int fd, int64_t now_ms);

/* The server is about to close fd. */
void connections_remove(int fd);

/* Shuts down the connections that are older than CONNECTIONS_MS_MAX; the server closes them. */
void connections_expire(int64_t now_ms);

#endif
