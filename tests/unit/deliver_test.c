// SPDX-License-Identifier: Apache-2.0
/*
 * dispatcher/deliver.h: what is sent to whom when there are several targets, or several events
 * in a request, and what is not sent at all. The destination and the clock are the test's
 * (deliver_lab.h). What is expected is in docs/delivery.md and processors/processor.h.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "deliver_lab.h"

#include "hash.h"

/* ---- several targets */

static void
a_failing_target_delays_no_other(void **state)
{
	(void)state;
	lab.jobs.fans_out = true;
	for (uint64_t seq = 1; seq <= 50; seq++) {
		add_events(seq, seq, "a b");
		for (turn(); world.n > 0; turn())
			reply(0, strncmp(url(0), "http://a", 8) == 0 ? 503 : 200);
		lab.now_ms += STEP_MS;
	}
	assert_int_equal(queue_find(&lab.jobs, "a")->circuit.state, CIRCUIT_OPEN);
	assert_int_equal(queue_find(&lab.jobs, "b")->deliveries, 0); /* it has all of them */
	assert_said("");
	assert_int_equal(metric_count(lab.metrics.delivered), 0);
	while (lab.jobs.n > 0) {
		assert_true(wait_for_request(MINUTE) >= 0);
		assert_memory_equal(url(0), "http://a", 8); /* and none of them twice */
		reply(0, 200);
	}
	assert_int_equal(metric_count(lab.metrics.delivered), 50);
}

/* No connection to five different targets: to none of the others either. */
static void
a_destination_without_a_connection_is_paused_whole(void **state)
{
	(void)state;
	lab.jobs.fans_out = true;
	for (uint64_t seq = 1; seq <= 8; seq++)
		lab_job(seq, seq % 2 ? "a" : "b");
	lab.options.concurrency = 4; /* one for each target */
	for (int i = 0; i < 5; i++) {
		assert_false(deliver_paused(world.deliver));
		assert_int_equal(wait_for_request(0), 0);
		reply(0, 0);
	}
	assert_true(deliver_paused(world.deliver));
	while (world.n > 0)
		reply(0, 0);
	for (int i = 0; i < 8; i++) { /* one probe, whatever the targets */
		assert_true(wait_for_request(MINUTE + STEP_MS) >= 0);
		assert_int_equal(world.n, 1);
		reply(0, 0);
	}
	assert_true(wait_for_request(MINUTE + STEP_MS) >= 0);
	reply(0, 503); /* it answers again */
	assert_false(deliver_paused(world.deliver));
	turn();
	assert_int_equal(world.n, 2);
	assert_int_equal(queue_find(&lab.jobs, "a")->circuit.state, CIRCUIT_CLOSED);
	assert_int_equal(queue_find(&lab.jobs, "b")->circuit.state, CIRCUIT_CLOSED);
}

/*
 * A 404, and the list of targets no longer has this one: it is not sent again. Any other
 * failure does not make it look at the list, which may be incomplete.
 */
static void
a_target_that_was_removed_gets_nothing(void **state)
{
	static const int status[] = { 404, 503 };

	for (size_t i = 0; i < COUNT(status); i++) {
		open_world(state);
		lab.jobs.fans_out = true;
		add_events(7, 7, "a b");
		turn();
		while (world.n > 0)
			reply(0, status[i]);
		assert_int_equal(lab.refreshes, status[i] == 404 ? 2 : 0);
		world.gone = "a";
		lab.now_ms += SECOND;
		turn();
		assert_int_equal(world.n, status[i] == 404 ? 1 : 2);
		assert_string_equal(url(world.n - 1), "http://b/7");
		while (world.n > 0)
			reply(0, 200);
		assert_said("ack.7 +ACK");
		assert_int_equal(metric_count(lab.metrics.delivered), 1);
		close_world(state);
	}
}

/* ---- batches */

static void
a_batch_that_is_too_large_is_split(void **state)
{
	static const char *const urls[] = { "http:///1,2,3,4,5,6,7,8", "http:///1,2,3,4",
		"http:///1,2" };

	(void)state;
	world.processor.batch_max = lab.batch_max = 8;
	add_events(1, 8, "");
	for (size_t i = 0; i < COUNT(urls); i++) {
		lab.now_ms += 10 * SECOND; /* all of them are due */
		turn();
		assert_int_equal(strlen(url(0)), strlen(urls[i]));
		while (world.n > 0)
			reply(0, 413);
	}
	assert_false(
		deliver_paused(world.deliver)); /* 413 is not a failure of the destination */
	lab.now_ms += 10 * SECOND;
	reply_to_all(200);
	assert_int_equal(metric_count(lab.metrics.delivered), 8);
}

