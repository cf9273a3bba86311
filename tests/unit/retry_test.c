// SPDX-License-Identifier: Apache-2.0
/*
 * When a delivery is tried again, and when it is given up: settle.c with outcome.c, circuit.c
 * and refusals.c, behind deliver.c. The destination and the clock are the test's
 * (deliver_lab.h). What is expected is in docs/delivery.md.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "deliver_lab.h"

/* ---- backoff */

/* After the n-th failure anything from 0 to 1, 2, 4 ... 300 s, and all of that range. */
static void
waits_double_up_to_the_limit(void **state)
{
	enum { RUNS = 40, TRIES = 12 };
	static const int64_t ceiling_s[TRIES] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300,
		300 };
	int64_t least_ms = INT64_MAX, most_ms = 0;

	for (unsigned run = 0; run < RUNS; run++) {
		open_world(state);
		lab.jobs.random = run;
		add_events(1, 1, "");
		for (size_t i = 0; i < TRIES; i++) {
			int64_t wait_ms;

			turn();
			assert_int_equal(world.n, 1);
			reply(0, 503);
			wait_ms = queue_due(TAILQ_FIRST(&lab.jobs.queues)) - lab.now_ms;
			assert_in_range(wait_ms, 0, ceiling_s[i] * SECOND);
			if (i + 1 == TRIES && wait_ms < least_ms)
				least_ms = wait_ms;
			if (i + 1 == TRIES && wait_ms > most_ms)
				most_ms = wait_ms;
			if (wait_ms == 0)
				continue;
			lab.now_ms += wait_ms - 1;
			turn();
			assert_int_equal(world.n, 0);
			lab.now_ms += 1;
		}
		assert_int_equal(metric_count(lab.metrics.retries), TRIES);
		assert_said("");
		close_world(state);
	}
	assert_true(least_ms < 100 * SECOND && most_ms > 200 * SECOND);
}

/* ---- giving up */

static void
an_event_is_given_up_by_its_age(void **state)
{
	int64_t first_ms = lab.now_ms, last_ms = first_ms;

	(void)state;
	lab.options.retry.max_age_ms = HOUR;
	add_events(7, 7, "");
	while (lab.n_letters == 0) {
		assert_true(last_ms - first_ms <= HOUR); /* the one before was not the last */
		assert_true(wait_for_request(5 * MINUTE + STEP_MS) >= 0);
		last_ms = lab.now_ms;
		reply(0, 503);
	}
	assert_in_range(last_ms - first_ms, HOUR + 1, HOUR + 5 * MINUTE + STEP_MS);
	assert_said("vcdead.d.lab.7 gave_up ");
	assert_int_equal(TAILQ_FIRST(&lab.jobs.list)->delivery->attempts, world.total);
	assert_int_equal(TAILQ_FIRST(&lab.jobs.list)->delivery->status, 503);
	lab_store_letters();
	assert_said("ack.7 +ACK");
}

/* Knative's DeliverySpec: so many tries after the first one. */
static void
an_event_is_given_up_by_its_tries(void **state)
{
	(void)state;
	lab.options.retry.count = 2;
	add_events(7, 7, "");
	while (lab.n_letters == 0) {
		assert_true(wait_for_request(5 * SECOND) >= 0);
		reply(0, 500);
	}
	assert_int_equal(world.total, 3);
	assert_said("vcdead.d.lab.7 gave_up ");
}

/* ---- the circuit of a target */

static void
one_event_alone_pauses_nothing(void **state)
{
	(void)state;
	add_events(1, 1, "");
	for (int i = 0; i < 9; i++) {
		assert_true(wait_for_request(5 * MINUTE) >= 0);
		reply(0, 503);
	}
	lab_job(2, "");
	assert_int_equal(wait_for_request(0), 0);
	assert_string_equal(url(0), "http:///2");
}

/* Five different events fail in a row: probes only, 1 s later, and then up to 60 s apart. */
static void
a_paused_target_gets_probes(void **state)
{
	static const int64_t most_s[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60, 60 };

	(void)state;
	add_events(1, 8, "");
	lab.options.concurrency = 1;
	for (int i = 0; i < 5; i++) {
		assert_false(deliver_paused(world.deliver));
		assert_int_equal(wait_for_request(0), 0);
		reply(0, 503);
	}
	assert_true(deliver_paused(world.deliver));
	lab.options.concurrency = 64;
	for (size_t i = 0; i < COUNT(most_s); i++) {
		int64_t wait_ms = wait_for_request(most_s[i] * SECOND + STEP_MS);

		assert_true(wait_ms >= most_s[i] * SECOND / 2);
		turn();
		assert_int_equal(world.n, 1); /* one event at a time */
		reply(0, 503);
	}
	assert_true(wait_for_request(MINUTE + STEP_MS) >= 0);
	reply(0, 200);
	turn();
	assert_int_equal(world.n, 7); /* all the others, at once */
	assert_int_equal(metric_count(lab.metrics.circuit_opens), 1);
}

