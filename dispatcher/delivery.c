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
	TAILQ_INSERT_TAIL(&queue->ready, delivery, link);
	queue->n_ready++;
}

void
delivery_ready_first(struct delivery *delivery)
{
	struct queue *queue = delivery->queue;

	delivery->state = DELIVERY_READY;
	TAILQ_INSERT_HEAD(&queue->ready, delivery, link);
	queue->n_ready++;
}

void
delivery_wait(struct delivery *delivery, int64_t due_ms)
{
	struct queue *queue = delivery->queue;

	delivery->state = DELIVERY_WAITING;
	heap_add(&queue->waiting, &delivery->wait, due_ms);
}

void
delivery_take(struct delivery *delivery)
{
	struct queue *queue = delivery->queue;

	if (delivery->state == DELIVERY_WAITING) {
		heap_remove(&queue->waiting, &delivery->wait);
	} else if (delivery->state == DELIVERY_READY) {
		TAILQ_REMOVE(&queue->ready, delivery, link);
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
	struct delivery *delivery;

	while (queue_due(queue) <= now_ms && (delivery = queue_first_waiting(queue)) != NULL) {
		delivery_take(delivery);
		delivery_ready(delivery);
	}
}

void
delivery_wake_all(struct queue *queue)
{
	delivery_wake_due(queue, INT64_MAX);
}
