// SPDX-License-Identifier: Apache-2.0
/*
 * What the dispatcher has in hand. A job is one event until it is settled; it has one leg for
 * each target it goes to (leg.c). A lane is one target (lane.c): the legs that are ready, those
 * that wait for their next try, and its circuit. Data structures only; who does what with them
 * stands in the other files.
 */
#ifndef VCOURIER_JOB_H
#define VCOURIER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "circuit.h"
#include "refusals.h"

enum leg_state {
	LEG_BLOCKED,   /* an earlier event of the same key comes first */
	LEG_READY,     /* in lane->ready */
	LEG_WAITING,   /* in lane->waiting */
	LEG_IN_FLIGHT, /* its request is under way */
	LEG_BURYING,   /* its dead letter is under way */
	LEG_DELIVERED,
	LEG_DEAD,
	LEG_DROPPED, /* the target is gone, or does not want it any more */
};

struct leg {
	struct job *job;
	struct lane *lane; /* NULL once it is over */
	struct leg *prev, *next;
	size_t heap_at; /* place in lane->waiting */
	enum leg_state state;
	/*
	 * HTTP/2 broke off its request; libcurl 7.88 does that to an answer that comes before
	 * the body was sent
	 */
	bool http1;
	unsigned attempts, batch_max;
	int64_t due_ms;
	int64_t sent_ms;           /* its request went out */
	int64_t first_us, last_us; /* tries, wall clock */
	struct refusal refusal;
	int status;         /* of the last try; 0: no HTTP reply came */
	char *target;       /* its lane's name */
	char *why;          /* what went wrong last; NULL: nothing */
	const char *reason; /* constant: why it is a dead letter */
};

struct job {
	struct source *source;
	struct job *hash_next;
	struct job *prev, *next; /* in jobs->oldest..newest, by touched_ms */
	struct bus_msg *msg;     /* NULL while parked: the body is fetched again */
	int64_t fetch_by_ms;     /* parked: when the body should be here; 0: not asked for */
	struct lane *fetch_lane; /* whose turn asked for it; NULL: nobody's */
	/* parked and not found: when to ask for the body again; 0: it is not so */
	int64_t again_ms;
	unsigned n_missing; /* how often in a row it was not found */
	/* of the original message, once it was parked; NULL: msg has it */
	char *subject;
	size_t subject_skip; /* bytes before the subject's own first token */
	char *reply;         /* where to settle: the latest delivery's */
	uint64_t seq, delivered;
	int64_t stored_us;
	/* touched: when the server last heard that we have it */
	int64_t received_ms, touched_ms;
	struct leg *leg;
	size_t n_legs, n_open;
	size_t leg_bytes;                    /* as counted in jobs->bytes */
	struct leg one;                      /* where leg points to when there is just one */
	uint64_t key;                        /* ordering */
	struct job *predecessor, *successor; /* of the same key: the later one waits */
	bool keyed;
	/* no request has had it yet, and its body is here: it can be a probe */
	bool untried;
	bool dead, accepted; /* at least one of its legs is a dead letter; was delivered */
	bool idle;           /* it only waits; see backlog.c */
	size_t idle_bytes;   /* of its body and legs, as counted in jobs->idle_bytes */
	/* its stream is no more: its ack would settle an event of the next one */
	bool orphan;
};

struct lane {
	struct lane *hash_next, *prev, *next; /* next: in the ring of all lanes */
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
	struct leg *ready, *ready_tail;
	struct leg **waiting; /* a heap by due_ms */
	size_t n_ready, n_waiting, cap_waiting, in_flight;
	size_t legs;     /* that are not over */
	size_t fetching; /* jobs whose bodies are on their way */
};

enum { JOB_BUCKETS = 8192, LANE_BUCKETS = 1024, KEY_BUCKETS = 1024, SPENT_MAX = 64 };

/*
 * All jobs and lanes. The counters change in the functions below only, and job_free takes a job
 * out of each.
 */
