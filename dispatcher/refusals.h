// SPDX-License-Identifier: Apache-2.0
/*
 * Whose fault a refusal is, the event's or the destination's; pure, time is an argument.
 *
 * A refusal is a reply that blames the event: 400, 413, 415, 422, a redirect, AccessDenied for
 * an entry of PutEvents (VERDICT_REJECTED). An ingress that is starting, a proxy, a firewall
 * and IAM give the same replies to any event, so one refusal proves nothing. What the
 * destination does with other events is the proof.
 *
 * A destination is one target (a queue: the only one of a backend, or one function of a
 * fan-out) or the dead letter sink. Each has a `struct refusals`, each event that goes there a
 * `struct refusal`. "Taken" means delivered by this process: at its start a destination has
 * taken nothing. The events of a batch count one by one, in the order of the reply.
 *
 * Rule 1, "one event refused among others that pass" (refusals_singled_out). The event was
 * refused once and its wait for the second attempt is over. Since it was sent, the destination
 * took another event, did not fail, and did not refuse events in a row. A row is three
 * different events without a delivery between them, or two when the delivery after them was
 * sent later (then the destination may have refused everything for a while). Only a delivery
 * that was sent after a row began ends it: an earlier one is a late reply. The event is a
 * dead letter after one request.
 *
 * Rule 2. The event is refused again. Since its first refused attempt was sent, the destination
 * took another event; since its latest delivery it refused no other event.
 *
 * Rule 3. The grace (retry.rejectGrace) is over. It begins with the first refusal of the
 * destination since its latest delivery, or with the first refusal of this event, whichever is
 * earlier; a failure of the destination that no delivery followed ends it, and the next refusal
 * begins a new one (an outage, and then an ingress that starts). So a bad event is a dead
 * letter in the end also when it is alone on a quiet stream, or at the head of an ordered one,
 * where no later event can prove anything.
 *
 * When no rule holds, the event is tried again with backoff, and the refusal counts as a
 * failure in the circuit. A flood of refusals (circuit.h) holds back dead letters by rules 2
 * and 3, except those of its probes.
 *
 * Two refinements. When a grace ended and the destination took events afterwards, it is known
 * to refuse single events for good (`selective`): until it fails or refuses a row, rule 2 needs
 * no event taken meanwhile. So bad events in a strictly ordered stream delay it by one grace,
 * not by one each. And a 413 for an event of at most half the size of one that was taken
 * contradicts what the destination did before: for such an event only rule 3 holds.
 */
#ifndef VCOURIER_REFUSALS_H
#define VCOURIER_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REFUSALS_ROW = 3, /* rule 1 */
	/*
	 * A refusal that comes later than the grace and this after the one before begins a new
	 * grace; longer than the wait between two probes of a circuit.
	 */
	REFUSALS_APART_MS = 3 * 60 * 1000,
};

/* A destination; all zero at the start. Times are of the monotonic clock. */
struct refusals {
	int64_t taken_ms;  /* when it last took an event; 0: never */
	int64_t doubt_ms;  /* when it last failed, or refused events in a row; 0: never */
	int64_t outage_ms; /* when it last failed, and has taken nothing since; 0: it has */
	unsigned row;   /* refusals since taken_ms, each of another event than the one before */
	uint64_t event; /* the latest of them */
	int64_t since_ms, last_ms;  /* the first and the latest */
	bool grace_over, selective; /* a grace ended since taken_ms; and once, other events were
				       taken afterwards */
	size_t largest;             /* bytes of the largest event it took */
};

/* One event at one destination; all zero before its first refusal. */
struct refusal {
	unsigned n;
	int64_t sent_ms, at_ms; /* the first refused attempt: sent, answered */
	int64_t grace_ends_ms;  /* as of the latest refusal */
	bool contradicts;       /* 413, though a much larger event was taken */
};

/* An attempt that was refused. */
struct refused {
	uint64_t event; /* any number that identifies the event */
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
