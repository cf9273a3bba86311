// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include <stdlib.h>

#include "mem.h"

void
delivery_set_target(struct jobs *jobs, struct delivery *delivery, const char *target)
{
	delivery->target = mem_strdup(target);
	delivery->queue = queue_find(jobs, target);
	delivery->queue->deliveries++;
	delivery->state = DELIVERY_BLOCKED;
}

void
delivery_ready(struct delivery *delivery)
{
	struct queue *queue = delivery->queue;

	delivery->state = DELIVERY_READY;
	delivery->prev = queue->ready_tail;
	delivery->next = NULL;
	*(queue->ready_tail ? &queue->ready_tail->next : &queue->ready) = delivery;
	queue->ready_tail = delivery;
	queue->n_ready++;
}

void
delivery_ready_first(struct delivery *delivery)
{
	struct queue *queue = delivery->queue;

	delivery->state = DELIVERY_READY;
	delivery->prev = NULL;
	delivery->next = queue->ready;
	*(queue->ready ? &queue->ready->prev : &queue->ready_tail) = delivery;
	queue->ready = delivery;
	queue->n_ready++;
}

static void
heap_put(struct queue *queue, size_t at, struct delivery *delivery)
{
	queue->waiting[at] = delivery;
	delivery->heap_at = at;
}

static void
heap_up(struct queue *queue, size_t at, struct delivery *delivery)
{
	for (; at > 0 && queue->waiting[(at - 1) / 2]->due_ms > delivery->due_ms;
		at = (at - 1) / 2)
		heap_put(queue, at, queue->waiting[(at - 1) / 2]);
	heap_put(queue, at, delivery);
}

static void
heap_down(struct queue *queue, size_t at, struct delivery *delivery)
{
	for (size_t child = 2 * at + 1; child < queue->n_waiting; child = 2 * at + 1) {
		if (child + 1 < queue->n_waiting &&
			queue->waiting[child + 1]->due_ms < queue->waiting[child]->due_ms)
			child++;
		if (queue->waiting[child]->due_ms >= delivery->due_ms)
			break;
		heap_put(queue, at, queue->waiting[child]);
		at = child;
	}
	heap_put(queue, at, delivery);
}

void
delivery_wait(struct delivery *delivery, int64_t due_ms)
{
	struct queue *queue = delivery->queue;

	delivery->state = DELIVERY_WAITING;
	delivery->due_ms = due_ms;
	if (queue->n_waiting == queue->cap_waiting) {
		queue->cap_waiting = queue->cap_waiting == 0 ? 16 : queue->cap_waiting * 2;
		queue->waiting = mem_grow(
			queue->waiting, queue->cap_waiting, sizeof(struct delivery *));
	}
	heap_up(queue, queue->n_waiting++, delivery);
}

static void
heap_remove(struct queue *queue, struct delivery *delivery)
{
	struct delivery *last = queue->waiting[--queue->n_waiting];
	size_t at = delivery->heap_at;

	if (last == delivery)
		return;
	if (at > 0 && queue->waiting[(at - 1) / 2]->due_ms > last->due_ms)
		heap_up(queue, at, last);
	else
		heap_down(queue, at, last);
}

void
delivery_take(struct delivery *delivery)
{
	struct queue *queue = delivery->queue;

	if (delivery->state == DELIVERY_WAITING) {
		heap_remove(queue, delivery);
	} else if (delivery->state == DELIVERY_READY) {
		*(delivery->prev ? &delivery->prev->next : &queue->ready) = delivery->next;
		*(delivery->next ? &delivery->next->prev : &queue->ready_tail) = delivery->prev;
		queue->n_ready--;
	}
	delivery->state = DELIVERY_BLOCKED;
}

void
delivery_over(struct delivery *delivery, enum delivery_state state)
{
	delivery_take(delivery);
	delivery->state = state;
	delivery->queue->deliveries--;
	delivery->queue = NULL;
	delivery->job->n_open--;
	delivery->job->dead |= state == DELIVERY_DEAD;
	delivery->job->accepted |= state == DELIVERY_DELIVERED;
}

void
delivery_explain(struct delivery *delivery, int status, const char *why)
{
	delivery->status = status;
	free(delivery->why);
	delivery->why = mem_strdup(why);
}

void
delivery_wake_due(struct queue *queue, int64_t now_ms)
{
	while (queue->n_waiting > 0 && queue->waiting[0]->due_ms <= now_ms) {
		struct delivery *delivery = queue->waiting[0];

		delivery_take(delivery);
		delivery_ready(delivery);
	}
}

void
delivery_wake_all(struct queue *queue)
{
	delivery_wake_due(queue, INT64_MAX);
}
