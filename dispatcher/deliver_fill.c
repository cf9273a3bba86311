// SPDX-License-Identifier: Apache-2.0
/* Which deliveries go into a request. */
#include "deliver_internal.h"

#include "log.h"
#include "message.h"

/*
 * Preference for a probe: first an event whose body is in memory, then one that was never
 * tried, so that one bad event cannot keep the circuit open.
 */
static int
rank(const struct delivery *delivery)
{
	return 2 * (delivery->job->msg != NULL) + (delivery->attempts == 0);
}

static struct delivery *
pick(struct queue *queue, bool probe)
{
	struct delivery *best = TAILQ_FIRST(&queue->ready), *delivery = best;

	if (!probe)
		return best;
	for (int i = 0; delivery != NULL && rank(best) < 3 && i < 64;
		delivery = TAILQ_NEXT(delivery, link), i++)
		if (rank(delivery) > rank(best))
			best = delivery;
	return best != NULL ? best : queue_first_waiting(queue);
}

/* Its ackWait is over: NATS has delivered it again, maybe to another replica. */
static bool
stale(const struct deliver *d, const struct job *job, int64_t now_ms)
{
	return now_ms - job->touched_ms > d->config.options->ack_wait_ms &&
		job->n_open == job->n_deliveries && job->n_deliveries == 1;
}

/*
 * After a 404 the target may have been removed. If the processor has read its list again and
 * no longer names the target for this event, the delivery is dropped: true.
 */
static bool
drop_if_gone(struct deliver *d, struct delivery *delivery, const struct event *ev)
{
	if (!d->config.jobs->fans_out || delivery->queue->status != 404 ||
		accept_wants(d->config.accept, ev, delivery->target))
		return false;
	log_info("target is gone", L_STR("event", ev->id), L_STR("target", delivery->target));
	settle_unsent(d->config.settle, delivery, ENDING_GONE);
	return true;
}

/* A held event is not sent next, so its body needs room in the buffer. */
static bool
may_fetch(const struct request *r, const struct delivery *delivery)
{
	const struct deliver *d = r->deliver;

	return d->config.jobs->n_fetching < (size_t)d->config.options->concurrency &&
		!(r->probe && r->queue->fetching > 0) &&
		!(accept_holds(d->config.accept, delivery) &&
			d->config.jobs->bytes >= (size_t)d->config.options->buffer_bytes);
}

void
deliver_fill(struct request *r, int64_t now_ms)
{
	struct deliver *d = r->deliver;
	const struct processor *p = d->config.processor;
	size_t room = p->weight != NULL ? p->weight_max(d->config.self) : 0,
	       max = r->probe || r->destination_probe ? 1 : p->batch_max;
	struct delivery *delivery;
	struct err err;

	while (r->n < max && (delivery = pick(r->queue, r->probe)) != NULL) {
		struct event *ev = &d->event[r->n];
		size_t weight = 0;

		if (stale(d, delivery->job, now_ms)) {
			settle_drop(d->config.settle, delivery->job);
			continue;
		}
		if (delivery->job->msg == NULL) {
			if (!may_fetch(r, delivery))
				break;
			body_fetch_request(
				d->config.body_fetch, delivery->job, r->queue, now_ms);
			continue;
		}
		if (accept_holds(d->config.accept, delivery)) {
			accept_again(d->config.accept, delivery->job);
			continue;
		}
		if (delivery->batch_max < max)
			max = delivery->batch_max;
		if (r->n >= max)
			break;
		/* it was readable when it came */
		if (message_read_event(delivery->job->msg, ev, &err) != 0) {
			delivery_explain(delivery, 0, err.text);
			settle_unsent(d->config.settle, delivery, ENDING_UNREADABLE);
			continue;
		}
		if (refusals_singled_out(&delivery->queue->refusals, &delivery->refusal)) {
			settle_unsent(d->config.settle, delivery, ENDING_SINGLED_OUT);
			continue;
		}
		if (drop_if_gone(d, delivery, ev))
			continue;
		if (p->weight != NULL)
			weight = p->weight(d->config.self, ev);
		if (r->n > 0 && weight > room)
			break;
		room -= weight < room ? weight : room;
		delivery_take(delivery);
		delivery->sent_ms = now_ms;
		delivery->state = DELIVERY_IN_FLIGHT;
		r->delivery[r->n++] = delivery;
	}
}