static void
only_the_event_that_cannot_be_sent_becomes_a_dead_letter(void **state)
{
	(void)state;
	world.processor.batch_max = lab.batch_max = 8;
	world.unusable = ERR_PROTOCOL;
	add_events(11, 15, "");
	reply_to_all(200);
	assert_int_equal(metric_count(lab.metrics.delivered), 4);
	assert_non_null(strstr(buf_str(&lab.said), "vcdead.d.lab.13 unencodable "));
	assert_int_equal(lab.jobs.n, 1);
}

/* Credentials that cannot be sent: a failure of the destination, and they are read again. */
static void
credentials_that_cannot_be_sent_are_a_failure(void **state)
{
	(void)state;
	world.unusable = ERR_AUTH;
	add_events(1, 6, "");
	turn();
	assert_int_equal(world.total, 0);
	assert_int_equal(lab.jobs.n, 6);
	assert_true(lab.refreshes >= 1);
	assert_true(deliver_paused(world.deliver));
	assert_said("");
	world.unusable = ERR_NONE;
	assert_true(wait_for_request(SECOND + STEP_MS) >= 0);
	reply_to_all(200);
	assert_int_equal(metric_count(lab.metrics.delivered), 6);
}

/* ---- ackWait */

/* NATS has delivered it again, maybe to another replica: it is not sent twice. */
static void
an_event_that_was_held_too_long_is_not_sent(void **state)
{
	(void)state;
	lab.options.ack_wait_ms = MINUTE;
	add_events(7, 7, "");
	turn();
	reply(0, 503);
	lab.now_ms += MINUTE + 1; /* ackWait, and NATS did not hear of it */
	turn();
	assert_int_equal(world.n, 0);
	assert_int_equal(lab.jobs.n, 0);
	assert_said("");
}

/* ---- all of it */

/*
 * Whatever the destination does, and in whatever order: each event ends once, NATS gets one ack
 * for it, and ack_flush knows how many deliveries that is.
 */
static void
the_books_add_up(void **state)
{
	enum { EVENTS = 2000 };
	static const char *const targets[] = { "a", "b a", "a b c" };
	static const int status[] = { 200, 202, 200, 503, 400, 404, 429, 0 };
	uint64_t random = 3, n = 0, deliveries = 0, acks = 0;

	(void)state;
	lab.options.retry.max_age_ms = MINUTE;
	lab.jobs.fans_out = true;
	for (; n < EVENTS || lab.jobs.n > 0; lab.now_ms += STEP_MS) {
		assert_true(lab.now_ms < LAB_START_MS + 24 * HOUR);
		if (n < EVENTS) {
			n++;
			lab_job(n, targets[n % COUNT(targets)]);
			deliveries += 1 + n % COUNT(targets);
		}
		turn();
		while (world.n > 0 && hash_splitmix64(&random) % 4 != 0)
			reply(hash_splitmix64(&random) % world.n,
				status[hash_splitmix64(&random) % COUNT(status)]);
		if (hash_splitmix64(&random) % 8 == 0)
			lab_store_letters();
	}
	for (const char *p = buf_str(&lab.said); (p = strstr(p, "+ACK")) != NULL; p++)
		acks++;
	assert_int_equal(acks, n);
	assert_int_equal(lab.flushed, deliveries);
	assert_int_equal(metric_count(lab.metrics.delivered) +
			metric_count(lab.metrics.filtered) + metric_count(lab.metrics.dead),
		n);
	assert_true(metric_count(lab.metrics.delivered) > 100); /* there are some of both */
	assert_true(metric_count(lab.metrics.dead) > 100);
	assert_int_equal(lab.jobs.bytes + deliver_in_flight(world.deliver), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(a_failing_target_delays_no_other),
		TEST(a_destination_without_a_connection_is_paused_whole),
		cmocka_unit_test(a_target_that_was_removed_gets_nothing),
		TEST(a_batch_that_is_too_large_is_split),
		TEST(only_the_event_that_cannot_be_sent_becomes_a_dead_letter),
		TEST(credentials_that_cannot_be_sent_are_a_failure),
		TEST(an_event_that_was_held_too_long_is_not_sent),
		TEST(the_books_add_up),
	};

	return cmocka_run_group_tests_name(
		"deliver", tests, nats_library_open, nats_library_close);
}
