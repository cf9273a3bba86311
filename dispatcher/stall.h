// SPDX-License-Identifier: Apache-2.0
/*
 * Decides when the dispatcher has stopped although it has work. That is always a fault of the
 * dispatcher itself. Otherwise a request, a timer or another operation that will move an event
 * is in progress, or something that the dispatcher needs is known to be missing. Pure:
 * watchdog.c collects the facts.
 */
#ifndef VCOURIER_STALL_H
#define VCOURIER_STALL_H

#include <stdbool.h>
#include <stdint.h>

enum { STALL_MS = 30 * 1000 };

enum stall_kind {
	STALL_NONE,
	STALL_PULL,    /* events are pending, none is held, and no pull requests them */
	STALL_DELIVER, /* events are held, and nothing will ever be done with them */
};

struct stall_view {
	/* NATS, the backend's refreshes and dead letters work, and no stop was requested */
	bool able;
	/* a usable consumer has events pending, and no pull of ours is open */
	bool starving;
	bool holding; /* there are jobs, or messages that are not jobs yet */
	/* a request, timer, probe, dead letter or body of a job, or a message without a job */
	bool under_way;
	uint64_t progress; /* any number that changes when a job begins or ends */
};

/* Zero it to begin. */
struct stall {
	enum stall_kind seen;
	int64_t since_ms;
	uint64_t progress;
};

/*
 * Call it about once a second. now_ms: monotonic. Gives the kind once it has lasted for
 * STALL_MS without progress, and again each STALL_MS while it lasts; else STALL_NONE.
 */
enum stall_kind stall_check(struct stall *stall, const struct stall_view *view, int64_t now_ms);

/* "pull", "deliver": metrics label and log field. */
const char *stall_name(enum stall_kind kind);

#endif
