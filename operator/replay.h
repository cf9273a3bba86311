// SPDX-License-Identifier: Apache-2.0
/*
 * Sends stored events again to one dispatcher. It copies them to the stream of replays, which
 * every dispatcher reads beside the streams of events. Other dispatchers do not get them, and
 * no position changes.
 */
#ifndef VCOURIER_REPLAY_H
#define VCOURIER_REPLAY_H

#include "pattern.h"
#include "session.h"

struct replay_choice {
	const char *durable;     /* the dispatcher's token: session_dispatcher_token */
	const char *source;      /* NULL: all */
	const char *subject;     /* with wildcards; NULL: any */
	const char *function;    /* NULL: every target */
	struct pattern *pattern; /* NULL: any */
	int64_t since_us, until_us;
	int64_t from_seq; /* of the one source; 0: since_us counts */
	bool dry_run;     /* only count */
};

struct replay_counts {
	unsigned long long seen, sent, total, refused;
};

struct replay_watch {
	/* After each event; false stops the replay. */
	bool (*progress)(void *ctx, const struct replay_counts *counts);
	/* An event is too large to be sent again; the others are sent. */
	void (*refused)(void *ctx, const char *stream, uint64_t seq, const struct err *why);
	void *ctx;
};

/* After session_sources. -1: NATS failed; counts has what was done before. */
int replay_run(struct session *s, const struct replay_choice *choice,
	const struct replay_watch *watch, struct replay_counts *counts, struct err *err);

#endif
