// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "protocol.h"

enum { DELIVERY_TEXT_BYTES = 64 }; /* the name of its target */

/* An entry of jobs->by_seq. */
struct by_seq {
	uint64_t seq;
	const struct origin *origin;
	struct job *job;
};

static uint64_t
hash_seq(const void *entry, uint64_t seed)
{
	const struct by_seq *e = entry;

	return table_hash_numbers(e->seq, e->origin->index, seed);
}

static bool
same_seq(const void *a, const void *b)
{
	const struct by_seq *x = a, *y = b;

	return x->seq == y->seq && x->origin == y->origin;
}

void
jobs_init(struct jobs *jobs, int64_t circuit_initial_ms, int64_t circuit_max_ms, uint64_t seed)
{
	static const struct table_type by_seq = { sizeof(struct by_seq), hash_seq, same_seq };

	*jobs = (struct jobs){ .circuit_initial_ms = circuit_initial_ms,
		.circuit_max_ms = circuit_max_ms,
		.random = seed };
	table_init(&jobs->by_seq, &by_seq);
	TAILQ_INIT(&jobs->list);
	queues_init(jobs);
}

/* ---- jobs */

static struct by_seq *
find(const struct jobs *jobs, const struct origin *origin, uint64_t seq)
{
	return table_find(&jobs->by_seq, &(struct by_seq){ .seq = seq, .origin = origin });
}

struct job *
job_new(struct jobs *jobs, const struct origin *origin, uint64_t seq, struct bus_msg *msg)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->origin = origin;
	job->seq = seq;
	job->msg = msg;
	job->reply = mem_strdup(bus_msg_reply(msg));
	table_add(&jobs->by_seq, &(struct by_seq){ seq, origin, job });
	TAILQ_INSERT_TAIL(&jobs->list, job, link);
	jobs->changes++;
	jobs->n++;
	jobs->bytes += bus_msg_len(msg);
	return job;
}

struct job *
job_find(const struct jobs *jobs, const struct origin *origin, uint64_t seq)
{
	const struct by_seq *entry = find(jobs, origin, seq);

	return entry != NULL ? entry->job : NULL;
}

void
job_set_stale(struct jobs *jobs, struct job *job)
{
	if (!job->stale)
		table_remove(&jobs->by_seq, find(jobs, job->origin, job->seq));
	job->stale = true;
}

void
job_evict(struct jobs *jobs, struct job *job)
{
	jobs->bytes -= bus_msg_len(job->msg);
	jobs->n_evicted++;
	/* what comes back is an answer: it has the subject of our inbox */
	if (job->subject == NULL)
		job->subject = mem_strdup(bus_msg_subject(job->msg));
	bus_msg_free(job->msg);
	job->msg = NULL;
	job->fetch_by_ms = 0;
}

static void
fetch_end(struct jobs *jobs, struct job *job)
{
	jobs->n_missing -= job->again_ms != 0;
	job->again_ms = 0;
	if (job->fetch_queue == NULL)
		return;
	job->fetch_queue->fetching--;
	job->fetch_queue = NULL;
	jobs->n_fetching--;
}

void
job_restore(struct jobs *jobs, struct job *job, struct bus_msg *msg)
{
	fetch_end(jobs, job);
	job->msg = msg;
	job->fetch_by_ms = 0;
	jobs->bytes += bus_msg_len(msg);
	jobs->n_evicted--;
}

void
job_fetch_begin(struct jobs *jobs, struct job *job, struct queue *queue, int64_t until_ms)
{
	fetch_end(jobs, job);
	job->fetch_by_ms = until_ms;
	job->fetch_queue = queue;
	queue->fetching++;
	jobs->n_fetching++;
}

void
job_fetch_again(struct jobs *jobs, struct job *job, int64_t due_ms)
{
	fetch_end(jobs, job);
	job->fetch_by_ms = 0;
	job->again_ms = due_ms;
	jobs->n_missing++;
}

void
job_set_untried(struct jobs *jobs, struct job *job)
{
	jobs->n_untried += !job->untried;
	job->untried = true;
}

void
job_set_tried(struct jobs *jobs, struct job *job)
{
	jobs->n_untried -= job->untried;
	job->untried = false;
}

void
job_set_idle(struct jobs *jobs, struct job *job, bool idle)
{
	size_t body = job->msg != NULL ? bus_msg_len(job->msg) : 0;
	size_t bytes = idle ? body + job->delivery_bytes : 0;

	jobs->n_idle = jobs->n_idle - job->idle + idle;
	jobs->idle_bytes = jobs->idle_bytes - job->idle_bytes + bytes;
	job->idle = idle;
	job->idle_bytes = bytes;
}

const char *
job_subject(const struct job *job)
{
	return (job->subject != NULL ? job->subject : bus_msg_subject(job->msg)) +
		(job->origin->replay ? strlen(REPLAY_PREFIX ".") : 0);
}

