// SPDX-License-Identifier: Apache-2.0
#include "hash.h"
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* An entry of jobs->by_name. */
struct by_name {
	const char *name; /* the key: the queue's */
	struct queue *queue;
};

void
queues_init(struct jobs *jobs)
{
	static const struct table_type by_name = { sizeof(struct by_name), table_hash_name,
		table_same_name };

	table_init(&jobs->by_name, &by_name);
	TAILQ_INIT(&jobs->queues);
}

void
queues_free(struct jobs *jobs)
{
	while (!TAILQ_EMPTY(&jobs->queues))
		queue_remove(jobs, TAILQ_FIRST(&jobs->queues));
	table_free(&jobs->by_name);
}

static struct by_name *
find(const struct jobs *jobs, const char *name)
{
	return table_find(&jobs->by_name, &(struct by_name){ .name = name });
}

struct queue *
queue_find(struct jobs *jobs, const char *name)
{
	const struct by_name *entry = find(jobs, name);
	struct queue *queue;

	if (entry != NULL)
		return entry->queue;
	queue = mem_alloc(sizeof(*queue));
	queue->name = mem_strdup(name);
	circuit_init(&queue->circuit, jobs->circuit_initial_ms, jobs->circuit_max_ms,
		hash_splitmix64(&jobs->random));
	table_add(&jobs->by_name, &(struct by_name){ queue->name, queue });
	TAILQ_INIT(&queue->ready);
	TAILQ_INSERT_TAIL(&jobs->queues, queue, link);
	jobs->n_queues++;
	return queue;
}

struct queue *
queue_turn(struct jobs *jobs)
{
	struct queue *queue = TAILQ_FIRST(&jobs->queues);

	if (jobs->n_queues > 1) {
		TAILQ_REMOVE(&jobs->queues, queue, link);
		TAILQ_INSERT_TAIL(&jobs->queues, queue, link);
	}
	return queue;
}

struct delivery *
queue_first_waiting(const struct queue *queue)
{
	struct heap_node *first = heap_first(&queue->waiting);

	return first == NULL
		? NULL
		: (struct delivery *)(void *)((char *)first - offsetof(struct delivery, wait));
}

int64_t
queue_due(const struct queue *queue)
{
	return queue->waiting.n > 0 ? heap_first(&queue->waiting)->key : INT64_MAX;
}

void
queue_remove(struct jobs *jobs, struct queue *queue)
{
	table_remove(&jobs->by_name, find(jobs, queue->name));
	TAILQ_REMOVE(&jobs->queues, queue, link);
	jobs->n_queues--;
	free(queue->name);
	free(queue->url);
	heap_free(&queue->waiting);
	free(queue);
}

void
queue_release_if_idle(struct jobs *jobs, struct queue *queue)
{
	const struct circuit *c = &queue->circuit;

	/* a handful is kept: the one queue of a backend with a single destination among them */
	if (jobs->n_queues > 16 && queue->deliveries == 0 && queue->in_flight == 0 &&
		c->state == CIRCUIT_CLOSED && c->failures == 0 && c->flap.changes == 0)
		queue_remove(jobs, queue);
}

const struct queue *
queue_longest_paused(const struct jobs *jobs, size_t *paused)
{
	const struct queue *queue, *longest = NULL;

	*paused = 0;
	TAILQ_FOREACH(queue, &jobs->queues, link) {
		if (queue->circuit.state != CIRCUIT_OPEN)
			continue;
		(*paused)++;
		if (longest == NULL || queue->failing_ms < longest->failing_ms)
			longest = queue;
	}
	return longest;
}
