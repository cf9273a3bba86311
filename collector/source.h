// SPDX-License-Identifier: Apache-2.0
/*
 * A source of events: what the collector's loop (collect.c) needs to know of it. vCenter is one
 * (vcenter_source.c). The loop owns the connection to NATS, the lease, the stream and its
 * checkpoint, waits and retries; the source owns its session and its reading, and turns what it
 * reads into messages for the publisher.
 *
 * The order of calls, all in one thread, none after close:
 *
 *     open  (connect  (resume  next*)*)*  close
 *
 *     connect    in each turn, before anything else
 *     resume     when the stream has been read: at the start, after a failure of the stream,
 *                after a standby. What was sent and not acked is no longer in `seen`
 *     next       reads some events and sends those that are not stored
 *
 * A source that is polled reads in passes. One pass, in one or more calls of next:
 *
 *     position_begin                where it begins
 *     source_checkpoint_know_since  then `seen` has what is stored since there
 *     position_set_first            in the first pass of a new stream: see below
 *     position_begin_page, position_begun
 *     for each event: seen_has, publisher_send (with position_again and position_complete),
 *         source_checkpoint_add, position_sent
 *     position_end_page, source_checkpoint_caught_up, source_checkpoint_prune
 *
 * Without position_begun the next pass begins at the time of that pass while nothing is stored,
 * and events between the two are lost. A pass begins `overlap` before the position, which may
 * be before the start: the first one sets it, and events before it are skipped
 * (position_is_before_start, or is_before_start in horizon_intake.c when a key has more than
 * 32 bits).
 *
 * A source that receives events (a webhook) has no position to go back to: the checkpoint reads
 * nothing back. It sends what has arrived, as `unfenced` messages, so that several such
 * collectors may write to one stream; it calls publisher_drain and only then confirms to its
 * peer. When the publisher fails it refuses, and the peer sends again: Nats-Msg-Id removes the
 * duplicate.
 */
#ifndef VCOURIER_SOURCE_H
#define VCOURIER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source_checkpoint.h"
#include "err.h"
#include "http.h"
#include "publisher.h"
#include "router_config.h"

/* Which side failed; err says how. */
enum source_result {
	SOURCE_OK,
	SOURCE_NOT_READY, /* it answers, and cannot be read yet: try again soon */
	/* a reply could not be read: the next call, at once, asks for less. No failure yet */
	SOURCE_RETRY,
	/*
	 * no connection, a refusal, a bad reply. ERR_AUTH: the credentials were refused.
	 * ERR_FORBIDDEN: a privilege is missing. ERR_NOT_FOUND: the session is gone
	 */
	SOURCE_FAILED,
	STREAM_FAILED,  /* an event could not be stored, or the stream could not be read */
	SOURCE_STOPPED, /* a stop was requested */
};

/* Lent to the source from open to close. */
struct source_context {
	const char *name;           /* of the eventProvider */
	const char *subject_prefix; /* of its events: "vc" */
	struct http *http;
	struct publisher *publisher;
	struct source_checkpoint *checkpoint;
};

/* For metrics and the last log line. The counts only grow. */
struct source_status {
	bool connected;
	uint64_t read;                /* events */
	uint64_t suppressed;          /* of those: stored before */
	uint64_t rejected;            /* of those: cannot be stored */
	bool any;                     /* `newest` is set */
	struct position_event newest; /* the newest event that was sent */
};

/* What the loop needs of the source's options; strings are those of the options. */
struct source_settings {
	const char
		*address; /* of the peer, without user info, for logs and `vcourier status` */
	/* W: how far before the newest event reading begins; 60 s */
	int64_t overlap_ms;
	int64_t audit_span_ms; /* A: how far back late events are looked for; 10 min */
	int window;            /* publishes in flight */
	/* choose one reader among several collectors by a lease in NATS KV */
	bool lease;
};

/* What the source says of one kind of event; all texts are its own. */
struct source_description {
	const char *name;     /* a class, or the id of an EventEx */
	const char *severity; /* "info", "warning", "error", "user" */
	const char *category, *text;
};
typedef void source_description_fn(void *ctx, const struct source_description *description);

struct source {
	const char *name; /* "vcenter": check on /readyz, label of metrics */

	/*
	 * The options: a struct of the source, in the block eventProvider.<type>. bind
	 * fills it, zeroed before, from that block; release is called in either case.
	 */
	const char *const *types;          /* values of eventProvider.type, NULL at the end */
	const char *help;                  /* of the block: "The vCenter." */
	const struct config_field *fields; /* of the block */
	size_t options_size;
	int (*bind)(const struct router_config *config, const struct config_node *block,
		void *options, struct config_errors *errors);
	void (*release)(void *options);
	void (*settings)(const void *options, struct source_settings *settings);

	bool receives; /* events are sent to it; there is nothing to read again */

	/* log messages of failures: of ERR_AUTH, of ERR_FORBIDDEN, of any other */
	const char *refused, *forbidden, *failed;
	size_t message_min; /* bytes that a message must be allowed to have */

	/* options are borrowed until close. Cannot fail: does no I/O. */
	void (*open)(void **self, const void *options, const struct source_context *context);

	/* A session, when there is none; reads the credentials again for it. */
	enum source_result (*connect)(void *self, struct err *err);

	/* After a refused login: the credentials have changed since. Called once a second. */
	bool (*credentials_changed)(void *self);

	/* Whose events to look for in the stream, and up to which time to believe them. */
	void (*identify)(void *self, struct source_identity *id);

	/* The stream was read; *loaded says what it holds. */
	enum source_result (*resume)(
		void *self, const struct source_loaded *loaded, struct err *err);

	/*
	 * *wait_ms: pause before the next call, when there is nothing more to read now; 0: call
	 * again at once. Calls status_beat while it takes longer than a second.
	 */
	enum source_result (*next)(void *self, int64_t *wait_ms, struct err *err);

	/* In each turn, also while NATS is away and next is not called: updates metrics. */
	void (*observe)(void *self);

	/* Another collector reads: end the session. Only with the lease. */
	void (*stand_by)(void *self);

	/*
	 * NATS is away or the stream has failed, so next is not called for now: refuse events.
	 * NULL: a source that is polled has nothing to refuse.
	 */
	void (*refuse)(void *self);

	void (*position)(const void *self, struct source_status *status);

	/* Calls fn for each kind of event that the source describes. NULL: none. */
	void (*describe)(const void *self, source_description_fn *fn, void *ctx);

	void (*close)(void *self); /* ends the session; NULL is fine */
};

static inline void
source_refuse(const struct source *source, void *self)
{
	if (source->refuse != NULL)
		source->refuse(self);
}

#endif
