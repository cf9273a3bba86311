// SPDX-License-Identifier: Apache-2.0
/* What counts as work that is under way, by the jobs and queues themselves. */
#define _DEFAULT_SOURCE
#include "test.h"

#include <stdlib.h>

#include "bus_private.h"
#include "mem.h"
#include "nats.h"
#include "watchdog.h"

enum { SECOND = 1000 };

struct fixture {
	struct jobs jobs;
	struct origin origin;
	struct dispatcher_metrics metrics;
	struct watchdog watchdog;
	struct watchdog_view view;
	struct job *job;
};

/* A dispatcher that holds one event, with which nothing will ever be done. */
static struct fixture *
open_fixture(void)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct bus_msg *msg = mem_alloc(sizeof(*msg));

	assert_int_equal(natsMsg_Create(&msg->msg, "vc.lab.a", "reply", "{}", 2), NATS_OK);
	jobs_init(&f->jobs, 100, 1000, 1);
	f->origin.stream = "VC_lab";
	dispatcher_metrics_init(&f->metrics, "test");
	f->view = (struct watchdog_view){ .jobs = &f->jobs, .able = true };
	f->job = job_new(&f->jobs, &f->origin, 1, msg);
	job_set_deliveries(&f->jobs, f->job, 1);
	delivery_set_target(&f->jobs, &f->job->delivery[0], "");
	return f;
}

/* How often it reports within a minute, checked once a second. */
static int
reports_and_close(struct fixture *f)
{
	int n = 0;

	for (int second = 1; second <= 60; second++) {
		assert_true(watchdog_due(&f->watchdog, second * SECOND));
		n += watchdog_check(&f->watchdog, &f->view, &f->metrics, second * SECOND);
		assert_false(watchdog_due(&f->watchdog, second * SECOND + 999));
	}
	jobs_free(&f->jobs);
	free(f);
	return n;
}

static void
a_lost_event(void **state)
{
	struct fixture *f = open_fixture();
	uint64_t before = metric_count(f->metrics.stalled_deliver);
	struct metric *stalled = f->metrics.stalled_deliver;

	(void)state;
	assert_int_equal(reports_and_close(f), 1);
	assert_int_equal(metric_count(stalled), before + 1);
}

static void
events_that_nobody_requests(void **state)
{
	struct fixture *f = open_fixture();
	uint64_t before = metric_count(f->metrics.stalled_pull);
	struct metric *stalled = f->metrics.stalled_pull;

	(void)state;
	job_free(&f->jobs, f->job);
	f->view.sources = (struct sources_summary){ .pending = 5, .starving = true };
	assert_int_equal(reports_and_close(f), 1);
	assert_int_equal(metric_count(stalled), before + 1);
}

static void
waits_for_its_next_try(struct fixture *f)
{
	delivery_wait(&f->job->delivery[0], 3600 * SECOND);
}

static void
its_body_is_fetched(struct fixture *f)
{
	job_evict(&f->jobs, f->job);
	job_fetch_begin(&f->jobs, f->job, f->job->delivery[0].queue, 3600 * SECOND);
}

static void
its_body_is_fetched_again_later(struct fixture *f)
{
	job_evict(&f->jobs, f->job);
	job_fetch_again(&f->jobs, f->job, 3600 * SECOND);
}

static void
its_target_is_paused(struct fixture *f)
{
	f->job->delivery[0].queue->circuit.state = CIRCUIT_OPEN;
}

static void
the_destination_is_paused(struct fixture *f)
{
	f->view.paused = true;
}

static void
a_request_is_under_way(struct fixture *f)
{
	f->view.under_way = true;
}

static void
a_message_is_not_a_job_yet(struct fixture *f)
{
	f->view.messages = 1;
}

static void
nats_is_away(struct fixture *f)
{
	f->view.able = false;
}

static void
it_was_settled(struct fixture *f)
{
	job_free(&f->jobs, f->job);
}

static void
excuses(void **state)
{
	static void (*const excuse[])(struct fixture *) = {
		waits_for_its_next_try,
		its_body_is_fetched,
		its_body_is_fetched_again_later,
		its_target_is_paused,
		the_destination_is_paused,
		a_request_is_under_way,
		a_message_is_not_a_job_yet,
		nats_is_away,
		it_was_settled,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(excuse); i++) {
		struct fixture *f = open_fixture();

		excuse[i](f);
		if (reports_and_close(f) != 0)
			fail_msg("excuse %zu does not count", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_event),
		cmocka_unit_test(events_that_nobody_requests),
		cmocka_unit_test(excuses),
	};

	return cmocka_run_group_tests(tests, nats_library_open, nats_library_close);
}
