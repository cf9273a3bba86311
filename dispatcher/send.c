// SPDX-License-Identifier: Apache-2.0
/*
 * Ready legs become requests, replies become outcomes. Lanes take turns, so a busy one delays
 * no other.
 */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "message.h"

struct flight {
	struct dispatcher *d;
	struct lane *lane;
	bool probe, gate_probe;
	size_t n;
	struct leg *leg[BATCH_MAX];
};

static size_t
lane_limit(const struct dispatcher *d)
{
	int64_t limit = d->options->concurrency_per_target;

	if (limit <= 0)
		limit = d->fans_out ? d->options->concurrency / 4 : d->options->concurrency;
	return limit > 0 ? (size_t)limit : 1;
}

/*
 * Half of the slots are for those that have few: slow targets together must not take all of
 * them.
 */
size_t
send_limit(const struct dispatcher *d)
{
	size_t limit = lane_limit(d), all = (size_t)d->options->concurrency;
	size_t share = all / 2 / (d->jobs.n_lanes > 0 ? d->jobs.n_lanes : 1);

	if (!d->fans_out || d->in_flight < all / 2 || share >= limit)
		return limit;
	return share > 0 ? share : 1;
}

bool
send_room(const struct dispatcher *d)
{
	return d->in_flight + ack_flush_slots(d->ack_flush) < (size_t)d->options->concurrency;
}

/* More events are on their way, and would fill the request. */
static bool
filling(const struct dispatcher *d, const struct lane *lane, int64_t now_ms)
{
	return d->more && lane->n_ready < d->processor->batch_max &&
		lane->circuit.state == CIRCUIT_CLOSED &&
		now_ms - lane->ready->job->received_ms < FILL_MS;
}

static bool
may_send(struct dispatcher *d, struct lane *lane, int64_t now_ms)
{
	bool open = lane->circuit.state == CIRCUIT_OPEN;

	if (lane->n_ready == 0 && !(open && lane->n_waiting > 0))
		return false;
	if (filling(d, lane, now_ms)) {
		d->filling = true;
		return false;
	}
	return lane->in_flight < send_limit(d) && circuit_allows(&d->gate, now_ms) &&
		circuit_allows(&lane->circuit, now_ms);
}

/*
 * How well a leg serves as a probe: at hand before away, not tried before tried, so that one
 * bad event proves nothing.
 */
static int
rank(const struct leg *leg)
{
	return 2 * (leg->job->msg != NULL) + (leg->attempts == 0);
}

static struct leg *
pick(struct lane *lane, bool probe)
{
	struct leg *best = lane->ready, *leg = best;

	if (!probe)
		return best;
	for (int i = 0; leg != NULL && rank(best) < 3 && i < 64; leg = leg->next, i++)
		if (rank(leg) > rank(best))
			best = leg;
	return best != NULL ? best : lane->n_waiting > 0 ? lane->waiting[0] : NULL;
}

/* The server has not heard of it for ack_wait, and gave it to somebody else. */
static bool
stale(const struct dispatcher *d, const struct job *job, int64_t now_ms)
{
	return now_ms - job->touched_ms > d->options->ack_wait_ms &&
		job->n_open == job->n_legs && job->n_legs == 1;
}

/*
 * A target that answered 404 may be gone: asked once more whether the event is for it, it is
 * not, if the processor has looked since. True when the leg is over.
 */
static bool
drop_if_gone(struct dispatcher *d, struct leg *leg, const struct event *ev)
{
	bool wanted = false;
	struct err err;

	if (!d->fans_out || leg->lane->status != 404)
		return false;
	targets_clear(&d->targets);
	if (processor_route(d->processor, d->self, ev, &d->targets, &err) != 0)
		return false;
	for (size_t i = 0; i < d->targets.n && !wanted; i++)
		wanted = strcmp(d->targets.target[i].name, leg->target) == 0;
	if (wanted)
		return false;
	log_info("target is gone", L_STR("event", ev->id), L_STR("target", leg->target));
	settle_unsent(d, leg, ENDING_GONE);
	return true;
}

