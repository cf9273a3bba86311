// SPDX-License-Identifier: Apache-2.0
/* Which thread asks NATS, and when. bus_flush and http_wakeup are the test's. */
#include "test.h"

#include <pthread.h>

#include "ack_flush.h"

enum { CONCURRENCY = 2 };

int __wrap_bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err);
void __wrap_http_wakeup(struct http *http);

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t loop;
	unsigned by_loop, by_thread, woken;
	int64_t takes_ms; /* until NATS answers */
} lab = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

int
__wrap_bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err)
{
	bool answered;

	(void)bus;
	pthread_mutex_lock(&lab.lock);
	answered = lab.takes_ms <= timeout_ms;
	if (pthread_equal(pthread_self(), lab.loop))
		lab.by_loop++;
	else
		lab.by_thread++;
	pthread_mutex_unlock(&lab.lock);
	return answered ? 0 : err_set(err, ERR_TIMEOUT, "no answer");
}

void
__wrap_http_wakeup(struct http *http)
{
	(void)http;
	pthread_mutex_lock(&lab.lock);
	lab.woken++;
	pthread_cond_signal(&lab.changed);
	pthread_mutex_unlock(&lab.lock);
}

static struct ack_flush *
opened(int64_t takes_ms)
{
	struct ack_flush_config config = { .concurrency = CONCURRENCY, .batch_max = 1 };
	struct ack_flush *flush;
	struct err err;

	lab.loop = pthread_self();
	lab.by_loop = lab.by_thread = lab.woken = 0;
	lab.takes_ms = takes_ms;
	assert_int_equal(ack_flush_open(&flush, &config, &err), 0);
	return flush;
}

/* Until the thread has told the loop so many times that NATS has answered. */
static void
wait_for_wakeups(unsigned n)
{
	pthread_mutex_lock(&lab.lock);
	while (lab.woken < n)
		pthread_cond_wait(&lab.changed, &lab.lock);
	pthread_mutex_unlock(&lab.lock);
}

static void
set_takes(int64_t ms)
{
	pthread_mutex_lock(&lab.lock);
	lab.takes_ms = ms;
	pthread_mutex_unlock(&lab.lock);
}

static void
the_loop_waits_when_it_has_nothing_else_to_do(void **state)
{
	struct ack_flush *flush = opened(1);

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		ack_flush_add(flush, CONCURRENCY);
		assert_int_equal(ack_flush_slots(flush), CONCURRENCY);
		ack_flush_wait(flush, 0);
		assert_int_equal(ack_flush_slots(flush), 0);
		assert_int_equal(lab.by_loop, i);
		ack_flush_turn(flush, 0); /* nothing is left to ask for */
	}
	ack_flush_close(flush);
	assert_int_equal(lab.by_thread, 0);
}

static void
the_loop_does_not_wait_while_it_can_work(void **state)
{
	struct ack_flush *flush = opened(1);

	(void)state;
	ack_flush_add(flush, CONCURRENCY - 1);
	ack_flush_wait(flush, 0); /* a slot is free */
	ack_flush_wait(flush, 1); /* a request is in flight */
	assert_int_equal(ack_flush_slots(flush), CONCURRENCY - 1);
	ack_flush_turn(flush, 1);
	wait_for_wakeups(1);
	assert_int_equal(ack_flush_slots(flush), 0);
	assert_int_equal(lab.by_loop, 0);
	assert_int_equal(lab.by_thread, 1);
	ack_flush_close(flush);
}

/* The slots stay taken until NATS has answered, whichever thread waits. */
static void
a_slow_nats_is_left_to_the_thread(void **state)
{
	struct ack_flush *flush = opened(INT64_MAX);

	(void)state;
	ack_flush_add(flush, CONCURRENCY);
	ack_flush_wait(flush, 0);
	ack_flush_wait(flush, 0); /* the thread is waiting: not again */
	assert_int_equal(lab.by_loop, 1);
	assert_int_equal(ack_flush_slots(flush), CONCURRENCY);
	set_takes(100); /* more than the loop waits for */
	wait_for_wakeups(1);
	assert_int_equal(ack_flush_slots(flush), 0);
	ack_flush_add(flush, CONCURRENCY);
	ack_flush_wait(flush, 0); /* an answer to the thread came at once, so it is tried */
	assert_int_equal(lab.by_loop, 2);
	wait_for_wakeups(2);
	assert_int_equal(ack_flush_slots(flush), 0);
	ack_flush_close(flush);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loop_waits_when_it_has_nothing_else_to_do),
		cmocka_unit_test(the_loop_does_not_wait_while_it_can_work),
		cmocka_unit_test(a_slow_nats_is_left_to_the_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