/* Events that always fail do not keep a target paused: the probe is one that is new. */
static void
the_probe_is_an_event_that_was_not_tried(void **state)
{
	(void)state;
	add_events(1, 5, "");
	reply_to_all(503);
	assert_true(wait_for_request(SECOND + STEP_MS) >= 0);
	reply(0, 503);
	lab.now_ms += SECOND / 2;
	turn();
	assert_true(
		TAILQ_FIRST(&lab.jobs.queues)->n_ready >= 4); /* they come before the new one */
	add_events(9, 9, "");
	assert_true(wait_for_request(2 * SECOND) >= 0);
	assert_string_equal(url(0), "http:///9");
}

static void
any_success_ends_the_pause(void **state)
{
	(void)state;
	add_events(1, 6, "");
	turn();
	for (int i = 0; i < 5; i++)
		reply(0, 503);
	assert_true(deliver_paused(world.deliver));
	reply(0, 200); /* it was under way */
	assert_false(deliver_paused(world.deliver));
	turn();
	assert_int_equal(world.n, 5);
}

/* ---- Retry-After */

static void
retry_after_pauses_the_target(void **state)
{
	static const struct {
		int64_t asked_ms, paused_ms;
	} rows[] = {
		{ 7 * SECOND, 7 * SECOND }, { 2 * MINUTE, 2 * MINUTE },
		{ 2 * HOUR, 10 * MINUTE }, /* retryAfterMax */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_response rsp = { .status = 429,
			.body = "",
			.headers = "",
			.retry_after_ms = rows[i].asked_ms };

		open_world(state);
		add_events(1, 2, "");
		turn();
		reply_with(0, &rsp);
		add_events(3, 3, "");
		assert_int_equal(world.n, 1); /* the second event */
		reply(0, 503);
		assert_int_equal(wait_for_request(rows[i].paused_ms - STEP_MS), -1);
		assert_true(wait_for_request(2 * STEP_MS) >= 0);
		assert_int_equal(world.n, 1);
		assert_int_equal(metric_count(lab.metrics.throttled), 1);
		close_world(state);
	}
}

/* ---- refused events */

/* Others are accepted: after 0.5 to 1 s, and one request. */
static void
a_refused_event_among_others_that_pass(void **state)
{
	int64_t refused_ms;

	(void)state;
	add_events(1, 3, "");
	turn();
	refused_ms = lab.now_ms += STEP_MS;
	reply(0, 400);
	reply(0, 200);
	reply(0, 200);
	assert_said("ack.2 +ACK, ack.3 +ACK");
	for (; lab.n_letters == 0 && lab.now_ms - refused_ms <= SECOND; turn())
		lab.now_ms += STEP_MS;
	assert_in_range(lab.now_ms - refused_ms, SECOND / 2, SECOND + STEP_MS);
	assert_said("vcdead.d.lab.1 rejected ");
	assert_int_equal(world.total, 3);
}

/* It fails for others, or refuses others: the event is tried again. */
static void
a_refused_event_among_others_that_do_not_pass(void **state)
{
	static const int others[] = { 503, 400, 404, 0 };

	for (size_t i = 0; i < COUNT(others); i++) {
		open_world(state);
		add_events(1, 3, "");
		turn();
		lab.now_ms += STEP_MS;
		reply(0, 422);
		reply(0, others[i]);
		reply(0, others[i]);
		add_events(4, 4, "");
		lab.now_ms += STEP_MS;
		turn();
		lab.now_ms += STEP_MS;
		while (world.n > 0)
			reply(0, 200);
		while (wait_for_request(SECOND + STEP_MS) >= 0 &&
			strcmp(url(0), "http:///1") != 0)
			reply(0, 200);
		assert_string_equal(url(0), "http:///1");
		assert_int_equal(lab.n_letters, 0);
		close_world(state);
	}
}

/* It accepts another event between two refusals of this one. */
static void
an_event_that_is_refused_again(void **state)
{
	(void)state;
	add_events(1, 2, "");
	turn();
	reply(0, 400);
	reply(0, 400);
	add_events(3, 3, "");
	lab.now_ms += STEP_MS;
	turn();
	lab.now_ms += STEP_MS;
	reply(0, 200);
	assert_said("ack.3 +ACK");
	for (unsigned n = 1; n <= 2; n++) {
		assert_true(wait_for_request(SECOND + STEP_MS) >= 0);
		reply(0, 400);
		assert_int_equal(lab.n_letters, n);
	}
	assert_int_equal(world.total, 5);
}

