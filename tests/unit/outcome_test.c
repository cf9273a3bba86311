// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of an event after an attempt, and whose fault a refusal is: tables, without a
 * bus, time as an argument.
 */
#include "test.h"

#include <string.h>

#include "flap.h"
#include "outcome.h"
#include "refusals.h"

#define GRACE 60000

/* ---- outcome_next */

static const struct dispatch_retry plain = {
	.max_age_ms = 86400000, .initial_ms = 1000, .max_ms = 300000, .count = -1
};
static const struct dispatch_retry twice = {
	.max_age_ms = 86400000, .initial_ms = 1000, .max_ms = 300000, .count = 1
};
static const struct dispatch_retry linear = { .max_age_ms = 86400000,
	.max_ms = 300000,
	.count = -1,
	.delay_ms = 200,
	.policy = BACKOFF_LINEAR };

static void
next_steps(void **state)
{
	static const struct {
		const char *name;
		const struct dispatch_retry *retry;
		struct attempt a;
		enum next_step step;
		const char *reason;
		int64_t at_ms; /* retry */
	} rows[] = {
		{ "delivered", &plain, { .ending = ENDING_DELIVERED, .n = 1 }, NEXT_DELIVERED,
			NULL, 0 },
		{ "delivered late", &plain,
			{ .ending = ENDING_DELIVERED, .n = 9, .age_ms = 90000000 },
			NEXT_DELIVERED, NULL, 0 },
		{ "target gone", &plain, { .ending = ENDING_GONE, .n = 1 }, NEXT_DROP, NULL,
			0 },
		{ "unreadable", &plain, { .ending = ENDING_UNREADABLE }, NEXT_DEAD,
			"invalid_event", 0 },
		{ "unencodable", &plain, { .ending = ENDING_UNENCODABLE }, NEXT_DEAD,
			"unencodable", 0 },
		{ "singled out", &plain, { .ending = ENDING_SINGLED_OUT, .n = 1 }, NEXT_DEAD,
			"rejected", 0 },
		/* full jitter: from now to the ceiling, 1, 2, 4 ... 300 s */
		{ "failed, least", &plain,
			{ .n = 1, .pause_ms = -1, .now_ms = 5000, .random = 0 }, NEXT_RETRY,
			NULL, 5000 },
		{ "failed, most", &plain,
			{ .n = 1, .pause_ms = -1, .now_ms = 5000, .random = 1000 }, NEXT_RETRY,
			NULL, 6000 },
		{ "failed thrice", &plain, { .n = 3, .pause_ms = -1, .random = 4000 },
			NEXT_RETRY, NULL, 4000 },
		{ "failed often", &plain, { .n = 40, .pause_ms = -1, .random = 300000 },
			NEXT_RETRY, NULL, 300000 },
		{ "Retry-After", &plain, { .n = 1, .pause_ms = 7000, .random = 1000 },
			NEXT_RETRY, NULL, 7000 },
		{ "linear", &linear, { .n = 3, .pause_ms = -1, .random = 600 }, NEXT_RETRY,
			NULL, 600 },
		{ "too old", &plain, { .n = 9, .age_ms = 86400001 }, NEXT_DEAD, "gave_up", 0 },
		{ "not yet too old", &plain, { .n = 1, .age_ms = 86400000, .pause_ms = -1 },
			NEXT_RETRY, NULL, 0 },
		{ "second try allowed", &twice, { .n = 1, .pause_ms = -1 }, NEXT_RETRY, NULL,
			0 },
		{ "third is not", &twice, { .n = 2 }, NEXT_DEAD, "gave_up", 0 },
		{ "refused, at fault", &plain,
			{ .ending = ENDING_REFUSED, .at_fault = true, .n = 1 }, NEXT_DEAD,
			"rejected", 0 },
		{ "in a flood", &plain,
			{ .ending = ENDING_REFUSED,
				.at_fault = true,
				.held_back = true,
				.n = 1,
				.pause_ms = -1,
				.random = 0 },
			NEXT_RETRY, NULL, 500 },
		/* half of the ceiling at least */
		{ "refused, least", &plain,
			{ .ending = ENDING_REFUSED,
				.n = 1,
				.pause_ms = -1,
				.now_ms = 100,
				.grace_ends_ms = GRACE,
				.random = 0 },
			NEXT_RETRY, NULL, 600 },
		{ "refused, most", &plain,
			{ .ending = ENDING_REFUSED,
				.n = 1,
				.pause_ms = -1,
				.now_ms = 100,
				.grace_ends_ms = GRACE,
				.random = 500 },
			NEXT_RETRY, NULL, 1100 },
		{ "refused, near the end of the grace", &plain,
			{ .ending = ENDING_REFUSED,
				.n = 6,
				.pause_ms = -1,
				.now_ms = 59000,
				.grace_ends_ms = GRACE,
				.random = 0 },
			NEXT_RETRY, NULL, GRACE },
		{ "refused, tries used up", &twice,
			{ .ending = ENDING_REFUSED, .n = 2, .grace_ends_ms = GRACE }, NEXT_DEAD,
			"rejected", 0 },
		{ "refused and old", &plain,
			{ .ending = ENDING_REFUSED,
				.n = 2,
				.age_ms = 86400001,
				.grace_ends_ms = GRACE },
			NEXT_DEAD, "rejected", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct next next = outcome_next(rows[i].retry, &rows[i].a);

		if (next.step != rows[i].step || next.at_ms != rows[i].at_ms ||
			strcmp(next.reason != NULL ? next.reason : "",
				rows[i].reason != NULL ? rows[i].reason : "") != 0)
			fail_msg("%s: step %d, at %lld, reason %s", rows[i].name, next.step,
				(long long)next.at_ms,
				next.reason != NULL ? next.reason : "none");
	}
}

/* ---- refusals: what one destination does, step by step */

enum what { END, TAKES, FAILS, REFUSES, REFUSES_413, DUE };
enum { EVENTS = 8 };

struct step {
	int64_t at_ms;
	enum what what;
	uint64_t event;
	int64_t sent_ms;
	bool at_fault; /* REFUSES, DUE: what is to be found */
	size_t bytes;
};

static void
run(const char *name, const struct step *step)
{
	struct refusals r = { 0 };
	struct refusal own[EVENTS] = { { 0 } };

	for (; step->what != END; step++) {
		struct refused refused = { .event = step->event,
			.bytes = step->bytes,
			.too_large = step->what == REFUSES_413,
			.sent_ms = step->sent_ms,
			.now_ms = step->at_ms };
		bool got = false;

		if (step->what == TAKES)
			refusals_taken(&r, step->bytes, step->sent_ms, step->at_ms);
		else if (step->what == FAILS)
			refusals_failed(&r, step->at_ms);
		else if (step->what == DUE)
			got = refusals_singled_out(&r, &own[step->event]);
		else
			got = refusals_note(&r, &own[step->event], &refused, GRACE);
		if (got != step->at_fault)
			fail_msg("%s, at %lld: at fault %d", name, (long long)step->at_ms, got);
	}
}

static void
whose_fault(void **state)
{
	static const struct {
		const char *name;
		struct step step[16];
	} rows[] = {
		{ "one among others that pass: one request",
			{ { 100, TAKES }, { 110, REFUSES, 1, 105 }, { 111, TAKES },
				{ 700, DUE, 1, .at_fault = true } } },
		{ "its reply is the last of all",
			{ { 100, TAKES }, { 106, TAKES }, { 110, REFUSES, 1, 105 },
				{ 700, DUE, 1, .at_fault = true } } },
		{ "several among others that pass, and their replies come together",
			{ { 110, REFUSES, 1, 105 }, { 110, REFUSES, 2, 105 },
				{ 111, TAKES, 0, 105 }, { 112, REFUSES, 3, 105 },
				{ 113, TAKES, 0, 105 }, { 700, DUE, 1, .at_fault = true },
				{ 710, DUE, 2, .at_fault = true },
				{ 720, DUE, 3, .at_fault = true } } },
		{ "three in a row: asked again, whatever else was under way",
			{ { 110, REFUSES, 1, 105 }, { 110, REFUSES, 2, 105 },
				{ 111, REFUSES, 3, 105 }, { 112, TAKES, 0, 105 },
				{ 700, DUE, 1 }, { 710, DUE, 3 } } },
		{ "the last reply of a destination that has just recovered",
			{ { 110, REFUSES, 1, 105 }, { 110, REFUSES, 2, 105 },
				{ 111, REFUSES, 3, 105 }, { 112, TAKES, 0, 105 },
				{ 113, REFUSES, 4, 105 }, { 114, TAKES, 0, 113 },
				{ 700, DUE, 4 } } },
		{ "two bad ones at the end of all: nothing says that it still takes any",
			{ { 108, TAKES, 0, 105 }, { 110, REFUSES, 1, 105 },
				{ 111, REFUSES, 2, 105 }, { 700, DUE, 1 },
				{ 710, REFUSES, 1, 700 }, { 720, REFUSES, 2, 700 },
				{ 60200, REFUSES, 1, 60190, .at_fault = true } } },
		{ "two that are refused again: each for itself",
			{ { 110, REFUSES, 1, 105 }, { 110, REFUSES, 2, 105 },
				{ 112, TAKES, 0, 111 }, { 700, DUE, 1 },
				{ 710, REFUSES, 1, 700, .at_fault = true },
				{ 711, REFUSES, 2, 700, .at_fault = true } } },
		{ "one after the other: it is asked twice",
			{ { 100, TAKES }, { 110, REFUSES, 1, 105 }, { 600, DUE, 1 },
				{ 610, REFUSES, 1, 605 }, { 700, TAKES },
				{ 1600, REFUSES, 1, 1595, .at_fault = true } } },
		{ "nothing was ever taken: the grace, alone",
			{ { 100, REFUSES, 1, 95 }, { 700, DUE, 1 }, { 710, REFUSES, 1, 700 },
				{ 60099, REFUSES, 1, 60090 },
				{ 60100, REFUSES, 1, 60090, .at_fault = true } } },
		{ "an ingress that starts, four events, then it works",
			{ { 100, REFUSES, 1, 90 }, { 101, REFUSES, 2, 90 }, { 700, DUE, 1 },
				{ 710, REFUSES, 1, 700 }, { 720, REFUSES, 3, 700 },
				{ 12000, TAKES, 0, 11990 }, { 12001, DUE, 2 },
				{ 12002, DUE, 3 } } },
		{ "it begins in the midst of others: the replies of before prove nothing",
			{ { 100, TAKES, 0, 95 }, { 101, REFUSES, 1, 95 }, { 102, TAKES, 0, 95 },
				{ 103, REFUSES, 2, 95 }, { 104, REFUSES, 3, 95 },
				{ 650, DUE, 1 }, { 660, REFUSES, 1, 650 }, { 670, DUE, 2 },
				{ 680, REFUSES, 2, 670 }, { 9000, TAKES, 0, 8990 },
				{ 9001, DUE, 3 } } },
		{ "late replies to requests of before come between the refusals",
			{ { 100, TAKES, 0, 95 }, { 101, REFUSES, 1, 95 },
				{ 102, REFUSES, 2, 95 }, { 103, REFUSES, 3, 95 },
				{ 104, TAKES, 0, 95 }, { 110, REFUSES, 4, 95 },
				{ 150, REFUSES, 4, 145 }, { 151, TAKES, 0, 96 },
				{ 160, REFUSES, 1, 155 }, { 170, REFUSES, 2, 160 },
				{ 9000, TAKES, 0, 8990 },
				{ 9010, REFUSES, 1, 9000, .at_fault = true } } },
		{ "a restart: no connection, then refusals",
			{ { 100, TAKES }, { 200, FAILS }, { 300, REFUSES, 1, 290 },
				{ 900, DUE, 1 }, { 910, REFUSES, 1, 900 } } },
		{ "an outage, and then refusals again: a new grace for the destination and for "
		  "the event",
			{ { 100, REFUSES, 1, 90 }, { 900, FAILS }, { 100000, FAILS },
				{ 100100, REFUSES, 1, 100090 }, { 100200, REFUSES, 1, 100190 },
				{ 160100, REFUSES, 1, 160090, .at_fault = true } } },
		{ "a failure now and then among deliveries does not prolong it",
			{ { 100, REFUSES, 1, 90 }, { 200, FAILS }, { 300, TAKES, 0, 290 },
				{ 700, DUE, 1 }, { 710, REFUSES, 1, 700, .at_fault = true } } },
		{ "it fails beside a refusal",
			{ { 100, REFUSES, 1, 90 }, { 101, TAKES }, { 102, FAILS },
				{ 700, DUE, 1 } } },
		{ "it is refused and others are, too: after the grace",
			{ { 100, REFUSES, 1, 90 }, { 200, REFUSES, 2, 190 },
				{ 60100, REFUSES, 3, 60090, .at_fault = true },
				{ 60200, REFUSES, 1, 60190, .at_fault = true } } },
		{ "the grace of an event goes on while others pass and are refused",
			{ { 100, REFUSES, 1, 90 }, { 101, REFUSES, 2, 90 }, { 200, TAKES },
				{ 40000, REFUSES, 3, 39990 }, { 40001, REFUSES, 1, 39990 },
				{ 60100, REFUSES, 4, 60090 },
				{ 60101, REFUSES, 1, 60090, .at_fault = true } } },
		{ "two hours later it is another matter",
			{ { 100, REFUSES, 1, 90 },
				{ 60100, REFUSES, 1, 60090, .at_fault = true },
				{ 7200000, REFUSES, 2, 7199990 },
				{ 7201000, REFUSES, 2, 7200990 },
				{ 7260000, REFUSES, 2, 7259990, .at_fault = true } } },
		{ "in order, one at a time: the first waits, the later ones are asked twice",
			{ { 100, TAKES }, { 200, REFUSES, 1, 190 },
				{ 60200, REFUSES, 1, 60190, .at_fault = true },
				{ 60300, TAKES }, { 60400, REFUSES, 2, 60390 },
				{ 61000, DUE, 2 },
				{ 61010, REFUSES, 2, 61000, .at_fault = true } } },
		{ "and after a failure they wait again",
			{ { 200, REFUSES, 1, 190 },
				{ 60200, REFUSES, 1, 60190, .at_fault = true },
				{ 60300, TAKES }, { 60350, FAILS },
				{ 60400, REFUSES, 2, 60390 }, { 61010, REFUSES, 2, 61000 } } },
		{ "413 for a small event, though a large one was taken",
			{ { 100, TAKES, .bytes = 10000 },
				{ 110, REFUSES_413, 1, 105, .bytes = 5000 },
				{ 120, TAKES, .bytes = 900 }, { 700, DUE, 1 },
				{ 710, REFUSES_413, 1, 700, .bytes = 5000 },
				{ 60110, REFUSES_413, 1, 60100, true, 5000 },
				{ 60150, TAKES, .bytes = 900 },
				{ 60200, REFUSES_413, 2, 60190, .bytes = 5000 },
				{ 60201, TAKES, .bytes = 900 },
				{ 60800, DUE, 2, .at_fault = true } } },
		{ "413 for the largest so far",
			{ { 100, TAKES, .bytes = 10000 },
				{ 110, REFUSES_413, 1, 105, .bytes = 9000 },
				{ 120, TAKES, .bytes = 900 },
				{ 700, DUE, 1, .at_fault = true } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		run(rows[i].name, rows[i].step);
}

static void
no_grace(void **state)
{
	struct refusals r = { 0 };
	struct refusal own = { 0 };

	(void)state;
	assert_true(refusals_note(
		&r, &own, &(struct refused){ .event = 1, .sent_ms = 1, .now_ms = 2 }, 0));
}

/* ---- flap */

/*
 * One pause and its end are told, the rest in sums of 30 s; the last word is the present state.
 */
static void
flapping(void **state)
{
	struct flap f = { 0 };
	unsigned pauses = 0, told = 0;

	(void)state;
	for (int i = 0; i < 120; i++) /* 60 pauses in 160 ms */
		told += flap_change(&f, i % 2 == 0, 1000 + i * 160 / 120);
	assert_int_equal(told, FLAP_LINES);
	assert_false(flap_sum(&f, &pauses, 1200));
	assert_true(flap_sum(&f, &pauses, 1000 + FLAP_MS));
	assert_int_equal(pauses, 59);
	assert_false(flap_sum(&f, &pauses, 1000 + 3 * FLAP_MS)); /* nothing more: no line */
	assert_true(flap_change(&f, true, 1000 + 4 * FLAP_MS));
	assert_true(flap_change(&f, false, 1000 + 5 * FLAP_MS));
	/* it goes on: one sum after the other, and at the end what is left */
	f = (struct flap){ 0 };
	for (int64_t at = 0; at < 4 * FLAP_MS; at += 100) {
		told = flap_change(&f, at / 100 % 2 == 0, at);
		assert_int_equal(told, at < 200);
		if (flap_sum(&f, &pauses, at))
			assert_in_range(pauses, FLAP_MS / 200 - 1, FLAP_MS / 200);
	}
	assert_true(flap_sum(&f, &pauses, INT64_MAX));
	assert_false(flap_sum(&f, &pauses, INT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_steps),
		cmocka_unit_test(whose_fault),
		cmocka_unit_test(no_grace),
		cmocka_unit_test(flapping),
	};

	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