/* A held event is not sent next, so its body needs room in the buffer. */
static bool
may_fetch(const struct flight *f, const struct leg *leg)
{
	const struct dispatcher *d = f->d;

	return d->jobs.n_fetching < (size_t)d->options->concurrency &&
		!(f->probe && f->lane->fetching > 0) &&
		!(accept_holds(d, leg) && d->jobs.bytes >= (size_t)d->options->buffer_bytes);
}

/*
 * Takes legs off the lane into the flight as far as they fit into one request; their events are
 * in scratch.
 */
static void
load(struct flight *f, int64_t now_ms)
{
	struct dispatcher *d = f->d;
	const struct processor *p = d->processor;
	size_t room = p->weight != NULL ? p->weight_max(d->self) : 0,
	       max = f->probe || f->gate_probe ? 1 : p->batch_max;
	struct leg *leg;
	struct err err;

	while (f->n < max && (leg = pick(f->lane, f->probe)) != NULL) {
		struct event *ev = &d->scratch[f->n];
		size_t weight = 0;

		if (stale(d, leg->job, now_ms)) {
			settle_drop(d, leg->job);
			continue;
		}
		if (leg->job->msg == NULL) {
			if (!may_fetch(f, leg))
				break;
			park_fetch(d, leg->job, f->lane, now_ms);
			continue;
		}
		if (accept_holds(d, leg)) {
			accept_again(d, leg->job);
			continue;
		}
		if (leg->batch_max < max)
			max = leg->batch_max;
		if (f->n >= max)
			break;
		/* it was readable when it came */
		if (message_read_event(leg->job->msg, ev, &err) != 0) {
			leg_explain(leg, 0, err.text);
			settle_unsent(d, leg, ENDING_UNREADABLE);
			continue;
		}
		if (refusals_singled_out(&leg->lane->refusals, &leg->refusal)) {
			settle_unsent(d, leg, ENDING_SINGLED_OUT);
			continue;
		}
		if (drop_if_gone(d, leg, ev))
			continue;
		if (p->weight != NULL)
			weight = p->weight(d->self, ev);
		if (f->n > 0 && weight > room)
			break;
		room -= weight < room ? weight : room;
		leg_take(leg);
		leg->sent_ms = now_ms;
		leg->state = LEG_IN_FLIGHT;
		f->leg[f->n++] = leg;
	}
}

/* Hands each event's outcome on; the flight is over. */
static void
land(struct flight *f, const struct outcome *outcomes)
{
	struct dispatcher *d = f->d;
	struct lane *lane = f->lane;

	for (size_t i = 0; i < f->n; i++)
		settle_outcome(d, f->leg[i], &outcomes[i], f->probe && i == 0);
	if (f->gate_probe)
		circuit_abandon(&d->gate); /* unless settling has said more */
	lane_prune(&d->jobs, lane);
	free(f);
}

/*
 * Whether the destination as a whole answers; only where it has several targets, each with its
 * own circuit.
 */
static void
feed_gate(struct flight *f, const struct http_response *rsp, int64_t now_ms)
{
	struct dispatcher *d = f->d;
	bool changed;

	if (rsp->error == ERR_CONNECT || rsp->error == ERR_TLS)
		changed = circuit_failure(
			&d->gate, f->leg[0]->job->seq, f->gate_probe, -1, now_ms);
	else if (rsp->status != 0)
		changed = circuit_success(&d->gate, now_ms);
	else
		return;
	f->gate_probe = false;
	if (changed)
		pause_gate(d, &rsp->why);
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct flight *f = ctx;
	struct dispatcher *d = f->d;
	struct outcome outcomes[BATCH_MAX];
	struct target target = { .name = f->lane->name };

	for (size_t i = 0; i < f->n; i++) {
		outcomes[i] = (struct outcome){ .retry_after_ms = -1 };
		f->leg[i]->http1 |= rsp->stream_broken;
	}
	d->processor->judge(d->self, &target, rsp, f->n, outcomes);
	books_response(&d->books, rsp, f->n);
	d->in_flight--;
	f->lane->in_flight--;
	if (d->fans_out)
		feed_gate(f, rsp, clock_monotonic_ms());
	land(f, outcomes);
}

