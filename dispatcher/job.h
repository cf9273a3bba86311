// SPDX-License-Identifier: Apache-2.0
/*
 * The events that the dispatcher has taken and not settled. A job is one event until it is
 * settled; it has one delivery for each target it goes to (delivery.c). A queue is one target
 * (queue.c): its ready deliveries, those that wait for their next try, and its circuit. Data
 * structures only; the other files decide what happens to them.
 */
#ifndef VCOURIER_JOB_H
#define VCOURIER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus.h"
#include "circuit.h"
#include "heap.h"
#include "refusals.h"
#include "table.h"

enum delivery_state {
	DELIVERY_BLOCKED,      /* an earlier event of the same key comes first */
	DELIVERY_READY,        /* in queue->ready */
	DELIVERY_WAITING,      /* in queue->waiting */
	DELIVERY_IN_FLIGHT,    /* its request is under way */
	DELIVERY_DEAD_PENDING, /* its dead letter is under way */
	DELIVERY_DELIVERED,
	DELIVERY_DEAD,
	DELIVERY_DROPPED, /* the target is gone, or does not want it any more */
};

struct delivery {
	struct job *job;
	struct queue *queue;        /* NULL once it is over */
	TAILQ_ENTRY(delivery) link; /* in queue->ready */
	enum delivery_state state;
	/*
	 * HTTP/2 broke off its request; libcurl 7.88 does that to an answer that comes before
	 * the body was sent
	 */
	bool http1;
	unsigned attempts, batch_max;
	struct heap_node wait;     /* in queue->waiting; its key is when it is due, in ms */
	int64_t sent_ms;           /* its request went out */
	int64_t first_us, last_us; /* tries, wall clock */
	struct refusal refusal;
	int status;         /* of the last try; 0: no HTTP reply came */
	char *target;       /* its queue's name */
	char *why;          /* what went wrong last; NULL: nothing */
	const char *reason; /* constant: why it is a dead letter */
};

/* The stream that an event is from. Compared by address: one for each stream. */
struct origin {
	size_t index;               /* no other stream has had it */
	struct read_stream *source; /* of sources.c */
	const char *stream;
	bool replay; /* the replay stream: its subjects begin with REPLAY_PREFIX */
};

struct job {
	const struct origin *origin;
	TAILQ_ENTRY(job) link;     /* in jobs->list */
	struct bus_msg *msg;       /* NULL while evicted: the body is fetched again */
	int64_t fetch_by_ms;       /* evicted: when the body should be here; 0: not asked for */
	struct queue *fetch_queue; /* whose turn asked for it; NULL: nobody's */
	/* evicted and not found: when to ask for the body again; 0: it is not so */
	int64_t again_ms;
	unsigned n_missing; /* how often in a row it was not found */
	/* of the original message, once it was evicted; NULL: msg has it */
	char *subject;
	char *reply; /* where to settle: the latest delivery's */
	uint64_t seq, delivered;
	int64_t stored_us;
	/* touched: when the server last heard that we have it */
	int64_t received_ms, touched_ms;
	struct delivery *delivery;
	size_t n_deliveries, n_open;
	size_t delivery_bytes; /* as counted in jobs->bytes */
	struct delivery one;   /* where delivery points to when there is just one */
	uint64_t key;          /* ordering */
	struct job *predecessor, *successor; /* of the same key: the later one waits */
	bool keyed;
	/* no request has had it yet, and its body is here: it can be a probe */
	bool untried;
	bool dead,
		accepted;  /* at least one of its deliveries is a dead letter; was delivered */
	bool idle;         /* it only waits; see backlog.c */
	size_t idle_bytes; /* of its body and deliveries, as counted in jobs->idle_bytes */
	/* its stream is no more: its ack would settle an event of the next one */
	bool stale;
};

struct queue {
	TAILQ_ENTRY(queue) link; /* in jobs->queues */
	char *name;
	struct circuit circuit;
	struct refusals refusals;
	char *url; /* where its last request went */
	/*
	 * of its last failure; 0: it did not fail since it was last delivered to, or did not
	 * answer
	 */
	int status;
	int64_t failing_ms;   /* since when its circuit is open */
	int64_t delivered_ms; /* when it last took an event; 0: never */
	TAILQ_HEAD(, delivery) ready;
	struct heap waiting; /* deliveries by the time they are due */
	size_t n_ready, in_flight;
	size_t deliveries; /* that are not over */
	size_t fetching;   /* jobs whose bodies are on their way */
};

enum { KEY_BUCKETS = 1024, FREE_LIST_MAX = 64 };

/* Tells the owner that a delivery has ended somewhere. */
typedef void delivery_fn(void *ctx, struct delivery *delivery);

/* The destination as a whole, where it has several targets: does it answer at all? */
struct destination_state {
	struct circuit circuit;
	int64_t changed_ms; /* when the circuit opened or closed */
};

/*
 * All jobs and queues. The counters change in the functions below only, and job_free takes a
 * job out of each.
 */
