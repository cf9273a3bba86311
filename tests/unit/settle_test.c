// SPDX-License-Identifier: Apache-2.0
/*
 * dispatcher/settle.h: each job ends once, and NATS is told so exactly when it may be. Without
 * a bus: settle_lab.h. What is sent to NATS ("+ACK", "-NAK", "+WPI") is from its protocol:
 * https://docs.nats.io/using-nats/developer/develop_jetstream/consumers#acknowledging-messages
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "settle_lab.h"

/* ---- one event, from its targets to its end */

enum what {
	END,
	FILTERED,
	EXPIRED,
	DROPPED,
	GIVEN_BACK,
	STALE,
	EVICTED,
	REPLY,  /* of target `at`: the status */
	UNSENT, /* to target `at`: an enum ending */
	DEAD,   /* of target `at`: "backlog" */
	STORED, /* NATS stores the dead letters that it has got, */
	FULL,   /* or refuses them */
	SUNK,   /* the sink is done with the last one */
};

struct step {
	enum what what;
	size_t at;
	int value;
};

static void
take_step(struct job *job, const struct step *s)
{
	switch (s->what) {
	case FILTERED:
		settle_filtered(lab.settle, job);
		break;
	case EXPIRED:
		settle_expired(lab.settle, job);
		break;
	case DROPPED:
		settle_drop(lab.settle, job);
		break;
	case GIVEN_BACK:
		settle_give_back(lab.settle, job);
		break;
	case STALE:
		settle_stale(lab.settle, job);
		break;
	case EVICTED:
		job_evict(&lab.jobs, job);
		break;
	case REPLY:
		lab_send(&job->delivery[s->at]);
		lab_reply(&job->delivery[s->at], s->value);
		break;
	case UNSENT:
		settle_unsent(lab.settle, &job->delivery[s->at], (enum ending)s->value);
		break;
	case DEAD:
		settle_dead(lab.settle, &job->delivery[s->at], "backlog");
		break;
	case STORED:
		lab_store_letters();
		break;
	case FULL:
		lab_answer_letters(
			"{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"full\"}}");
		break;
	default:
		settle_sunk(lab.settle, lab.sunk);
	}
}

#define ACK "ack.7 +ACK"
#define NAK "ack.7 -NAK"
#define LETTER(reason, target) "vcdead.d.lab.7 " reason " " target

static const struct {
	const char *name, *targets;
	struct step step[8];
	const char *said;
	/* as which the event is counted: delivered, filtered, x dead, expired; - not at all */
	char counted;
	bool held; /* the dispatcher still has it */
} lives[] = {
	{ "filtered", "a", { { FILTERED } }, ACK, 'f', false },
	{ "the stream has lost it", "a", { { EXPIRED } }, ACK, 'e', false },
	{ "dropped: NATS delivers it again", "a", { { DROPPED } }, "", '-', false },
	{ "given back", "a", { { GIVEN_BACK } }, NAK, '-', false },

	{ "delivered", "a", { { REPLY, 0, 202 } }, ACK, 'd', false },
	{ "one of two targets has it", "a b", { { REPLY, 1, 200 } }, "", '-', true },
	{ "both have it", "a b", { { REPLY, 1, 200 }, { REPLY, 0, 200 } }, ACK, 'd', false },
	{ "failed", "a", { { REPLY, 0, 503 } }, "", '-', true },
	{ "no reply", "a", { { REPLY, 0, 0 } }, "", '-', true },
	{ "refused once", "a", { { REPLY, 0, 400 } }, "", '-', true },
	{ "failed, then delivered", "a", { { REPLY, 0, 503 }, { REPLY, 0, 200 } }, ACK, 'd',
		false },
	{ "failed, then given back", "a", { { REPLY, 0, 503 }, { GIVEN_BACK } }, NAK, '-',
		false },

	{ "its target is gone", "a", { { UNSENT, 0, ENDING_GONE } }, ACK, 'f', false },
	{ "one target is gone, the other has it", "a b",
		{ { UNSENT, 0, ENDING_GONE }, { REPLY, 1, 200 } }, ACK, 'd', false },
	{ "not a CloudEvent", "a", { { UNSENT, 0, ENDING_UNREADABLE } },
		LETTER("invalid_event", "a"), '-', true },
	{ "no request can have it", "a", { { UNSENT, 0, ENDING_UNENCODABLE } },
		LETTER("unencodable", "a"), '-', true },
	{ "refused among others that pass", "a", { { UNSENT, 0, ENDING_SINGLED_OUT } },
		LETTER("rejected", "a"), '-', true },

	{ "a dead letter, stored", "a", { { DEAD }, { STORED } },
		LETTER("backlog", "a") ", " ACK, 'x', false },
	{ "a dead letter, refused by NATS", "a", { { DEAD }, { FULL } }, LETTER("backlog", "a"),
		'-', true },
	{ "the same one is confirmed twice", "a b", { { DEAD }, { STORED }, { STORED } },
		LETTER("backlog", "a"), '-', true },
	{ "dead at one target, then delivered to the other", "a b",
		{ { DEAD }, { STORED }, { REPLY, 1, 200 } }, LETTER("backlog", "a") ", " ACK,
		'x', false },
	{ "delivered to one target, then dead at the other", "a b",
		{ { REPLY, 1, 200 }, { DEAD }, { STORED } }, LETTER("backlog", "a") ", " ACK,
		'x', false },
	{ "dead at both", "a b", { { DEAD, 0 }, { DEAD, 1 }, { STORED } },
		LETTER("backlog", "a") ", " LETTER("backlog", "b") ", " ACK, 'x', false },

	{ "stale, then delivered", "a", { { STALE }, { REPLY, 0, 200 } }, "", 'd', false },
	{ "stale, then a dead letter", "a", { { STALE }, { DEAD }, { STORED } },
		LETTER("backlog", "a"), 'x', false },
	{ "stale, then given back", "a", { { STALE }, { GIVEN_BACK } }, "", '-', false },
	{ "stale twice, then its target is gone", "a",
		{ { STALE }, { STALE }, { UNSENT, 0, ENDING_GONE } }, "", 'f', false },
	{ "stale, and its body is not here", "a", { { EVICTED }, { STALE } }, "", 'e', false },
	{ "its body is not here: given back", "a", { { EVICTED }, { GIVEN_BACK } }, NAK, '-',
		false },
};