/* Nothing was sent, and not because of the events: an attempt that failed. */
static void
fail_to_send(struct flight *f, const struct err *err)
{
	struct outcome outcomes[BATCH_MAX];

	for (size_t i = 0; i < f->n; i++)
		outcomes[i] = (struct outcome){
			.retry_after_ms = -1, .refresh = err->code == ERR_AUTH, .why = *err
		};
	land(f, outcomes);
}

/*
 * The processor cannot make a request of them. An event that is at fault is found by sending
 * each alone; credentials or an address that cannot be used are nobody's fault here: tried
 * again, and the circuit hears of it.
 */
static void
refuse(struct flight *f, const struct err *err)
{
	if (err->code == ERR_AUTH || err->code == ERR_NOT_FOUND) {
		fail_to_send(f, err);
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		f->leg[i]->batch_max = 1;
		if (f->n > 1) {
			leg_ready(f->leg[i]);
		} else {
			leg_explain(f->leg[i], 0, err->text);
			settle_unsent(f->d, f->leg[i], ENDING_UNENCODABLE);
		}
	}
	if (f->probe)
		circuit_abandon(&f->lane->circuit);
	if (f->gate_probe)
		circuit_abandon(&f->d->gate);
	free(f);
}

/* One request of this lane; false when there was nothing to send after all. */
static bool
send_one(struct dispatcher *d, struct lane *lane, int64_t now_ms)
{
	struct flight *f = mem_alloc(sizeof(*f));
	struct target target = { .name = lane->name };
	const struct event *events[BATCH_MAX];
	struct http_request *req;
	struct err err = { .code = ERR_NONE };

	*f = (struct flight){ .d = d,
		.lane = lane,
		.probe = lane->circuit.state == CIRCUIT_OPEN,
		.gate_probe = d->gate.state == CIRCUIT_OPEN };
	load(f, now_ms);
	if (f->n == 0) {
		free(f);
		return false;
	}
	for (size_t i = 0; i < f->n; i++)
		events[i] = &d->scratch[i];
	if (f->probe)
		circuit_begin(&lane->circuit);
	if (f->gate_probe)
		circuit_begin(&d->gate);
	req = http_request_new(d->http);
	req->timeout_ms = d->options->retry.timeout_ms > 0 ? d->options->retry.timeout_ms
							   : d->options->timeout_ms;
	if (d->processor->encode(d->self, &target, events, f->n, req, &err) != 0) {
		http_request_free(d->http, req);
		refuse(f, &err);
		return true;
	}
	if (lane->url == NULL || strcmp(lane->url, buf_str(&req->url)) != 0) {
		free(lane->url);
		lane->url = mem_strdup(buf_str(&req->url));
	}
	for (size_t i = 0; i < f->n; i++) {
		struct leg *leg = f->leg[i];

		req->http1 |= leg->http1;
		job_set_tried(&d->jobs, leg->job);
	}
	if (http_submit(d->http, req, on_done, f, &err) != 0) {
		fail_to_send(f, &err);
		return true;
	}
	d->in_flight++;
	lane->in_flight++;
	return true;
}

size_t
send_ready(struct dispatcher *d, int64_t now_ms)
{
	size_t sent = 0, idle = 0;

	d->filling = false;
	if (!refresh_ready(d) || d->dead_letters_fail)
		return 0;
	while (d->jobs.ring != NULL && idle < d->jobs.n_lanes && send_room(d)) {
		struct lane *lane = d->jobs.ring;

		d->jobs.ring = lane->next;
		lane_wake(lane, now_ms);
		if (may_send(d, lane, now_ms) && send_one(d, lane, now_ms)) {
			sent++;
			idle = 0;
		} else {
			idle++;
		}
	}
	return sent;
}
