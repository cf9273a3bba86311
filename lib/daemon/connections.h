// SPDX-License-Identifier: Apache-2.0
/*
 * The open connections of an HTTP server. A client that sends a byte now and then would keep
 * its connection without limit, because libmicrohttpd's timeout counts silence only. So each
 * connection has a time limit, and when many are open the one that has waited longest is
 * closed. A request is therefore answered even when there are many slow clients. Safe from any
 * thread.
 */
#ifndef VCOURIER_CONNECTIONS_H
#define VCOURIER_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connections;

struct connections_limits {
	size_t max; /* that the server may accept */
	/*
	 * above this number a new one closes the oldest; the rest is room for those that are
	 * closing
	 */
	size_t kept;
	int64_t ms_max; /* since a connection was added or touched */
};

struct connections *connections_open(const struct connections_limits *limits);
void connections_close(struct connections *c); /* NULL is fine */

/* A connection was accepted. now_ms: monotonic. */
void connections_add(struct connections *c, int fd, int64_t now_ms);

/* A request on it has begun or ended: its time begins again. */
void connections_touch(struct connections *c, int fd, int64_t now_ms);

/*
 * busy: its request has come and is being answered; no limit holds for how long. false: the
 * answer has ended, and its time begins again. A busy connection may still be the oldest above
 * `kept`.
 */
void connections_busy(struct connections *c, int fd, bool busy, int64_t now_ms);

/* The server is about to close fd. */
void connections_remove(struct connections *c, int fd);

/* Shuts down those older than ms_max that are not busy; the server closes them. */
void connections_expire(struct connections *c, int64_t now_ms);

size_t connections_count(struct connections *c);

#endif
