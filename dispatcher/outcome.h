// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of an event at one target when an attempt has ended, or could not be made; pure.
 * settle.c finds out what the attempt says of the destination (refusals.h, circuit.h), asks
 * here, and does it.
 */
#ifndef VCOURIER_OUTCOME_H
#define VCOURIER_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher_options.h"

enum ending {
	ENDING_FAILED, /* the destination could not, or not now (VERDICT_RETRY) */
	ENDING_DELIVERED,
	ENDING_REFUSED, /* it blames the event (VERDICT_REJECTED) */
	/* nothing was sent: */
	ENDING_SINGLED_OUT, /* refused before, and others were taken meanwhile (refusals.h) */
	ENDING_UNREADABLE,  /* the message is not a CloudEvent */
	ENDING_UNENCODABLE, /* it cannot become a request */
	ENDING_GONE, /* the target is not there any more, or does not want the event any more */
};

struct attempt {
	enum ending ending;
	bool at_fault;    /* refused: and that is believed (refusals.h) */
	bool held_back;   /* refused: the circuit is open for a flood of refusals, and this was
			     not its probe */
	unsigned n;       /* attempts so far, this one included */
	int64_t age_ms;   /* since the first of them */
	int64_t pause_ms; /* Retry-After, or -1 */
	int64_t grace_ends_ms; /* refused: the next attempt comes by then */
	int64_t now_ms;
	uint64_t random; /* any */
};

enum next_step { NEXT_RETRY, NEXT_DELIVERED, NEXT_DEAD, NEXT_DROP };

struct next {
	enum next_step step;
	int64_t at_ms;      /* retry: when */
	const char *reason; /* dead: constant, the dead letter's Vcourier-Reason */
};

/*
 * Waits: after a failure anything from 0 to the ceiling (full jitter), after a refusal at least
 * half of it, so that the attempts which were under way at the same time have ended before the
 * event is judged.
 */
struct next outcome_next(const struct dispatch_retry *retry, const struct attempt *attempt);

#endif
