// SPDX-License-Identifier: Apache-2.0
/*
 * Whose fault a refusal is, the event's or the destination's; pure, time is an argument.
 *
 * A refusal is a reply that blames the event: 400, 413, 415, 422, a redirect, AccessDenied for
 * an entry of PutEvents (VERDICT_REJECTED). An ingress that is starting, a proxy, a firewall
 * and IAM give the same replies to any event, so one refusal proves nothing. What proves
 * something is what the destination does with other events. A destination is one target (a
 * lane), or the dead letter sink; each has a `struct refusals`, each event that goes there a
 * `struct refusal`. At the start of a process a destination has taken nothing.
 *
 * A refused event is believed to be at fault, and becomes a dead letter, when one of these
 * holds:
 *
 *  1. It was refused once, its wait for the second attempt is over, and meanwhile, since it was
 * sent, the destination took another event and neither failed nor refused events in a row:
 * three, or two unless the delivery that ends the row was under way at the same time. "One
 * event refused among others that pass": it costs one request. (refusals_singled_out)
 *  2. It was refused again; since the first of these attempts was sent another event was taken,
 * and since the latest delivery no other event was refused.
 *  3. Its grace (retry.rejectGrace) is over. The grace begins with the destination's first
 * refusal since it last took an event, or with this event's own first one, whichever is
 * earlier. Thus a bad event is a dead letter in the end, alone on a quiet stream and at the
 * head of an ordered one too.
 *
 * Until then the event is tried again, with backoff, and the refusals feed the circuit like
 * failures. Two additions. When a grace ended and the destination took other events afterwards,
 * it is known to refuse single events for good: then 2 holds without an event taken meanwhile,
 * so that a bad event in a strictly ordered stream delays it by one grace only once. And a 413
 * for an event that is half as large as one that was taken, or smaller, contradicts itself:
 * only 3 counts.
 */
#ifndef VCOURIER_REFUSALS_H
#define VCOURIER_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Refusals further apart than the grace and this have nothing to do with each other: longer
 * than two probes' wait. */
enum { REFUSALS_APART_MS = 3 * 60 * 1000 };
enum { REFUSALS_ROW = 3 };

/* A destination; all zero at the start. Times are of the monotonic clock. */
struct refusals {
	int64_t taken_ms; /* when it last took an event; 0: never */
	int64_t doubt_ms; /* when it last failed, or refused events in a row; 0: never */
	unsigned row;	/* refusals since taken_ms, each of another event than the one before */
	uint64_t event; /* the latest of them */
	int64_t since_ms, last_ms;  /* the first and the latest */
	bool grace_over, selective; /* a grace ended since taken_ms; and once, other events were
				       taken afterwards */
	size_t largest;		    /* bytes of the largest event it took */
};

/* One event at one destination; all zero before its first refusal. */
struct refusal {
	unsigned n;
	int64_t sent_ms, at_ms; /* the first refused attempt: sent, answered */
	int64_t grace_ends_ms;	/* as of the latest refusal */
	bool contradicts;	/* 413, though a much larger event was taken */
};

/* An attempt that was refused. */
struct refused {
	uint64_t event; /* any number that tells events apart */
	size_t bytes;
	bool too_large; /* 413 */
	int64_t sent_ms, now_ms;
};

void refusals_taken(struct refusals *r, size_t bytes, int64_t sent_ms, int64_t now_ms);
void refusals_failed(struct refusals *r, int64_t now_ms); /* no reply, 5xx, 429 and so on */

/* Notes a refusal; true when the event is at fault, by rule 2 or 3. */
bool refusals_note(struct refusals *r, struct refusal *own, const struct refused *attempt,
	int64_t grace_ms);

/* Rule 1: true when the event is at fault. To be asked when its next attempt is due. */
bool refusals_singled_out(const struct refusals *r, const struct refusal *own);

#endif
