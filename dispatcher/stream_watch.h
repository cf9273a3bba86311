// SPDX-License-Identifier: Apache-2.0
/*
 * One stream and the durable consumer on it, between two threads. The watch thread (watcher.h)
 * checks them (stream_check.h), where calls wait for the server. The loop reads the small state
 * that is published here, asks for a check, and never waits.
 */
#ifndef VCOURIER_STREAM_WATCH_H
#define VCOURIER_STREAM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "stream_check.h"

struct stream_watch;

/* Wakes the watch thread. Called on any thread. */
typedef void stream_watch_wake_fn(void *ctx);

struct stream_watch *stream_watch_open(
	const struct stream_check_config *config, stream_watch_wake_fn *wake, void *ctx);
/* Once stream_watch_ended, or after the watch thread has ended; the loop. NULL is fine. */
void stream_watch_close(struct stream_watch *watch);

/* ---- the loop's */

struct stream_state {
	/* stream and consumer exist and fit, checked over the present connection */
	bool ready;
	/* counts up each time they became ready: pulls from before are void */
	uint64_t generation;
	uint64_t pending, ack_pending; /* of the consumer at the last check */
};

void stream_watch_state(struct stream_watch *watch, struct stream_state *state);
/* Something is wrong: not ready until stream and consumer were checked again. */
void stream_watch_request_check(struct stream_watch *watch);
/*
 * True once after the stream was recreated, or cut and grown again: its sequences now belong to
 * other events. Ask before a message is accepted.
 */
bool stream_watch_was_recreated(struct stream_watch *watch);
/*
 * Whether the stream no longer has this message, by its leader. False while that is not known;
 * then the leader will be asked.
 */
bool stream_watch_is_gone(struct stream_watch *watch, uint64_t seq);
/* Tells how many messages the open pulls still wait for; 0 while messages come. */
void stream_watch_set_requested(struct stream_watch *watch, int messages);
void stream_watch_count_redelivery(struct stream_watch *watch); /* the server redelivered one */

/*
 * The stream is read no longer: the watch thread calls fn, which may wait for the server, and
 * then never uses this stream_watch again.
 */
typedef void stream_watch_end_fn(void *ctx);
void stream_watch_end(struct stream_watch *watch, stream_watch_end_fn *fn, void *ctx);
bool stream_watch_ended(struct stream_watch *watch);

/* ---- the watch thread's */

/* Whether stream_watch_end was called: then this has called fn, and the loop may close it. */
bool stream_watch_turn_end(struct stream_watch *watch);
/* Answers the loop's search and checks when that is due; true when it has checked. */
bool stream_watch_turn(struct stream_watch *watch);

struct stream_report {
	bool ready;
	bool replay; /* as configured */
	/* the consumer's position is not in the stream, and it could not be recreated yet */
	bool consumer_ahead;
	uint64_t pending, ack_pending;
	int64_t oldest_us; /* when the first unsettled event was stored; 0: there is none */
	const char *
		trouble; /* why it is not ready; "": not known yet. Valid until the next turn */
};

void stream_watch_report(struct stream_watch *watch, struct stream_report *report);

#endif
