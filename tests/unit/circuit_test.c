// SPDX-License-Identifier: Apache-2.0
/* The circuit breaker of the dispatcher: pure, with time as an argument. */
#include "test.h"

#include <string.h>

#include "circuit.h"

static struct circuit
closed(void)
{
	struct circuit c;

	circuit_init(&c, 1000, 300000, 42);
	assert_true(circuit_allows(&c, 0));
	return c;
}

static void
opens_after_failures_of_different_events(void **state)
{
	struct circuit c = closed();

	(void)state;
	for (int i = 0; i < 100; i++) /* one bad event says nothing about the destination */
		assert_false(circuit_failure(&c, 7, false, -1, i));
	circuit_success(&c, 100);
	for (uint64_t i = 1; i < CIRCUIT_FAILURES; i++)
		assert_false(circuit_failure(&c, i, false, -1, 200));
	assert_true(circuit_failure(&c, 99, false, -1, 200));
	assert_int_equal(c.state, CIRCUIT_OPEN);
	assert_false(circuit_allows(&c, 200));
	assert_true(circuit_allows(&c, 1200)); /* 1 s at most */
	assert_true(circuit_success(&c, 300)); /* of one that was still under way */
	assert_true(circuit_allows(&c, 300));
}

static void
probes_one_at_a_time_and_ever_more_rarely(void **state)
{
	struct circuit c = closed();
	int64_t now = 0, last_wait = 0;

	(void)state;
	for (uint64_t i = 0; i < CIRCUIT_FAILURES; i++)
		circuit_failure(&c, i, false, -1, now);
	for (int i = 1; i < 20; i++) {
		int64_t wait = c.probe_at_ms - now,
			ceiling = backoff_ceiling(1000, CIRCUIT_PROBE_MAX_MS, (unsigned)i);

		assert_in_range(wait, ceiling / 2, ceiling);
		last_wait = wait;
		now = c.probe_at_ms;
		circuit_begin(&c);
		/* while the probe is under way */
		assert_false(circuit_allows(&c, now + 100000));
		assert_false(circuit_failure(&c, 1, true, -1, now));
	}
	assert_in_range(last_wait, CIRCUIT_PROBE_MAX_MS / 2, CIRCUIT_PROBE_MAX_MS);
	circuit_begin(&c);
	circuit_abandon(&c);
	assert_true(circuit_allows(&c, c.probe_at_ms));
}

static void
obeys_retry_after(void **state)
{
	struct circuit c = closed();

	(void)state;
	assert_true(circuit_failure(&c, 1, false, 120000, 0));
	assert_false(circuit_allows(&c, 119999));
	assert_true(circuit_allows(&c, 120000));
	circuit_failure(&c, 2, false, 300000, 0); /* a later reply asks for more */
	assert_false(circuit_allows(&c, 299999));
}

static void
pauses_in_a_flood_of_rejections(void **state)
{
	struct circuit c = closed();
	int opened = 0;

	(void)state;
	for (int i = 0; i < 30; i++) /* half of them are good: no flood */
		assert_false(
			circuit_success(&c, i) || circuit_rejection(&c, 7, false, true, i));
	c = closed();
	for (int i = 0; i < CIRCUIT_FLOOD; i++)
		opened += circuit_rejection(&c, (uint64_t)i, false, true, i);
	assert_int_equal(opened, 1);
	assert_true(c.flood);
	circuit_begin(&c);
	assert_false(circuit_rejection(&c, 99, true, true, 2000));
	assert_false(circuit_allows(&c, 2000));
	assert_true(circuit_success(&c, 5000));
	assert_false(circuit_rejection(&c, 99, false, true, 5000)); /* counted anew */
	c = closed();
	for (int i = 0; i < 100; i++) /* one in a while is no flood */
		assert_false(circuit_rejection(
			&c, (uint64_t)i, false, true, (int64_t)i * CIRCUIT_FLOOD_MS / 10));
}

/* Refusals that need not be the events' fault: as failures, until they are believed. */
static void
pauses_when_everything_is_refused(void **state)
{
	struct circuit c = closed();

	(void)state;
	for (int i = 0; i < 2 * CIRCUIT_FLOOD; i++) /* one event alone */
		assert_false(circuit_rejection(&c, 7, false, false, i));
	circuit_success(&c, 100);
	for (uint64_t i = 1; i < CIRCUIT_FAILURES; i++)
		assert_false(circuit_rejection(&c, i, false, false, 200));
	assert_true(circuit_rejection(&c, 99, false, false, 200));
	assert_false(c.flood);
	circuit_probe_by(&c, 100000); /* no later than it is */
	assert_true(circuit_allows(&c, 1200));
	circuit_begin(&c);
	/* the probe: refused again */
	assert_false(circuit_rejection(&c, 100, true, false, 1200));
	assert_false(circuit_allows(&c, 1200));
	circuit_probe_by(&c, 1201);
	assert_true(circuit_allows(&c, 1201));
	circuit_begin(&c);
	/* it works, this event is at fault */
	assert_true(circuit_rejection(&c, 100, true, true, 1300));
	assert_int_equal(c.state, CIRCUIT_CLOSED);
	/*
	 * what was under way when it paused makes it a flood: told once, and kept when one of
	 * them is believed
	 */
	c = closed();
	for (uint64_t i = 1; i <= CIRCUIT_FLOOD + 10; i++)
		assert_int_equal(circuit_rejection(&c, i, false, false, 200),
			i == CIRCUIT_FAILURES || i == CIRCUIT_FLOOD);
	assert_true(c.flood);
	assert_false(circuit_rejection(&c, 999, true, true, 2000));
	assert_int_equal(c.state, CIRCUIT_OPEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_after_failures_of_different_events),
		cmocka_unit_test(probes_one_at_a_time_and_ever_more_rarely),
		cmocka_unit_test(obeys_retry_after),
		cmocka_unit_test(pauses_in_a_flood_of_rejections),
		cmocka_unit_test(pauses_when_everything_is_refused),
	};

	return cmocka_run_group_tests_name("circuit", tests, NULL, NULL);
}
