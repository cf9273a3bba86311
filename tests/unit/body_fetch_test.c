// SPDX-License-Identifier: Apache-2.0
/*
 * dispatcher/body_fetch.h: the body of an evicted event is read again from its stream, from any
 * replica. Without a bus: settle_lab.h. The replicas' answers and the leader's are the test's;
 * search.c asks the leader. What is expected is in docs/delivery.md ("Fan-out and memory") and
 * docs/nats.md ("Messages that a server does not find").
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "settle_lab.h"

#include "body_fetch.h"
#include "search.h"

#define ASKED "$JS.API.DIRECT.GET.VC_lab {\"seq\":7}"
#define NAK "ack.7 -NAK"

static struct body_fetch *fetch;
static struct search *search;
static struct queue *queue; /* of the target "a" */
static struct job *job; /* the evicted one: 7, for "a b"; each has another event before it */

static struct {
	enum message_presence presence;
	const char *name; /* "": there is no cluster */
	struct steady steady;
} leader;

int __wrap_stream_find(struct bus *bus, const char *stream, uint64_t seq,
	struct message_search *found, struct err *err);
const struct origin *__wrap_sources_origin(const struct sources *sources, size_t index);
bool __wrap_sources_is_gone(const struct origin *origin, uint64_t seq);

/* The leader has the events from 8 on, or 7 as well. */
int
__wrap_stream_find(struct bus *bus, const char *stream, uint64_t seq,
	struct message_search *found, struct err *err)
{
	(void)bus;
	(void)err;
	assert_string_equal(stream, lab_origin.stream);
	assert_int_equal(seq, 7);
	*found = (struct message_search){ .presence = leader.presence,
		.gone_to = 8, /* has no meaning unless it is gone */
		.info = { .first_seq = leader.presence == MESSAGE_GONE ? 8 : 1,
			.last_seq = leader.presence == MESSAGE_BEYOND ? 6 : 9 } };
	snprintf(found->info.leader, sizeof(found->info.leader), "%s", leader.name);
	return 0;
}

const struct origin *
__wrap_sources_origin(const struct sources *sources, size_t index)
{
	(void)sources;
	return index == lab_origin.index   ? &lab_origin
		: index == lab_other.index ? &lab_other
					   : NULL;
}

/* The watch thread asks the leader when it is woken. */
bool
__wrap_sources_is_gone(const struct origin *origin, uint64_t seq)
{
	enum search_answer answer = search_is_gone(search, seq);

	assert_ptr_equal(origin, &lab_origin);
	if (answer != SEARCH_GONE)
		search_turn(search, &leader.steady);
	return answer == SEARCH_GONE;
}

static int
open_fetch(void **state)
{
	struct body_fetch_config config = { .bus = &lab.bus, .jobs = &lab.jobs };
	struct err err;

	lab_open(state);
	config.inbox = lab.inbox;
	config.settle = lab.settle;
	assert_int_equal(body_fetch_open(&fetch, &config, &err), 0);
	search = search_open(&lab.bus, lab_origin.stream);
	memset(&leader, 0, sizeof(leader));
	leader.name = "";
	lab.jobs.fans_out = true;
	lab_job(6, "a b");
	job = lab_job(7, "a b");
	queue = queue_find(&lab.jobs, "a");
	job_evict(&lab.jobs, job);
	body_fetch_request(fetch, job, queue, lab.now_ms);
	return 0;
}

static int
close_fetch(void **state)
{
	search_close(search);
	lab_close(state);
	body_fetch_close(fetch);
	return 0;
}

/* ---- answers */

enum answer {
	NOTHING,
	BODY,      /* of the event 7 */
	PLAIN,     /* of an old server, without the time at which it was stored */
	ANOTHER,   /* the sequence has another event now */
	NOT_FOUND, /* 404 */
	NO_STREAM, /* 503 */
};

static void
answer_to(const char *subject, enum answer what)
{
	struct bus_msg *msg;
	char time[CLOCK_TEXT_SIZE];

	if (what == NOTHING)
		return;
	if (what == NOT_FOUND || what == NO_STREAM) {
		msg = mem_alloc(sizeof(*msg));
		assert_int_equal(natsMsg_Create(&msg->msg, subject, NULL, NULL, 0), NATS_OK);
		assert_int_equal(natsMsgHeader_Set(
					 msg->msg, "Status", what == NOT_FOUND ? "404" : "503"),
			NATS_OK);
	} else {
		msg = lab_event(subject, NULL, 7, 0);
		clock_format(lab_stored_us(what == ANOTHER ? 8 : 7), time);
		if (what != PLAIN)
			assert_int_equal(
				natsMsgHeader_Set(msg->msg, "Nats-Time-Stamp", time), NATS_OK);
	}
	lab_message(msg);
}

static void
answer(enum answer what)
{
	answer_to("_INBOX_lab.1.get.3.7", what); /* the index of its stream, its sequence */
}