void
job_touch(struct jobs *jobs, struct job *job, int64_t now_ms)
{
	job->touched_ms = now_ms;
	TAILQ_REMOVE(&jobs->list, job, link);
	TAILQ_INSERT_TAIL(&jobs->list, job, link);
}

void
job_redelivered(struct jobs *jobs, struct job *job, const char *reply, uint64_t delivered,
	int64_t now_ms)
{
	free(job->reply);
	job->reply = mem_strdup(reply);
	job->delivered = delivered;
	job_touch(jobs, job, now_ms);
}

void
jobs_reset(struct jobs *jobs)
{
	struct queue *queue;

	jobs->n = jobs->n_evicted = jobs->bytes = jobs->n_idle = jobs->idle_bytes = 0;
	jobs->n_untried = jobs->n_fetching = jobs->n_missing = 0;
	TAILQ_FOREACH(queue, &jobs->queues, link)
		queue->deliveries = queue->in_flight = queue->fetching = 0;
}

void
jobs_sweep(struct jobs *jobs)
{
	while (jobs->n_free_list > 0)
		bus_msg_free(jobs->free_list[--jobs->n_free_list]);
}

static void
spend(struct jobs *jobs, struct bus_msg *msg)
{
	if (jobs->n_free_list == FREE_LIST_MAX)
		jobs_sweep(jobs);
	jobs->free_list[jobs->n_free_list++] = msg;
}

/* Takes the job out of its chain; returns the one that is first now. */
static struct job *
unchain(struct jobs *jobs, struct job *job)
{
	struct job **last = &jobs->key_bucket[job->key % KEY_BUCKETS];

	if (!job->keyed)
		return NULL;
	if (*last == job)
		*last = job->predecessor;
	if (job->predecessor != NULL)
		job->predecessor->successor = job->successor;
	if (job->successor != NULL)
		job->successor->predecessor = job->predecessor;
	return job->predecessor == NULL ? job->successor : NULL;
}

void
job_drop_deliveries(struct jobs *jobs, struct job *job)
{
	job_unqueue(job);
	for (size_t i = 0; i < job->n_deliveries; i++) {
		if (job->delivery[i].queue != NULL)
			job->delivery[i].queue->deliveries--;
		free(job->delivery[i].target);
		free(job->delivery[i].why);
	}
	if (job->delivery != &job->one)
		free(job->delivery);
	job->one = (struct delivery){ .job = NULL };
	job->delivery = NULL;
	job->n_deliveries = job->n_open = 0;
	jobs->bytes -= job->delivery_bytes;
	job->delivery_bytes = 0;
}

struct job *
job_free(struct jobs *jobs, struct job *job)
{
	struct job *first = unchain(jobs, job);

	job_set_stale(jobs, job);
	TAILQ_REMOVE(&jobs->list, job, link);
	job_drop_deliveries(jobs, job);
	fetch_end(jobs, job);
	job_set_tried(jobs, job);
	job_set_idle(jobs, job, false);
	if (job->msg != NULL)
		jobs->bytes -= bus_msg_len(job->msg);
	else
		jobs->n_evicted--;
	jobs->n--;
	jobs->changes++;
	spend(jobs, job->msg);
	free(job->reply);
	free(job->subject);
	free(job);
	return first;
}

size_t
job_delivery_bytes(size_t n)
{
	return n <= 1 ? 0 : n * (sizeof(struct delivery) + DELIVERY_TEXT_BYTES);
}

void
job_set_deliveries(struct jobs *jobs, struct job *job, size_t n)
{
	job->delivery = n <= 1 ? &job->one : mem_array(n, sizeof(*job->delivery));
	job->n_deliveries = job->n_open = n;
	job->delivery_bytes = job_delivery_bytes(n);
	jobs->bytes += job->delivery_bytes;
	for (size_t i = 0; i < n; i++)
		job->delivery[i].job = job;
}

void
job_make_ready(struct job *job)
{
	for (size_t i = 0; i < job->n_deliveries; i++)
		delivery_ready(&job->delivery[i]);
}

void
job_unqueue(struct job *job)
{
	for (size_t i = 0; i < job->n_deliveries; i++)
		if (job->delivery[i].queue != NULL)
			delivery_take(&job->delivery[i]);
}

/* Keys that share a bucket wait for one another: harmless, and needs no second table. */
bool
job_chain(struct jobs *jobs, struct job *job, uint64_t key)
{
	struct job **last = &jobs->key_bucket[key % KEY_BUCKETS], *before = *last;

	job->key = key;
	job->keyed = true;
	*last = job;
	job->predecessor = before;
	if (before != NULL)
		before->successor = job;
	return before != NULL;
}

void
jobs_free(struct jobs *jobs)
{
	for (struct job *job = TAILQ_FIRST(&jobs->list), *next; job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		job_free(jobs, job);
	}
	table_free(&jobs->by_seq);
	queues_free(jobs);
	jobs_sweep(jobs);
	*jobs = (struct jobs){ .n = 0 };
}
