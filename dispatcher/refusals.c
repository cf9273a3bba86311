// SPDX-License-Identifier: Apache-2.0
#include "refusals.h"

static void
doubt(struct refusals *r, int64_t now_ms)
{
	r->doubt_ms = now_ms;
	r->selective = false;
}

void
refusals_taken(struct refusals *r, size_t bytes, int64_t sent_ms, int64_t now_ms)
{
	if (bytes > r->largest)
		r->largest = bytes;
	if (r->row >= REFUSALS_ROW && sent_ms < r->since_ms)
		return; /* a late reply: it says nothing about the time since the refusals */
	if (r->row > 1 && sent_ms >= r->since_ms)
		doubt(r, now_ms); /* it refused everything for a while */
	r->taken_ms = now_ms;
	if (r->grace_over)
		r->selective = true;
	r->grace_over = false;
	r->row = 0;
	r->outage_ms = 0;
}

void
refusals_failed(struct refusals *r, int64_t now_ms)
{
	doubt(r, now_ms);
	r->row = 0;
	r->outage_ms = now_ms;
}

static void
note_destination(struct refusals *r, const struct refused *attempt, int64_t grace_ms)
{
	int64_t now_ms = attempt->now_ms;

	if (r->row == 0 || now_ms - r->last_ms > grace_ms + REFUSALS_APART_MS) {
		r->row = 1;
		r->grace_over = false;
		r->since_ms = now_ms;
	} else if (attempt->event != r->event) {
		r->row++;
	}
	r->event = attempt->event;
	r->last_ms = now_ms;
	if (r->row >= REFUSALS_ROW)
		doubt(r, now_ms);
}

bool
refusals_note(struct refusals *r, struct refusal *own, const struct refused *attempt,
	int64_t grace_ms)
{
	note_destination(r, attempt, grace_ms);
	if (own->at_ms <= r->outage_ms)
		own->n = 0;
	if (own->n++ == 0) {
		own->sent_ms = attempt->sent_ms;
		own->at_ms = attempt->now_ms;
	}
	own->grace_ends_ms = (own->at_ms < r->since_ms ? own->at_ms : r->since_ms) + grace_ms;
	own->contradicts = attempt->too_large && attempt->bytes <= r->largest / 2;
	if (attempt->now_ms >= own->grace_ends_ms) {
		r->grace_over = true;
		if (attempt->too_large)
			r->largest = 0; /* its limit has changed */
		return true;
	}
	if (own->n == 1 || r->row > 1 || own->contradicts)
		return false;
	if (r->taken_ms <= own->sent_ms && !r->selective)
		return false;
	r->row = 0; /* this one says nothing about the others */
	return true;
}

bool
refusals_singled_out(const struct refusals *r, const struct refusal *own)
{
	return own->n == 1 && !own->contradicts && r->row <= 1 && r->taken_ms > own->sent_ms &&
		r->doubt_ms < own->sent_ms;
}