/* As pipeline_tick does it, ten times a second. */
static void
let_pass(int64_t ms)
{
	for (int64_t end_ms = lab.now_ms + ms; lab.now_ms < end_ms;) {
		lab.now_ms += 50;
		body_fetch_turn(fetch, lab.now_ms);
	}
}

/* ---- what each answer leads to */

static void
answers(void **state)
{
	static const struct {
		const char *name;
		enum answer answer;
		enum message_presence leader;
		int64_t then_ms;
		const char *said; /* after the first request */
		char now;         /* has its body, waits for it, gone from here */
	} rows[] = {
		{ "the body", BODY, MESSAGE_FOUND, 0, "", 'b' },
		{ "the body, without a time", PLAIN, MESSAGE_FOUND, 0, "", 'b' },
		{ "not found, and not yet requested again", NOT_FOUND, MESSAGE_FOUND, 200, "",
			'w' },
		{ "not found by a replica, and the leader has it", NOT_FOUND, MESSAGE_FOUND,
			300, ASKED, 'w' },
		{ "not found, and the leader does not know it either", NOT_FOUND,
			MESSAGE_UNKNOWN, 300, ASKED, 'w' },
		{ "not found, and the leader's stream ends before it", NOT_FOUND,
			MESSAGE_BEYOND, 300, ASKED, 'w' },
		{ "another event, and the leader has that one", ANOTHER, MESSAGE_FOUND, 300,
			ASKED, 'w' },
		{ "no stream", NO_STREAM, MESSAGE_FOUND, 0, NAK, 'g' },
		{ "no answer yet", NOTHING, MESSAGE_FOUND, 4900, "", 'w' },
		{ "no answer", NOTHING, MESSAGE_FOUND, 5000, NAK, 'g' },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char now;

		open_fetch(state);
		assert_said(ASKED);
		leader.presence = rows[i].leader;
		answer(rows[i].answer);
		let_pass(rows[i].then_ms);
		now = job_find(&lab.jobs, &lab_origin, 7) == NULL ? 'g'
			: job->msg != NULL                        ? 'b'
								  : 'w';
		if (strcmp(buf_str(&lab.said), rows[i].said) != 0 || now != rows[i].now ||
			metric_count(lab.metrics.expired) != 0)
			fail_msg("%s: \"%s\", %c", rows[i].name, buf_str(&lab.said), now);
		close_fetch(state);
	}
}

static void
its_deliveries_come_next(void **state)
{
	struct queue *other = queue_find(&lab.jobs, "b");

	(void)state;
	assert_int_equal(job->delivery[0].state, DELIVERY_BLOCKED);
	assert_int_equal(job->delivery[1].state, DELIVERY_BLOCKED);
	assert_int_equal(queue->n_ready + other->n_ready, 2); /* those of the other event */
	assert_int_equal(queue->fetching, 1);
	answer(BODY);
	assert_ptr_equal(TAILQ_FIRST(&queue->ready), &job->delivery[0]);
	assert_ptr_equal(TAILQ_FIRST(&other->ready), &job->delivery[1]);
	assert_int_equal(queue->n_ready + other->n_ready, 4);
	assert_int_equal(queue->fetching + lab.jobs.n_fetching + lab.jobs.n_evicted, 0);
	/* it is the event that it was, though the answer has a subject of its own */
	assert_string_equal(job_subject(job), "vc.lab.7");
	assert_non_null(strstr(bus_msg_data(job->msg), "\"id\":\"7\""));
	lab_send(&job->delivery[0]);
	lab_reply(&job->delivery[0], 200);
	lab_send(&job->delivery[1]);
	lab_reply(&job->delivery[1], 200);
	assert_said(ASKED ", ack.7 +ACK");
}

/* One target has it already: its delivery is over, and stays so. */
static void
only_what_is_not_over_is_queued(void **state)
{
	(void)state;
	answer(BODY);
	lab_send(&job->delivery[0]);
	lab_reply(&job->delivery[0], 200);
	job_evict(&lab.jobs, job);
	body_fetch_request(fetch, job, queue_find(&lab.jobs, "b"), lab.now_ms);
	answer(NOT_FOUND);
	let_pass(SECOND);
	answer(BODY);
	assert_int_equal(job->delivery[0].state, DELIVERY_DELIVERED);
	assert_int_equal(job->delivery[1].state, DELIVERY_READY);
	assert_int_equal(queue->n_ready, 1);
}

/* ---- not found */

