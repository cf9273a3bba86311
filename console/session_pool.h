// SPDX-License-Identifier: Apache-2.0
/*
 * A few sessions (session.h) for requests that read streams, each with a reader of its own. A
 * request borrows one; when all are lent it waits a moment. Safe from any thread.
 */
#ifndef VCOURIER_SESSION_POOL_H
#define VCOURIER_SESSION_POOL_H

#include "session.h"

enum { POOL_SESSIONS = 4, POOL_WAIT_MS = 5000 };

struct session_pool;

int session_pool_open(struct session_pool **pool, struct bus *bus,
	const struct bus_config *config, struct err *err);
void session_pool_stop(struct session_pool *pool);  /* before the bus is closed */
void session_pool_close(struct session_pool *pool); /* after it was. NULL is fine */

/*
 * Lends a session that knows the sources and the dispatchers of a moment ago. NULL: NATS does
 * not answer (ERR_CONNECT, ERR_TIMEOUT), does not permit it, or all are lent (ERR_FULL).
 */
struct session *session_pool_borrow(struct session_pool *pool, struct err *err);
void session_pool_return(struct session_pool *pool, struct session *session);

#endif