static bool
counted_as(char which)
{
	return metric_count(lab.metrics.delivered) == (which == 'd') &&
		metric_count(lab.metrics.filtered) == (which == 'f') &&
		metric_count(lab.metrics.dead) == (which == 'x') &&
		metric_count(lab.metrics.expired) == (which == 'e');
}

static void
what_becomes_of_an_event(void **state)
{
	for (size_t i = 0; i < COUNT(lives); i++) {
		struct job *job;

		lab_open(state);
		job = lab_job(7, lives[i].targets);
		for (const struct step *s = lives[i].step; s->what != END; s++)
			take_step(job, s);
		if (strcmp(buf_str(&lab.said), lives[i].said) != 0 ||
			!counted_as(lives[i].counted) || lab.jobs.n != lives[i].held)
			fail_msg("%s: \"%s\", %s '%c', %zu held", lives[i].name,
				buf_str(&lab.said),
				counted_as(lives[i].counted) ? "counted as" : "not counted as",
				lives[i].counted, lab.jobs.n);
		lab_close(state);
	}
}

/* ---- dead letters */

/* Stored, then sent to the sink; the event ends when the sink is done with it. */
static void
the_sink_comes_after_the_stream(void **state)
{
	struct job *job = lab_job(7, "a");

	(void)state;
	lab.has_sink = true;
	take_step(job, &(struct step){ DEAD });
	assert_null(lab.sunk);
	lab_store_letters();
	assert_ptr_equal(lab.sunk, job->delivery);
	assert_said(LETTER("backlog", "a"));
	assert_true(counted_as('-'));
	settle_sunk(lab.settle, lab.sunk);
	assert_said(ACK);
	assert_true(counted_as('x'));
}

/* The stream does not take it at first: the event is held for so long, and settled once. */
static void
a_dead_letter_is_stored_before_the_event_is_settled(void **state)
{
	(void)state;
	lab_job(7, "a");
	settle_dead(lab.settle, TAILQ_FIRST(&lab.jobs.list)->delivery, "gave_up");
	for (int i = 0; i < 5; i++) {
		assert_said(LETTER("gave_up", "a"));
		take_step(NULL, &(struct step){ FULL });
		assert_true(dead_letters_failing(lab.letters));
		assert_int_equal(settle_give_back_idle(lab.settle, NULL), 1);
		assert_said("");
		lab.now_ms += MINUTE;
		dead_letters_turn(lab.letters, lab.now_ms);
	}
	assert_said(LETTER("gave_up", "a"));
	lab_store_letters();
	assert_said(ACK);
	assert_int_equal(lab.jobs.n, 0);
}

/* ---- streams that are recreated */

static void
a_recreated_stream_makes_its_own_jobs_stale(void **state)
{
	struct job *job[4];

	(void)state;
	for (uint64_t i = 0; i < COUNT(job); i++)
		job[i] = lab_job_of(i % 2 == 0 ? &lab_origin : &lab_other, 1 + i, "a", 0);
	job_evict(&lab.jobs, job[2]);
	settle_recreated(lab.settle, &lab_origin);
	assert_true(counted_as('e')); /* the third one */
	assert_int_equal(lab.jobs.n, 3);
	assert_null(job_find(&lab.jobs, &lab_origin, 1));
	assert_ptr_equal(job_find(&lab.jobs, &lab_other, 2), job[1]);
	for (size_t i = 0; i < COUNT(job); i++)
		if (i != 2)
			take_step(job[i], &(struct step){ REPLY, 0, 200 });
	assert_said("ack.2 +ACK, ack.4 +ACK");
	assert_int_equal(metric_count(lab.metrics.delivered), 3);
}

/* ---- order: a job that waits for the one before it */