/* By no replica, for 43 s: NATS decides. Meanwhile the leader never says that it is gone. */
static void
not_found_for_long(void **state)
{
	static const char request[] = ASKED;
	int64_t begin_ms = lab.now_ms;
	unsigned requests = 0;

	(void)state;
	leader.presence = MESSAGE_UNKNOWN;
	while (lab.now_ms - begin_ms < MINUTE && lab.jobs.n == 2) {
		if (strcmp(buf_str(&lab.said), request) == 0) {
			requests++;
			buf_clear(&lab.said);
			answer(NOT_FOUND);
		}
		let_pass(50);
	}
	assert_int_equal(lab.jobs.n, 1);
	assert_in_range(lab.now_ms - begin_ms, 42 * SECOND, 45 * SECOND);
	assert_true(requests > 10);
	assert_said(NAK);
	assert_int_equal(metric_count(lab.metrics.expired), 0);
}

/* Found in the end: what came before does not count the next time. */
static void
found_by_another_replica(void **state)
{
	(void)state;
	leader.presence = MESSAGE_UNKNOWN;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++) {
			answer(NOT_FOUND);
			let_pass(5 * SECOND + 50);
			assert_int_equal(lab.jobs.n, 2);
		}
		answer(BODY);
		assert_int_equal(TAILQ_FIRST(&queue->ready)->job->seq, 7);
		assert_int_equal(lab.jobs.n_missing + lab.jobs.n_fetching, 0);
		job_evict(&lab.jobs, job);
		body_fetch_request(fetch, job, queue, lab.now_ms);
	}
}

/* Only the leader can say that the stream has lost it, and in a cluster the same for 5 s. */
static void
gone_when_the_leader_says_so(void **state)
{
	static const enum answer first[] = { NOT_FOUND, ANOTHER };
	static const char *const names[] = { "", "n1" };

	for (size_t i = 0; i < 4; i++) {
		int64_t begin_ms;

		open_fetch(state);
		buf_clear(&lab.said);
		begin_ms = lab.now_ms;
		leader.presence = MESSAGE_GONE;
		leader.name = names[i / 2];
		answer(first[i % 2]);
		assert_int_equal(lab.jobs.n, 2); /* the leader was not asked before */
		while (lab.jobs.n == 2 && lab.now_ms - begin_ms < MINUTE) {
			let_pass(50);
			if (buf_str(&lab.said)[0] == '$') {
				buf_clear(&lab.said);
				answer(first[i % 2]);
			}
		}
		assert_said("ack.7 +ACK");
		assert_int_equal(metric_count(lab.metrics.expired), 1);
		assert_true(lab.now_ms - begin_ms >= (*leader.name != '\0' ? 5 * SECOND : 0));
		assert_true(lab.now_ms - begin_ms < 15 * SECOND);
		close_fetch(state);
	}
}

/* ---- too late, or from nowhere */

static void
answers_that_nobody_waits_for(void **state)
{
	static const char *const subjects[] = { "_INBOX_lab.1.get.3.6", "_INBOX_lab.1.get.3.8",
		"_INBOX_lab.1.get.4.7", "_INBOX_lab.1.get.99.7", "_INBOX_lab.1.get.x.y",
		"_INBOX_lab.1.get.3", "_INBOX_lab.1.get.3.99999999999999999999999" };

	(void)state;
	buf_clear(&lab.said);
	for (size_t i = 0; i < COUNT(subjects); i++) {
		answer_to(subjects[i], BODY);
		answer_to(subjects[i], NOT_FOUND);
	}
	assert_null(job->msg);
	answer(BODY);
	answer(BODY); /* of two requests */
	answer(NOT_FOUND);
	assert_non_null(job->msg);
	job_free(&lab.jobs, job);
	answer(BODY);
	assert_int_equal(lab.jobs.n, 1);
	assert_said("");
}

/* The stream was recreated meanwhile: another event may have the sequence. */
static void
the_answer_is_not_for_a_stale_event(void **state)
{
	(void)state;
	settle_recreated(lab.settle, &lab_origin);
	assert_int_equal(metric_count(lab.metrics.expired), 1);
	answer(BODY);
	assert_int_equal(lab.jobs.n, 1);
	assert_int_equal(lab.jobs.n_fetching, 0);
	assert_said(ASKED);
}

/* Not connected: nothing was requested, and NATS delivers the event again. */
static void
without_a_connection(void **state)
{
	(void)state;
	answer(BODY);
	job_evict(&lab.jobs, job);
	lab.disconnected = true;
	body_fetch_request(fetch, job, queue, lab.now_ms);
	body_fetch_turn(fetch, lab.now_ms);
	assert_int_equal(lab.jobs.n, 1);
	assert_int_equal(lab.jobs.n_fetching, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fetch, close_fetch)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		TEST(its_deliveries_come_next),
		TEST(only_what_is_not_over_is_queued),
		TEST(not_found_for_long),
		TEST(found_by_another_replica),
		cmocka_unit_test(gone_when_the_leader_says_so),
		TEST(answers_that_nobody_waits_for),
		TEST(the_answer_is_not_for_a_stale_event),
		TEST(without_a_connection),
	};

	return cmocka_run_group_tests_name(
		"body_fetch", tests, nats_library_open, nats_library_close);
}
