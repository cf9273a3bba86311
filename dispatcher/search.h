// SPDX-License-Identifier: Apache-2.0
/*
 * Finds out whether a message has left its stream. The loop asks when a replica does not find
 * the body of an event that is held here. The watch thread asks the stream's leader, because
 * that call waits for the server.
 */
#ifndef VCOURIER_SEARCH_H
#define VCOURIER_SEARCH_H

#include <stdint.h>

#include "bus.h"
#include "jetstream.h"

struct search;

/* bus and stream are borrowed. */
struct search *search_open(struct bus *bus, const char *stream);
void search_close(struct search *search); /* NULL is fine */

enum search_answer {
	SEARCH_GONE,      /* the leader says that the stream no longer has the message */
	SEARCH_REQUESTED, /* not known; the watch thread will ask: wake it */
	SEARCH_WAITING,   /* not known; the answer to an earlier request is not there yet */
};

/* The loop's. One question at a time; ask again until it is SEARCH_GONE or no longer needed. */
enum search_answer search_is_gone(struct search *search, uint64_t seq);

/* ---- the watch thread's */

/*
 * Asks the leader what the loop wants to know. When the answer is doubtful the question stays
 * open for the next turn. leader: since when the stream has had its leader; the caller's.
 */
void search_turn(struct search *search, struct steady *leader);
void search_forget(struct search *search); /* the stream was recreated */

#endif
