// SPDX-License-Identifier: Apache-2.0
/*
 * dispatcher/backlog.h: which events only wait, what they may take of the buffer, and which of
 * them become dead letters then. Without a bus: settle_lab.h.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "settle_lab.h"

#include "backlog.h"

enum { EVENT_BYTES = 1000, BUFFER_EVENTS = 100 };

static struct deliver *deliver;
static struct backlog *backlog;

static int
open_backlog(void **state)
{
	struct backlog_config config = { .jobs = &lab.jobs, .metrics = &lab.metrics };
	struct deliver_config delivering = { .jobs = &lab.jobs, .options = &lab.options };

	lab_open(state);
	lab.options.concurrency = 8;
	lab.options.buffer_bytes = BUFFER_EVENTS * EVENT_BYTES;
	lab.jobs.fans_out = true;
	config.settle = lab.settle;
	config.options = &lab.options;
	config.deliver = deliver = deliver_open(&delivering);
	backlog = backlog_open(&config);
	return 0;
}

static int
close_backlog(void **state)
{
	backlog_close(backlog);
	deliver_close(deliver);
	return lab_close(state);
}

static struct queue *
target(const char *name)
{
	return queue_find(&lab.jobs, name);
}

static void
accept_one(const char *name)
{
	lab_send(lab_job(2001, name)->delivery);
	lab_reply(TAILQ_LAST(&lab.jobs.list, job_list)->delivery, 200);
	buf_clear(&lab.said);
}

/* Events from `first` to `last` that wait for a target. tries: how often each has failed. */
static void
add_waiting(uint64_t first, uint64_t last, const char *name, unsigned tries)
{
	for (uint64_t seq = first; seq <= last; seq++) {
		struct job *job = lab_job_of(&lab_origin, seq, name, EVENT_BYTES);

		if (tries == 0)
			continue;
		delivery_take(job->delivery);
		job->delivery->attempts = tries;
		job->delivery->first_us = job->delivery->last_us = lab.now_ms * 1000;
		delivery_wait(job->delivery, lab.now_ms + HOUR);
	}
}

/* "vcdead.d.lab.1 backlog a, vcdead.d.lab.2 backlog a": of all events from first to last. */
static void
assert_dead(uint64_t first, uint64_t last, const char *reason_and_target)
{
	struct buf want;

	buf_init(&want, 1 << 16);
	for (uint64_t seq = first; seq <= last; seq++)
		buf_printf(&want, "%svcdead.d.lab.%llu %s", seq > first ? ", " : "",
			(unsigned long long)seq, reason_and_target);
	assert_said(buf_str(&want));
	buf_free(&want);
}

/* ---- which events only wait */

enum place { OVER, READY, WAITING, BLOCKED, IN_FLIGHT, DEAD_PENDING };

static void
put(struct delivery *delivery, enum place place)
{
	switch (place) {
	case READY:
		break;
	case WAITING:
		delivery_take(delivery);
		delivery_wait(delivery, lab.now_ms + SECOND);
		break;
	case BLOCKED:
		delivery_take(delivery);
		break;
	case IN_FLIGHT:
		lab_send(delivery);
		break;
	case DEAD_PENDING:
		settle_dead(lab.settle, delivery, "rejected");
		break;
	default:
		delivery_over(delivery, DELIVERY_DELIVERED);
	}
}

