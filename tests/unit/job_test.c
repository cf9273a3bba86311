// SPDX-License-Identifier: Apache-2.0
/*
 * Jobs: their counters agree with a count over all jobs, whatever becomes of a job and in
 * whatever order.
 */
#define _DEFAULT_SOURCE
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "bus_private.h"
#include "hash.h"
#include "job.h"
#include "mem.h"
#include "nats.h"

static struct bus_msg *
message(size_t len)
{
	struct bus_msg *msg = mem_alloc(sizeof(*msg));
	char data[512];

	memset(data, 'x', sizeof(data));
	assert_true(len <= sizeof(data));
	assert_int_equal(
		natsMsg_Create(&msg->msg, "vc.lab.a", "reply", data, (int)len), NATS_OK);
	return msg;
}

static const struct origin origin = { .stream = "VC" };

static struct job *
new_job(struct jobs *jobs, uint64_t seq, size_t deliveries)
{
	static const char *const names[] = { "a", "b", "c" };
	struct job *job = job_new(jobs, &origin, seq, message(10 + seq % 500));

	job_set_deliveries(jobs, job, deliveries);
	for (size_t i = 0; i < deliveries; i++)
		delivery_set_target(jobs, &job->delivery[i], names[(seq + i) % COUNT(names)]);
	return job;
}

static void
assert_counters(const struct jobs *jobs)
{
	size_t n = 0, evicted = 0, untried = 0, fetching = 0, idle = 0, bytes = 0,
	       lanes_fetching = 0, lanes_legs = 0, deliveries = 0, missing = 0;
	const struct queue *queue;
	const struct job *job;

	TAILQ_FOREACH(job, &jobs->list, link) {
		n++;
		evicted += job->msg == NULL;
		untried += job->untried;
		fetching += job->fetch_queue != NULL;
		missing += job->again_ms != 0;
		idle += job->idle;
		bytes += job->delivery_bytes + (job->msg != NULL ? bus_msg_len(job->msg) : 0);
		deliveries += job->n_open;
	}
	TAILQ_FOREACH(queue, &jobs->queues, link) {
		lanes_fetching += queue->fetching;
		lanes_legs += queue->deliveries;
	}
	assert_int_equal(jobs->n, n);
	assert_int_equal(jobs->n_evicted, evicted);
	assert_int_equal(jobs->n_untried, untried);
	assert_int_equal(jobs->n_fetching, fetching);
	assert_int_equal(jobs->n_missing, missing);
	assert_int_equal(lanes_fetching, fetching);
	assert_int_equal(lanes_legs, deliveries);
	assert_int_equal(jobs->n_idle, idle);
	assert_int_equal(jobs->bytes, bytes);
}

static void
assert_empty(struct jobs *jobs)
{
	assert_counters(jobs);
	assert_int_equal(jobs->n, 0);
	assert_int_equal(jobs->n_untried + jobs->n_missing + jobs->n_fetching + jobs->n_idle +
			jobs->idle_bytes,
		0);
	jobs_free(jobs);
	bus_destroy_messages();
}

/*
 * A dead letter on acceptance was never counted as untried. One that was is still counted when
 * the other has gone.
 */
static void
a_rejected_job_leaves_the_others_counted(void **state)
{
	struct jobs jobs;
	struct job *untried, *rejected;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	untried = new_job(&jobs, 1, 1);
	job_set_untried(&jobs, untried);
	rejected = new_job(&jobs, 2, 1);
	delivery_over(rejected->delivery, DELIVERY_DEAD);
	job_free(&jobs, rejected);
	assert_int_equal(jobs.n_untried, 1);
	job_set_tried(&jobs, untried);
	job_set_tried(&jobs, untried);
	assert_int_equal(jobs.n_untried, 0);
	job_free(&jobs, untried);
	assert_empty(&jobs);
}

/*
 * The body of an idle job is dropped, fetched and counted: what is left of it in idle_bytes is
 * what was put there.
 */
static void
idle_bytes_come_and_go_with_the_job(void **state)
{
	struct jobs jobs;
	struct job *job;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	job = new_job(&jobs, 7, 1);
	job_set_idle(&jobs, job, true);
	assert_int_equal(jobs.idle_bytes, 17);
	job_evict(&jobs, job);
	job_set_idle(&jobs, job, true);
	assert_int_equal(jobs.idle_bytes, 0);
	job_restore(&jobs, job, message(300));
	job_free(&jobs, job);
	assert_empty(&jobs);
}