/* Alone: it is tried until rejectGrace is over, and then, at that time, for the last time. */
static void
a_refused_event_alone_has_the_grace(void **state)
{
	int64_t first_ms = lab.now_ms;

	(void)state;
	add_events(7, 7, "");
	while (lab.n_letters == 0) {
		assert_true(lab.now_ms - first_ms < MINUTE);
		assert_true(wait_for_request(MINUTE) >= 0);
		reply(0, 400);
	}
	assert_in_range(lab.now_ms - first_ms, MINUTE, MINUTE + STEP_MS);
	assert_said("vcdead.d.lab.7 rejected ");
	assert_true(world.total > 5);
}

static void
without_a_grace_a_refused_event_is_a_dead_letter_at_once(void **state)
{
	(void)state;
	lab.options.retry.reject_grace_ms = 0;
	add_events(7, 7, "");
	turn();
	reply(0, 400);
	assert_said("vcdead.d.lab.7 rejected ");
}

/* Everything is refused: five different events in a row pause the target, as failures do. */
static void
a_target_that_refuses_everything_is_paused(void **state)
{
	(void)state;
	add_events(1, 9, "");
	lab.options.concurrency = 1;
	for (int i = 0; i < 5; i++) {
		assert_false(deliver_paused(world.deliver));
		assert_int_equal(wait_for_request(0), 0);
		reply(0, 400);
	}
	assert_true(deliver_paused(world.deliver));
	assert_said("");
	assert_true(wait_for_request(SECOND + STEP_MS) >= 0);
	reply_to_all(200);
	assert_int_equal(metric_count(lab.metrics.delivered), 9);
}

/* It goes on to refuse all: nothing is a dead letter before the grace is over. */
static void
refused_events_of_a_paused_target_have_the_grace(void **state)
{
	int64_t first_ms = lab.now_ms;

	(void)state;
	add_events(1, 9, "");
	for (turn(); lab.n_letters == 0; reply(0, 400)) {
		assert_true(lab.now_ms - first_ms < MINUTE);
		assert_true(wait_for_request(MINUTE) >= 0);
	}
	assert_in_range(lab.now_ms - first_ms, MINUTE, MINUTE + STEP_MS);
}

/* A wrong setting: 20 refusals that are believed, and the rest is kept, but for the probes. */
static void
a_flood_of_refusals_does_not_empty_the_stream(void **state)
{
	int64_t begin_ms;
	size_t probes = 0;

	(void)state;
	lab.options.retry.reject_grace_ms = 0;
	lab.options.concurrency = 1;
	add_events(1, 60, "");
	reply_to_all(400);
	assert_true(deliver_paused(world.deliver));
	assert_int_equal(world.total, 20);
	assert_true(lab.n_letters < 20);
	begin_ms = lab.now_ms;
	for (; lab.now_ms - begin_ms < 10 * MINUTE; probes++) {
		size_t before = lab.n_letters;

		assert_true(wait_for_request(MINUTE + STEP_MS) >= 0);
		reply(0, 400);
		assert_int_equal(lab.n_letters, before + 1);
	}
	assert_true(probes <= 6 + 20); /* 1, 2, 4 .. 32 s, and then at least 30 s apart */
	assert_true(wait_for_request(MINUTE + STEP_MS) >= 0);
	reply_to_all(200);
	lab_store_letters();
	assert_int_equal(lab.jobs.n, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_the_limit),
		TEST(an_event_is_given_up_by_its_age),
		TEST(an_event_is_given_up_by_its_tries),
		TEST(one_event_alone_pauses_nothing),
		TEST(a_paused_target_gets_probes),
		TEST(the_probe_is_an_event_that_was_not_tried),
		TEST(any_success_ends_the_pause),
		cmocka_unit_test(retry_after_pauses_the_target),
		TEST(a_refused_event_among_others_that_pass),
		cmocka_unit_test(a_refused_event_among_others_that_do_not_pass),
		TEST(an_event_that_is_refused_again),
		TEST(a_refused_event_alone_has_the_grace),
		TEST(without_a_grace_a_refused_event_is_a_dead_letter_at_once),
		TEST(a_target_that_refuses_everything_is_paused),
		TEST(refused_events_of_a_paused_target_have_the_grace),
		TEST(a_flood_of_refusals_does_not_empty_the_stream),
	};

	return cmocka_run_group_tests_name(
		"retry", tests, nats_library_open, nats_library_close);
}
