// SPDX-License-Identifier: Apache-2.0
/*
 * Messages on their way from the threads of the bus to the event loop, in the order in which
 * they came. Each subscription has a port. The loop calls the port's handler for each message
 * of it, so handlers need no locks.
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

/* http: the loop waits in its http_run and is woken there. It must live until inbox_stop. */
struct inbox *inbox_open(struct http *http);
/* Frees the messages that are queued and all later ones: some may come until bus_close. */
void inbox_stop(struct inbox *inbox);
void inbox_close(struct inbox *inbox); /* after bus_close. NULL is allowed for both */

/*
 * A bus_on_msg: subscribe with it and the port as its ctx. The port must live until the bus is
 * closed, or until its subscription has ended and inbox_has is false. Any thread.
 */
void inbox_put(void *port, struct bus_msg *msg);

/* ---- for the thread of the event loop */

/* Calls the handler of the next message; false: no message is queued. */
bool inbox_next(struct inbox *inbox, int64_t now_ms);
/* Messages that were taken from the threads and have not reached their handlers yet. */
size_t inbox_taken(const struct inbox *inbox);
bool inbox_empty(struct inbox *inbox);
/* A message of this port has not reached its handler yet. */
bool inbox_has(struct inbox *inbox, const struct inbox_port *port);
/*
 * Call it before the loop waits. wake: a message that comes from now on ends the wait; without
 * it the loop finds the message when something else has ended the wait. False: do not wait, a
 * message has come and wake is set.
 */
bool inbox_may_wait(struct inbox *inbox, bool wake);

#endif