static void
the_next_job_of_a_key_becomes_ready(void **state)
{
	static const enum what ends[] = { FILTERED, EXPIRED, DROPPED, GIVEN_BACK, REPLY };

	for (size_t i = 0; i < 2 * COUNT(ends); i++) {
		bool stopped = i % 2 == 1;
		struct job *first, *second;

		lab_open(state);
		first = lab_job(7, "a");
		second = lab_job(8, "a");
		job_unqueue(second);
		assert_false(job_chain(&lab.jobs, first, 1));
		assert_true(job_chain(&lab.jobs, second, 1));
		if (stopped)
			settle_stop(lab.settle);
		take_step(first, &(struct step){ ends[i / 2], 0, 200 });
		assert_int_equal(
			second->delivery->state, stopped ? DELIVERY_BLOCKED : DELIVERY_READY);
		lab_close(state);
	}
}

/* ---- all jobs */

static void
at_the_end_each_ack_is_confirmed(void **state)
{
	struct job *job = lab_job(7, "a");

	(void)state;
	settle_stop(lab.settle);
	take_step(job, &(struct step){ REPLY, 0, 200 });
	assert_said(ACK "?");
	/* and one that is not confirmed is no reason to keep the job: NATS repeats the event */
	job = lab_job(8, "a");
	lab.disconnected = true;
	take_step(job, &(struct step){ REPLY, 0, 200 });
	assert_said("");
	assert_int_equal(lab.jobs.n, 0);
	assert_int_equal(metric_count(lab.metrics.delivered), 2);
}

static void
only_idle_jobs_are_given_back(void **state)
{
	static const struct origin *const which[] = { NULL, &lab_origin, &lab_other };
	static const char *const said[] = { "ack.1 -NAK, ack.2 -NAK, ack.3 -NAK, ack.6 -NAK",
		"ack.1 -NAK, ack.2 -NAK, ack.3 -NAK", "ack.6 -NAK" };
	static const size_t left[] = { 3, 2, 1 }, held[] = { 3, 4, 6 };

	for (size_t i = 0; i < COUNT(which); i++) {
		struct job *job[8];

		lab_open(state);
		for (uint64_t seq = 1; seq < COUNT(job); seq++)
			job[seq] = lab_job_of(
				seq < 6 ? &lab_origin : &lab_other, seq, "a b", 0);
		/* 1 and 6: ready */
		take_step(job[2], &(struct step){ REPLY, 0, 503 });
		take_step(job[3], &(struct step){ REPLY, 1, 200 });
		lab_send(&job[4]->delivery[1]);
		settle_dead(lab.settle, &job[5]->delivery[0], "backlog");
		lab_send(&job[7]->delivery[0]);
		buf_clear(&lab.said);
		assert_int_equal(settle_give_back_idle(lab.settle, which[i]), left[i]);
		assert_said(said[i]);
		assert_int_equal(lab.jobs.n, held[i]);
		lab_close(state);
	}
}

/* NATS delivers an event again after ackWait, unless it hears of it before. */
static void
nats_hears_of_slow_deliveries_in_time(void **state)
{
	int64_t heard_ms[] = { 0, lab.now_ms, lab.now_ms }, end_ms = lab.now_ms + 10 * MINUTE;
	struct job *stale;

	(void)state;
	lab_job(1, "a");
	stale = lab_job(3, "a");
	settle_stale(lab.settle, stale);
	for (; lab.now_ms < end_ms; lab.now_ms += 100) {
		if (lab.now_ms == LAB_START_MS + 5 * SECOND)
			lab_job(2, "a");
		lab.disconnected = lab.now_ms > end_ms - 2 * MINUTE &&
			lab.now_ms < end_ms - MINUTE;
		settle_progress(lab.settle, lab.now_ms);
		assert_null(strstr(buf_str(&lab.said), "ack.3"));
		for (size_t seq = 1; seq < COUNT(heard_ms); seq++) {
			char text[32];

			snprintf(text, sizeof(text), "ack.%zu +WPI", seq);
			if (strstr(buf_str(&lab.said), text) != NULL) {
				/* neither late nor needlessly often */
				assert_true(lab.now_ms - heard_ms[seq] >= 10 * SECOND);
				heard_ms[seq] = lab.now_ms;
			}
			assert_true(lab.disconnected || lab.now_ms - heard_ms[seq] < MINUTE);
		}
		buf_clear(&lab.said);
	}
	assert_true(end_ms - heard_ms[1] < MINUTE && end_ms - heard_ms[2] < MINUTE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_open, lab_close)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_becomes_of_an_event),
		TEST(the_sink_comes_after_the_stream),
		TEST(a_dead_letter_is_stored_before_the_event_is_settled),
		TEST(a_recreated_stream_makes_its_own_jobs_stale),
		cmocka_unit_test(the_next_job_of_a_key_becomes_ready),
		TEST(at_the_end_each_ack_is_confirmed),
		cmocka_unit_test(only_idle_jobs_are_given_back),
		TEST(nats_hears_of_slow_deliveries_in_time),
	};

	return cmocka_run_group_tests_name(
		"settle", tests, nats_library_open, nats_library_close);
}
