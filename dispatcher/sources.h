// SPDX-License-Identifier: Apache-2.0
/*
 * The streams that a dispatcher reads: one for each vCenter, and the replay stream. Each has a
 * puller and a stream_watch; other parts know it by its origin (job.h). Streams come and go
 * while the others are read. The loop's.
 */
#ifndef VCOURIER_SOURCES_H
#define VCOURIER_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "dispatcher_options.h"
#include "event_streams.h"
#include "inbox.h"
#include "jetstream.h"
#include "job.h"
#include "metrics.h"
#include "watcher.h"

struct sources;

struct sources_config { /* all borrowed */
	struct bus *bus;
	struct inbox *inbox;
	struct watcher *watcher;
	const char *durable;
	const struct dispatch_options *options;
	/* kept up to date: those that are read, and those that end */
	struct event_streams *streams;
	const struct stream_config *replay_stream;
	struct metric *expired, *redelivered;

	/* A message with an event that was not acknowledged lately; owns msg. */
	void (*on_message)(void *ctx, const struct origin *origin, struct bus_msg *msg,
		const struct jetstream_meta *meta, int64_t now_ms);
	/*
	 * The stream was recreated, or cut and grown again: known sequences belong to other
	 * events. Called before a message of the new stream is passed on.
	 */
	void (*on_recreated)(void *ctx, const struct origin *origin);
	/*
	 * The stream is read no longer: returns how many of its events are still held, and
	 * gives back those that can be. Called until it is 0.
	 */
	size_t (*on_end)(void *ctx, const struct origin *origin);
	void *ctx;
};

/* Begins with the replay stream alone. */
int sources_open(
	struct sources **sources, const struct sources_config *config, struct err *err);
/*
 * From now on these streams are read, beside the replay stream; the set is taken over. What is
 * read already goes on. Of a stream that is not among them no further event is requested; what
 * is under way ends, and the rest goes back to NATS. Streams in which no subject passes their
 * filter are not read.
 */
void sources_set(struct sources *sources, struct event_streams *wanted);
void sources_close(struct sources *sources); /* after the bus. NULL is fine */
size_t sources_n(const struct sources *sources);

/* Each turn, before messages are taken from the inbox. */
void sources_turn(struct sources *sources);
/* Ten times a second: ends and opens streams. */
void sources_tick(struct sources *sources);
/*
 * Keeps up to `budget` messages requested, divided over the streams; a pull requests at least
 * its stream's part of `least`.
 */
void sources_pull(struct sources *sources, size_t budget, size_t least, int64_t now_ms);
/* Forgets all pulls, and has consumers checked before it pulls again. */
void sources_restart(struct sources *sources);
/* Ends the subscriptions; waits for the server, and begins no wait after the deadline. */
void sources_end(struct sources *sources, int64_t deadline_ms);

/* The stream of this index; NULL: there is none any more. */
const struct origin *sources_origin(const struct sources *sources, size_t index);
/* The event was acknowledged: when it is redelivered it is acknowledged again. */
void sources_note_acked(const struct origin *origin, uint64_t seq, int64_t stored_us);
/*
 * Whether the stream no longer has this message, by its leader. False while that is not known;
 * then the leader will be asked.
 */
bool sources_is_gone(const struct origin *origin, uint64_t seq);

struct sources_summary {
	uint64_t pending; /* events, over all consumers */
	size_t open_pulls;
	bool starving; /* a ready consumer has events pending, and no pull of ours is open */
};

void sources_summary(struct sources *sources, struct sources_summary *summary);

#endif
