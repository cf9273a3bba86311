// SPDX-License-Identifier: Apache-2.0
/*
 * dispatcher/evict.h: whose bodies are dropped from memory when they fill the window. Without a
 * bus: settle_lab.h.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "settle_lab.h"

#include "evict.h"

enum { EVENT_BYTES = 2000 };

/* All of them, if they may go: one fits. */
static const struct evict_limits tight = { .window = 1, .bytes = EVENT_BYTES };

static void
add_events(uint64_t first, uint64_t last, const char *targets)
{
	for (uint64_t seq = first; seq <= last; seq++)
		lab_job_of(&lab_origin, seq, targets, EVENT_BYTES);
}

/* ---- how many */

static void
half_of_the_window_stays(void **state)
{
	static const struct {
		const char *name;
		size_t window, bytes, evicted; /* of 10 that may go and one that may not */
	} rows[] = {
		{ "room for all", 12, 12 * EVENT_BYTES, 0 },
		{ "the window is full", 11, 12 * EVENT_BYTES, 6 },
		{ "the bytes are used up", 20, 11 * EVENT_BYTES, 1 },
		{ "both, by far", 2, EVENT_BYTES, 10 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evict_limits limits = { .window = rows[i].window,
			.bytes = rows[i].bytes };
		size_t evicted = 0, bytes;
		struct job *newest;

		lab_open(state);
		lab_pause("a");
		add_events(1, 10, "a");
		add_events(11, 11, "b"); /* its turn comes soon */
		bytes = lab.jobs.bytes;
		evict_turn(&lab.jobs, &limits, lab.now_ms);
		if (lab.jobs.n_evicted != rows[i].evicted)
			fail_msg("%s: %zu", rows[i].name, lab.jobs.n_evicted);
		assert_int_equal(lab.jobs.bytes, bytes - rows[i].evicted * EVENT_BYTES);
		newest = TAILQ_LAST(&lab.jobs.list, job_list);
		assert_non_null(newest->msg);
		/* the newest ones, because their turn comes last */
		for (struct job *job = TAILQ_PREV(newest, job_list, link); job != NULL;
			job = TAILQ_PREV(job, job_list, link))
			assert_int_equal(job->msg == NULL, evicted++ < rows[i].evicted);
		lab_close(state);
	}
}

/* ---- which */

enum what { PAUSED, READY, MANY_READY, LATER, SOON, IN_FLIGHT, KEYED, STALE, REWRITTEN };

static void
put(struct job *job, enum what what)
{
	switch (what) {
	case MANY_READY:
		add_events(101, 120, "a");
		break;
	case LATER:
	case SOON:
		delivery_take(job->delivery);
		delivery_wait(job->delivery, lab.now_ms + (what == SOON ? 500 : MINUTE));
		break;
	case IN_FLIGHT:
		lab_send(job->delivery);
		break;
	case KEYED:
		job_chain(&lab.jobs, job, 1);
		break;
	case STALE:
		job_set_stale(&lab.jobs, job);
		break;
	case REWRITTEN:
		bus_msg_set_headers(job->msg, "NATS/1.0\r\nX: y\r\n\r\n");
		break;
	default:
		break;
	}
}

static void
only_what_is_not_sent_soon(void **state)
{
	static const struct {
		const char *name, *targets;
		bool paused; /* the first target */
		enum what what;
		bool evicted;
	} rows[] = {
		{ "its target is paused", "a", true, PAUSED, true },
		{ "its turn comes", "a", false, READY, false },
		{ "one of many that are ready", "a", false, MANY_READY, true },
		{ "its next try is far", "a", false, LATER, true },
		{ "its next try is near", "a", false, SOON, false },
		{ "near, but its target is paused", "a", true, SOON, true },
		{ "under way", "a", true, IN_FLIGHT, false },
		{ "one target is paused, the other has its turn", "a b", true, PAUSED, false },
		/* its stream may not have it, or not so: the body stays */
		{ "stale", "a", true, STALE, false },
		{ "headers read again", "a", true, REWRITTEN, false },
		/* its order would be lost */
		{ "in a chain of a key", "a", true, KEYED, false },
		/* its deliveries take more memory than its body: that would save nothing */
		{ "for many targets", "a a a a a a a a a a a a a a a a a a a a", true, PAUSED,
			false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct job *job;

		lab_open(state);
		if (rows[i].paused)
			lab_pause("a");
		job = lab_job_of(&lab_origin, 1, rows[i].targets, EVENT_BYTES);
		job_set_untried(&lab.jobs, job);
		put(job, rows[i].what);
		evict_turn(&lab.jobs, &tight, lab.now_ms);
		if ((job->msg == NULL) != rows[i].evicted)
			fail_msg("%s", rows[i].name);
		/* a probe needs a body */
		assert_int_equal(job->untried, !rows[i].evicted);
		lab_close(state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_the_window_stays),
		cmocka_unit_test(only_what_is_not_sent_soon),
	};

	return cmocka_run_group_tests_name(
		"evict", tests, nats_library_open, nats_library_close);
}
