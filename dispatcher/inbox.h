// SPDX-License-Identifier: Apache-2.0
/*
 * Messages on their way from the threads of the bus to the loop, in the order in which they
 * came. Who subscribes has a port; the loop calls the port's handler for each of its messages,
 * so handlers need no locks.
 */
#ifndef VCOURIER_INBOX_H
#define VCOURIER_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "http.h"

struct inbox;

/* Called by the loop; owns msg. now_ms: monotonic. */
typedef void inbox_handler(void *ctx, struct bus_msg *msg, int64_t now_ms);

struct inbox_port {
	struct inbox *inbox;
	inbox_handler *handle;
	void *ctx;
};

/* http: the loop waits in its http_run, and is woken there. It must live until inbox_stop. */
struct inbox *inbox_open(struct http *http);
/*
 * Frees the messages that are here and each one that comes later: the bus may still bring some
 * until it is closed.
 */
void inbox_stop(struct inbox *inbox);
void inbox_close(struct inbox *inbox); /* after the bus. NULL is fine for both */

/*
 * A bus_on_msg: subscribe with it and the port as its ctx. The port must live until the bus is
 * closed. Any thread.
 */
void inbox_put(void *port, struct bus_msg *msg);

/* ---- the loop's */

/* Hands over the next message; false when there is none. */
bool inbox_next(struct inbox *inbox, int64_t now_ms);
/*
 * Messages that were taken from the threads and not handed over yet: at most those of one
 * batch.
 */
size_t inbox_taken(const struct inbox *inbox);
bool inbox_empty(struct inbox *inbox);
/*
 * Before the loop waits. wake: a message that comes from now on ends the wait; else it is found
 * when something else does. False: do not wait, a message has come that the loop wants to be
 * woken for.
 */
bool inbox_may_wait(struct inbox *inbox, bool wake);

#endif