struct jobs {
	struct table by_seq;            /* jobs that are not stale, by origin and seq */
	TAILQ_HEAD(job_list, job) list; /* all jobs, the one touched longest ago first */
	uint64_t changes;               /* jobs that came, and that went */
	size_t n, n_evicted, bytes;
	size_t n_untried, n_fetching; /* jobs with .untried; jobs whose body is on its way */
	size_t n_missing;             /* jobs whose body was not found: asked for again */
	size_t n_idle, idle_bytes;    /* jobs with .idle; their bodies and deliveries */
	struct table by_name;         /* all queues by name */
	TAILQ_HEAD(, queue) queues;   /* all; the one whose turn it is first */
	size_t n_queues;
	bool fans_out; /* the targets have names */
	/* the last job of each key, by key % KEY_BUCKETS */
	struct job *key_bucket[KEY_BUCKETS];
	struct bus_msg *free_list[FREE_LIST_MAX]; /* of jobs that are no more */
	size_t n_free_list;
	int64_t circuit_initial_ms, circuit_max_ms;
	uint64_t random;
};

/* Adds a job; owns msg. */
struct job *job_new(
	struct jobs *jobs, const struct origin *origin, uint64_t seq, struct bus_msg *msg);
/* NULL: there is none that is not stale. */
struct job *job_find(const struct jobs *jobs, const struct origin *origin, uint64_t seq);
/*
 * Its event was removed with its stream, and another event may have its sequence: job_find does
 * not find it any more.
 */
void job_set_stale(struct jobs *jobs, struct job *job);
void job_evict(struct jobs *jobs, struct job *job); /* lets the body go */
void job_restore(struct jobs *jobs, struct job *job, struct bus_msg *msg);
/*
 * The body was requested for this queue, and is expected until then; or it was not found, and
 * is to be requested again then (due_ms > 0). job_restore and job_free end either.
 */
void job_fetch_begin(struct jobs *jobs, struct job *job, struct queue *queue, int64_t until_ms);
void job_fetch_again(struct jobs *jobs, struct job *job, int64_t due_ms);
void job_set_untried(struct jobs *jobs, struct job *job);
void job_set_tried(struct jobs *jobs, struct job *job);
void job_set_idle(struct jobs *jobs, struct job *job, bool idle);
const char *job_subject(const struct job *job); /* of the original message */
void job_touch(struct jobs *jobs, struct job *job, int64_t now_ms);
/*
 * The server delivered the event of a held job again, because its ack wait was over. reply:
 * where it is to be settled now; delivered: how often it was delivered.
 */
void job_redelivered(struct jobs *jobs, struct job *job, const char *reply, uint64_t delivered,
	int64_t now_ms);
/*
 * Takes its deliveries out of their queues; none may be in flight or a dead letter under way.
 * Returns the next job of the same key when that one is now the first, else NULL.
 */
struct job *job_free(struct jobs *jobs, struct job *job);

/*
 * There is no job left: sets all counters to what they are then. Only a fault leaves one of
 * them different.
 */
void jobs_reset(struct jobs *jobs);

/*
 * Frees their messages, once a turn: cnats wakes a thread for it, and one by one that is a
 * wake-up for each.
 */
void jobs_sweep(struct jobs *jobs);

/* Gives it n deliveries; then each is queued by delivery_ready. */
void job_set_deliveries(struct jobs *jobs, struct job *job, size_t n);
/* Bytes that n deliveries of one event take in the buffer. */
size_t job_delivery_bytes(size_t n);
/* before it gets others; none may be in flight or a dead letter under way */
void job_drop_deliveries(struct jobs *jobs, struct job *job);
/* queues all deliveries of a new job, or of one that had to wait for its key */
void job_make_ready(struct job *job);
void job_unqueue(
	struct job *job); /* takes the deliveries that are not over out of their queues */
void delivery_set_target(struct jobs *jobs, struct delivery *delivery, const char *target);

/* Moves between the places a delivery can be in. delivery_take removes it from where it is. */
void delivery_ready(struct delivery *delivery);
void delivery_ready_first(struct delivery *delivery); /* before all others */
void delivery_wait(struct delivery *delivery, int64_t due_ms);
void delivery_take(struct delivery *delivery);
/* The waiting deliveries of a queue that are due, or all of them, become ready. */
void delivery_wake_due(struct queue *queue, int64_t now_ms);
void delivery_wake_all(struct queue *queue);
void delivery_over(
	struct delivery *delivery, enum delivery_state state); /* delivered or dead */
void delivery_explain(struct delivery *delivery, int status, const char *why);

/* Puts the job behind the last one with this key; true when it has to wait for that one. */
bool job_chain(struct jobs *jobs, struct job *job, uint64_t key);

void queues_init(struct jobs *jobs);
void queues_free(struct jobs *jobs);
struct queue *queue_find(struct jobs *jobs, const char *name); /* made when it is not there */
/* The waiting delivery that is due first; NULL: none waits. */
struct delivery *queue_first_waiting(const struct queue *queue);
int64_t queue_due(const struct queue *queue); /* when it is due; INT64_MAX: none waits */
/* Of the queues with an open circuit the one that failed first; NULL: there is none. */
const struct queue *queue_longest_paused(const struct jobs *jobs, size_t *n_paused);
/* Returns the queue whose turn it is, and moves it to the end. NULL: there is no queue. */
struct queue *queue_turn(struct jobs *jobs);
void queue_remove(struct jobs *jobs, struct queue *queue);
/* frees it if nothing is left to remember */
void queue_release_if_idle(struct jobs *jobs, struct queue *queue);

void jobs_init(
	struct jobs *jobs, int64_t circuit_initial_ms, int64_t circuit_max_ms, uint64_t seed);
void jobs_free(struct jobs *jobs);

#endif