/* Whatever a fault did to the counters: without a job they are right again. */
static void
a_reset_mends_the_counters(void **state)
{
	struct jobs jobs;
	struct job *job;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	job = new_job(&jobs, 1, 3);
	job_set_untried(&jobs, job);
	jobs.n_untried++;
	jobs.bytes += 5;
	jobs.n_idle--;
	job->delivery[0].queue->in_flight++;
	job->delivery[1].queue->fetching--;
	job_free(&jobs, job);
	jobs_reset(&jobs);
	for (size_t i = 0; i < jobs.n_queues; i++)
		assert_int_equal(queue_turn(&jobs)->in_flight, 0);
	assert_int_equal(jobs.n_queues, 3);
	assert_empty(&jobs);
}

/* The stream was recreated: the old event of a sequence is held beside the new one. */
static void
a_stale_job_is_not_found(void **state)
{
	struct jobs jobs;
	struct job *old, *new;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	old = new_job(&jobs, 7, 1);
	job_set_stale(&jobs, old);
	assert_null(job_find(&jobs, &origin, 7));
	new = new_job(&jobs, 7, 1);
	assert_ptr_equal(job_find(&jobs, &origin, 7), new);
	job_free(&jobs, old);
	assert_ptr_equal(job_find(&jobs, &origin, 7), new);
	job_set_stale(&jobs, new);
	job_set_stale(&jobs, new);
	job_free(&jobs, new);
	assert_empty(&jobs);
}

/* One step of a job's life, as the dispatcher's parts do it. */
static void
step(struct jobs *jobs, struct job *job, unsigned what)
{
	switch (what) {
	case 0:
		job_set_untried(jobs, job);
		break;
	case 1:
		job_set_tried(jobs, job);
		break;
	case 2:
		job_set_idle(jobs, job, !job->idle);
		break;
	case 3:
		if (job->msg != NULL)
			job_evict(jobs, job);
		break;
	case 4:
		if (job->msg == NULL)
			job_fetch_begin(jobs, job,
				job->delivery[0].queue != NULL ? job->delivery[0].queue
							       : TAILQ_FIRST(&jobs->queues),
				1);
		break;
	case 5:
		if (job->msg == NULL)
			job_restore(jobs, job, message(20));
		break;
	case 6:
		job_unqueue(job);
		break;
	case 7:
		for (size_t i = 0; i < job->n_deliveries; i++)
			if (job->delivery[i].queue != NULL &&
				job->delivery[i].state == DELIVERY_BLOCKED)
				delivery_wait(&job->delivery[i], (int64_t)job->seq);
		break;
	case 8:
		if (job->n_open > 1 && job->delivery[job->n_open - 1].queue != NULL)
			delivery_over(&job->delivery[job->n_open - 1],
				job->seq % 2 ? DELIVERY_DEAD : DELIVERY_DELIVERED);
		break;
	case 9:
		if (job->msg == NULL)
			job_fetch_again(jobs, job, 5);
		break;
	default:
		job_free(jobs, job);
	}
}

static void
counters_agree_with_a_count(void **state)
{
	struct jobs jobs;
	uint64_t random = 15;

	(void)state;
	jobs_init(&jobs, 1000, 60000, 1);
	for (uint64_t seq = 1; seq < 20000; seq++) {
		struct job *job = seq % 3 == 0 ? new_job(&jobs, seq, 1 + seq % 4) : NULL;

		if (job != NULL && seq % 2 == 0)
			job_make_ready(job);
		job = job_find(&jobs, &origin, hash_splitmix64(&random) % seq);
		if (job != NULL)
			step(&jobs, job, (unsigned)(hash_splitmix64(&random) % 11));
		if (seq % 16 == 0)
			assert_counters(&jobs);
	}
	while (TAILQ_FIRST(&jobs.list) != NULL)
		job_free(&jobs, TAILQ_FIRST(&jobs.list));
	assert_empty(&jobs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rejected_job_leaves_the_others_counted),
		cmocka_unit_test(idle_bytes_come_and_go_with_the_job),
		cmocka_unit_test(counters_agree_with_a_count),
		cmocka_unit_test(a_reset_mends_the_counters),
		cmocka_unit_test(a_stale_job_is_not_found),
	};

	return cmocka_run_group_tests(tests, nats_library_open, nats_library_close);
}
