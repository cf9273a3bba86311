// SPDX-License-Identifier: Apache-2.0
/* Ids that the server refuses without a stored message are written in another way. */
#include <stdatomic.h>

#include "protocol.h"
#include "test.h"

#include "clock.h"
#include "publisher_lab.h"

enum { SENT = 3 }; /* events that are refused at first */

/*
 * A stream with replicas in nats-server 2.10 and 2.11: it remembers the id of a message that it
 * refuses for its expected sequence. The replies are those of 2.10.27 and 2.11.4.
 */
struct replicated {
	struct bus *bus;
	const char *in_process; /* the reply to an id that is not stored */
	char ids[SENT][96], replies[SENT][128], stored[64][96];
	size_t n, n_stored;
	atomic_size_t received;
	atomic_bool first_refused, answers;
};

static void
answer(struct replicated *r, const char *reply, const char *data)
{
	struct err err;

	assert_int_equal(bus_publish(r->bus,
				 &(struct bus_out){
					 .subject = reply, .data = data, .len = strlen(data) },
				 &err),
		0);
}

static void
receive(void *ctx, struct bus_msg *msg)
{
	const char *id = bus_msg_header(msg, HEADER_MSG_ID), *reply = bus_msg_reply(msg);
	struct replicated *r = ctx;
	char text[64];
	size_t i;

	for (i = 0; i < r->n && strcmp(r->ids[i], id) != 0; i++)
		;
	if (r->answers && i < r->n) {
		answer(r, reply, r->in_process);
	} else if (r->answers && !r->first_refused && r->n < SENT) {
		snprintf(r->replies[r->n], sizeof(r->replies[0]), "%s", reply);
		snprintf(r->ids[r->n++], sizeof(r->ids[0]), "%s", id);
		/* not before all are sent: nothing is sent after a refusal */
		for (i = 0; r->n == SENT && i < SENT; i++)
			answer(r, r->replies[i],
				"{\"error\":{\"code\":400,\"err_code\":10071,\"description\":"
				"\"wrong last sequence: 9\"},\"stream\":\"VC_t\",\"seq\":0}");
	} else if (r->answers) {
		snprintf(r->stored[r->n_stored++], sizeof(r->stored[0]), "%s", id);
		snprintf(text, sizeof(text), "{\"stream\":\"VC_t\", \"seq\":%zu}",
			9 + r->n_stored);
		answer(r, reply, text);
	}
	r->received++;
	bus_msg_free(msg);
}

static void
wait_received(struct replicated *r, size_t n)
{
	int64_t end = clock_monotonic_ms() + TIMEOUT_MS;

	while (r->received < n && clock_monotonic_ms() < end)
		stop_sleep(1);
	assert_int_equal(r->received, n);
}

static void
count_taken_back(void *ctx, const struct publisher_unacked *event)
{
	(void)event;
	++*(int *)ctx;
}

static void
refused_ids_are_written_in_another_way(struct world *w, const char *in_process)
{
	struct replicated r = { .bus = w->bus, .in_process = in_process, .answers = true };
	struct err err;
	int64_t key, created_us;
	int taken_back = 0;
	char uuid[64];

	assert_int_equal(bus_subscribe(w->bus, "elsewhere.x", receive, &r, &err), 0);
	/* another writer was faster: all are refused, and the server remembers their ids */
	for (int i = 1; i <= SENT; i++)
		assert_int_equal(send_event_to(w, "elsewhere.x", i, &err), 0);
	wait_received(&r, SENT);
	r.first_refused = true;
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	publisher_take_unacked(w->publisher, count_taken_back, &taken_back);
	assert_int_equal(taken_back, SENT);
	publisher_reset(w->publisher, 9);
	/* the same events again: the server refuses the ids */
	assert_int_equal(send_event_to(w, "elsewhere.x", 1, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	assert_int_equal(err.code, ERR_CONNECT);
	publisher_take_unacked(w->publisher, count_taken_back, &taken_back);
	publisher_reset(w->publisher, 9);
	/* the first one is sent alone */
	r.answers = false;
	assert_int_equal(send_event_to(w, "elsewhere.x", 1, &err), 0);
	wait_received(&r, 5);
	assert_false(publisher_room(w->publisher));
	publisher_take_unacked(w->publisher, count_taken_back, &taken_back);
	publisher_reset(w->publisher, 9);
	r.answers = true;
	for (int i = 1; i <= SENT; i++)
		assert_int_equal(send_event_to(w, "elsewhere.x", i, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(publisher_last_seq(w->publisher), 12);
	assert_int_equal(r.n_stored, SENT);
	/* the ids mean the same events when they are read back */
	for (int i = 0; i < SENT; i++) {
		assert_true(stream_tail_parse_id(r.stored[i], uuid, &key, &created_us));
		assert_string_equal(uuid, UUID);
		assert_int_equal(key, i + 1);
		assert_int_equal(created_us, (i + 1) * 1000);
	}
}

static void
ids_that_2_10_refuses(void **state)
{
	refused_ids_are_written_in_another_way(
		*state, "{\"stream\":\"VC_t\", \"seq\":0,\"duplicate\": true}");
}

static void
ids_that_2_11_refuses(void **state)
{
	refused_ids_are_written_in_another_way(*state,
		"{\"error\":{\"code\":409,\"err_code\":10158,\"description\":\"duplicate message "
		"id is in process\"},\"stream\":\"VC_t\",\"seq\":0}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ids_that_2_10_refuses, open_world, close_world),
		cmocka_unit_test_setup_teardown(ids_that_2_11_refuses, open_world, close_world),
	};

	stop_init();
	return cmocka_run_group_tests_name("publisher_ids", tests, NULL, NULL);
}