static void
idle_events(void **state)
{
	static const struct {
		const char *name, *target; /* of the first delivery */
		enum place place[2];
		bool idle;
	} rows[] = {
		{ "to be sent now", "works", { READY, OVER }, false },
		{ "waits for its next try", "works", { WAITING, OVER }, true },
		{ "waits for an earlier event", "works", { BLOCKED, OVER }, true },
		{ "under way", "works", { IN_FLIGHT, OVER }, false },
		{ "its dead letter is under way", "works", { DEAD_PENDING, OVER }, false },
		{ "its target is paused", "paused", { READY, OVER }, true },
		{ "the probe of a paused target", "paused", { IN_FLIGHT, OVER }, false },
		{ "its target has all its slots taken", "slow", { READY, OVER }, true },
		{ "one target is slow, the other has its turn", "slow", { READY, READY },
			false },
		{ "one is paused, to the other it is under way", "paused", { READY, IN_FLIGHT },
			false },
		{ "one is paused, for the other it waits", "paused", { READY, WAITING }, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char names[32];
		struct job *job;

		open_backlog(state);
		lab_pause("paused");
		target("slow")->in_flight = 2; /* a quarter of concurrency */
		snprintf(names, sizeof(names), "%s other", rows[i].target);
		job = lab_job(1, names);
		put(&job->delivery[0], rows[i].place[0]);
		put(&job->delivery[1], rows[i].place[1]);
		backlog_turn(backlog, false, lab.now_ms);
		if (lab.jobs.n_idle != rows[i].idle || job->idle != rows[i].idle ||
			metric_value(lab.metrics.idle) != rows[i].idle)
			fail_msg("%s: %zu idle", rows[i].name, lab.jobs.n_idle);
		close_backlog(state);
	}
}

/* With a single target, events that wait for a slow one count: no more are pulled. */
static void
with_one_target_what_is_ready_is_not_idle(void **state)
{
	(void)state;
	lab.jobs.fans_out = false;
	lab_job(1, "");
	target("")->in_flight = 8;
	backlog_turn(backlog, false, lab.now_ms);
	assert_int_equal(lab.jobs.n_idle, 0);
	lab_pause("");
	backlog_turn(backlog, false, lab.now_ms);
	assert_int_equal(lab.jobs.n_idle, 1);
}

/* The window is filled by the others; the count may be 0.1 s old. */
static void
idle_events_do_not_count(void **state)
{
	(void)state;
	lab_pause("a");
	add_waiting(1, 30, "a", 0);
	lab.now_ms += SECOND;
	assert_int_equal(backlog_active(backlog, lab.now_ms), 0);
	add_waiting(31, 40, "b", 0);
	lab.now_ms += 100;
	assert_int_equal(backlog_active(backlog, lab.now_ms), 10);
	lab_pause("b");
	lab.now_ms += 100;
	assert_int_equal(backlog_active(backlog, lab.now_ms), 0);
	add_waiting(41, 50, "c", 0);
	job_evict(&lab.jobs, TAILQ_FIRST(&lab.jobs.list));
	assert_int_equal(backlog_active(backlog, lab.now_ms), 10);
}

/* ---- giving up */

/*
 * Half of the buffer; the oldest of a target that fails, while others work. Whatever of this is
 * not so, nothing is given up.
 */
static void
the_oldest_make_room(void **state)
{
	static const struct {
		const char *name;
		size_t waiting; /* events of EVENT_BYTES */
		int64_t failing_ms;
		bool others, may;
		size_t dead;
	} rows[] = {
		{ "as many as may wait", 50, MINUTE, true, true, 0 },
		{ "one more", 51, MINUTE, true, true, 1 },
		{ "many more", 90, MINUTE, true, true, 40 },
		{ "no other target has worked since then", 90, 10 * SECOND, false, true, 0 },
		{ "none has worked for long", 90, HOUR, false, true, 0 },
		{ "no dead letter can be stored", 90, MINUTE, true, false, 0 },
		{ "the target has only just failed", 90, SECOND, true, true, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		open_backlog(state);
		accept_one("b");
		lab_pause("a");
		lab.now_ms += rows[i].failing_ms;
		if (rows[i].others)
			accept_one("b");
		add_waiting(1, rows[i].waiting, "a", 0);
		backlog_turn(backlog, rows[i].may, lab.now_ms);
		assert_int_equal(lab.n_letters, rows[i].dead);
		assert_dead(1, rows[i].dead, "backlog a");
		assert_int_equal(metric_value(lab.metrics.idle), rows[i].waiting);
		lab_store_letters();
		assert_int_equal(lab.jobs.n, rows[i].waiting - rows[i].dead);
		assert_true(rows[i].dead == 0 ||
			TAILQ_FIRST(&lab.jobs.list)->seq == rows[i].dead + 1);
		backlog_turn(backlog, rows[i].may, lab.now_ms); /* and no more than that */
		assert_int_equal(lab.n_letters, 0);
		close_backlog(state);
	}
}

/* Those that were tried go first: their target had its chance. */
static void
tried_events_make_room_first(void **state)
{
	(void)state;
	lab_pause("a");
	lab.now_ms += MINUTE;
	accept_one("b");
	add_waiting(1, 40, "a", 0);
	add_waiting(41, 55, "a", 1);
	backlog_turn(backlog, true, lab.now_ms);
	assert_dead(41, 45, "backlog a");
}

/* Only what a failing target has to wait for, whatever the others have. */
static void
a_target_that_works_loses_nothing(void **state)
{
	(void)state;
	lab_pause("a");
	lab.now_ms += MINUTE;
	add_waiting(1, 45, "b", 1); /* it failed once, as can happen */
	accept_one("b");
	add_waiting(46, 60, "a", 0);
	backlog_turn(backlog, true, lab.now_ms);
	assert_dead(46, 55, "backlog a");
	for (struct job *job = TAILQ_FIRST(&lab.jobs.list); job != NULL;
		job = TAILQ_NEXT(job, link))
		assert_true(job->seq > 45 || job->delivery->state == DELIVERY_WAITING);
}

/* What one of several targets does not take is dead for that one only. */
static void
the_other_targets_of_an_event_keep_it(void **state)
{
	struct job *job;

	(void)state;
	lab_pause("a");
	lab.now_ms += MINUTE;
	accept_one("b");
	lab.options.buffer_bytes = 0;
	job = lab_job(7, "a b");
	put(&job->delivery[1], WAITING);
	backlog_turn(backlog, true, lab.now_ms);
	assert_said("vcdead.d.lab.7 backlog a");
	assert_int_equal(job->delivery[1].state, DELIVERY_WAITING);
}

/* An event whose body was let go takes nothing of the buffer. */
static void
evicted_events_are_not_given_up(void **state)
{
	(void)state;
	lab_pause("a");
	lab.now_ms += MINUTE;
	accept_one("b");
	add_waiting(1, 90, "a", 0);
	for (struct job *job = TAILQ_FIRST(&lab.jobs.list); job->seq <= 30;
		job = TAILQ_NEXT(job, link))
		job_evict(&lab.jobs, job);
	backlog_turn(backlog, true, lab.now_ms);
	assert_dead(31, 40, "backlog a");
}

/* A wrong password is not the events' fault, however long it is wrong. */
static void
wrong_credentials_cost_nothing_but_time(void **state)
{
	static const int status[] = { 401, 403 };

	for (size_t i = 0; i < COUNT(status); i++) {
		open_backlog(state);
		lab_pause("a");
		target("a")->status = status[i];
		lab.now_ms += MINUTE;
		accept_one("b");
		add_waiting(1, 90, "a", 0);
		backlog_turn(backlog, true, lab.now_ms);
		assert_said("");
		close_backlog(state);
	}
}

/* maxAge counts from the time it came when its target was paused from then on. */
static void
an_event_that_was_never_tried_ends_by_its_age(void **state)
{
	(void)state;
	lab_pause("a");
	add_waiting(1, 2, "a", 0);
	lab.now_ms += 24 * HOUR;
	backlog_turn(backlog, true, lab.now_ms);
	assert_said("");
	lab.now_ms += 1;
	add_waiting(3, 3, "a", 0);
	backlog_turn(backlog, false, lab.now_ms);
	assert_said("");
	backlog_turn(backlog, true, lab.now_ms);
	assert_dead(1, 2, "gave_up a");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_backlog, close_backlog)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_events),
		TEST(with_one_target_what_is_ready_is_not_idle),
		TEST(idle_events_do_not_count),
		cmocka_unit_test(the_oldest_make_room),
		TEST(tried_events_make_room_first),
		TEST(a_target_that_works_loses_nothing),
		TEST(the_other_targets_of_an_event_keep_it),
		TEST(evicted_events_are_not_given_up),
		cmocka_unit_test(wrong_credentials_cost_nothing_but_time),
		TEST(an_event_that_was_never_tried_ends_by_its_age),
	};

	return cmocka_run_group_tests_name(
		"backlog", tests, nats_library_open, nats_library_close);
}
