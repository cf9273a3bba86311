// SPDX-License-Identifier: Apache-2.0
/*
 * The newest events, for browsers that watch: one ring for all of them. A browser has a place
 * in the ring and no memory of its own. One that is slow loses rows and gets their number; it
 * slows nothing. Safe from any thread.
 */
#ifndef VCOURIER_LIVE_H
#define VCOURIER_LIVE_H

#include "buf.h"
#include "event_row.h"

enum {
	LIVE_ROWS = 1024,                 /* power of two not needed */
	LIVE_BYTES_MAX = 4 * 1024 * 1024, /* of all rows */
	LIVE_CLIENTS_MAX = 256,
	LIVE_BATCH = 40,     /* rows of one message to a browser */
	LIVE_PAUSE_MS = 150, /* between two messages; once less, by early_ms */
	LIVE_HEARTBEAT_MS = 5000,
};

struct live;

struct live_client {
	uint64_t next;  /* the number of the row that it has not seen */
	uint64_t state; /* of live_set_state, that it has seen */
	int64_t looked_ms;
	int64_t early_ms; /* so much of the pause is left out after a wait */
	struct row_filter filter;
};

struct live *live_open(void);
void live_close(struct live *live);

/* The feed adds a row, which is the ring's from then on. */
void live_add(struct live *live, struct event_row *row);
/* Whether events come; why not, for people. Told to all browsers when it changes. */
void live_set_state(struct live *live, bool connected, const char *why);

/* False: there are LIVE_CLIENTS_MAX. The filter is the client's from then on. */
bool live_join(struct live *live, struct live_client *client);
void live_leave(struct live *live, struct live_client *client);
size_t live_clients(struct live *live);
/* Waits until there is a client, or for ms at most. */
bool live_wait_client(struct live *live, int64_t ms);

/*
 * Waits for rows that the client wants, and appends a message of the event stream format
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html): rows, a state, or a comment
 * when nothing happened for LIVE_HEARTBEAT_MS. False: the ring is closing.
 */
bool live_next(struct live *live, struct live_client *client, struct buf *out);

/* Makes live_next return false, for all clients. */
void live_stop(struct live *live);

#endif