struct jobs {
	struct job *bucket[JOB_BUCKETS];
	struct job *oldest, *newest;
	uint64_t changes; /* jobs that came, and that went */
	size_t n, n_parked, bytes;
	size_t n_untried, n_fetching; /* jobs with .untried; jobs whose body is on its way */
	size_t n_missing;             /* jobs whose body was not found: asked for again */
	size_t n_idle, idle_bytes;    /* jobs with .idle; their bodies and legs */
	struct lane *lane_bucket[LANE_BUCKETS];
	struct lane *ring; /* the lane whose turn it is */
	size_t n_lanes;
	/* the last job of each key, by key % KEY_BUCKETS */
	struct job *key_bucket[KEY_BUCKETS];
	struct bus_msg *spent[SPENT_MAX]; /* of jobs that are no more */
	size_t n_spent;
	int64_t circuit_initial_ms, circuit_max_ms;
	uint64_t random;
};

/* Adds a job; owns msg. */
struct job *job_new(
	struct jobs *jobs, struct source *source, uint64_t seq, struct bus_msg *msg);
struct job *job_find(struct jobs *jobs, const struct source *source, uint64_t seq);
void job_park(struct jobs *jobs, struct job *job); /* lets the body go */
void job_unpark(struct jobs *jobs, struct job *job, struct bus_msg *msg);
/*
 * The body was requested for this lane, and is expected until then; or it was not found, and is
 * to be requested again then (due_ms > 0). job_unpark and job_free end either.
 */
void job_fetch_begin(struct jobs *jobs, struct job *job, struct lane *lane, int64_t until_ms);
void job_fetch_again(struct jobs *jobs, struct job *job, int64_t due_ms);
void job_set_untried(struct jobs *jobs, struct job *job);
void job_set_tried(struct jobs *jobs, struct job *job);
void job_set_idle(struct jobs *jobs, struct job *job, bool idle);
const char *job_subject(const struct job *job); /* of the original message */
void job_touch(struct jobs *jobs, struct job *job, int64_t now_ms);
/*
 * Takes its legs out of their queues; none may be in flight or a dead letter under way. Returns
 * the next job of the same key when that one is now the first, else NULL.
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

/* Gives it n legs; then each is queued by leg_ready. */
void job_set_legs(struct jobs *jobs, struct job *job, size_t n);
/* Bytes that n legs of one event take in the buffer. */
size_t job_leg_bytes(size_t n);
/* before it gets others; none may be in flight or a dead letter under way */
void job_drop_legs(struct jobs *jobs, struct job *job);
/* queues all legs of a new job, or of one that had to wait for its key */
void job_make_ready(struct job *job);
void job_unqueue(struct job *job); /* takes the legs that are not over out of their queues */
void leg_set_target(struct jobs *jobs, struct leg *leg, const char *target);

/* Moves between the places a leg can be in. leg_take removes it from where it is. */
void leg_ready(struct leg *leg);
void leg_ready_first(struct leg *leg); /* before all others */
void leg_wait(struct leg *leg, int64_t due_ms);
void leg_take(struct leg *leg);
void leg_over(struct leg *leg, enum leg_state state); /* delivered or dead */
void leg_explain(struct leg *leg, int status, const char *why);

/* Puts the job behind the last one with this key; true when it has to wait for that one. */
bool job_chain(struct jobs *jobs, struct job *job, uint64_t key);

struct lane *lane_find(struct jobs *jobs, const char *name); /* made when it is not there */
void lane_wake(struct lane *lane, int64_t now_ms);           /* what is due becomes ready */
void lane_hurry(struct lane *lane);                          /* everything becomes ready */
/* of the first that waits; INT64_MAX: none does */
int64_t lane_due(const struct lane *lane);
void lane_remove(struct jobs *jobs, struct lane *lane);
/* frees it if nothing is left to remember */
void lane_prune(struct jobs *jobs, struct lane *lane);

void jobs_init(
	struct jobs *jobs, int64_t circuit_initial_ms, int64_t circuit_max_ms, uint64_t seed);
void jobs_free(struct jobs *jobs);

#endif
