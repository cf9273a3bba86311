// SPDX-License-Identifier: Apache-2.0
/* A reader gets each message once and in order, whichever way it requests them. */
#include "test.h"

#include "publisher_lab.h"

enum { ROUNDS = 6, EVENTS = 25 /* of a round */ };

static void
store(struct world *w, int from, int n)
{
	struct err err;

	for (int key = from; key < from + n; key++)
		assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
}

/* How many messages the stream had after the first of these when the server sent it. */
static uint64_t
read_from(struct world *w, int from, int n)
{
	uint64_t after_first = 0;

	for (int seq = from; seq < from + n; seq++) {
		struct jetstream_meta at;
		struct bus_msg *msg;
		struct err err;

		assert_int_equal(stream_reader_next(w->reader, TIMEOUT_MS, &msg, &at, &err), 0);
		assert_non_null(msg);
		assert_int_equal(at.stream_seq, seq);
		if (seq == from)
			after_first = at.pending;
		bus_msg_free(msg);
	}
	return after_first;
}

static void
in_groups_and_one_by_one(void **state)
{
	struct consumer_config config = { .stream = "VC_t" };
	struct world *w = *state;
	struct err err;

	assert_int_equal(stream_reader_start(w->reader, &config, &err), 0);
	for (int i = 0; i < ROUNDS; i++) {
		stream_reader_in_groups(w->reader, i % 2 == 0);
		store(w, 1 + i * EVENTS, EVENTS);
		read_from(w, 1 + i * EVENTS, EVENTS);
	}
}

/* No pull stays open: what is stored meanwhile arrives with the next call, all together. */
static void
a_group_is_requested_by_a_call(void **state)
{
	struct consumer_config config = { .stream = "VC_t" };
	struct world *w = *state;
	struct jetstream_meta at;
	struct bus_msg *msg;
	struct err err;

	assert_int_equal(stream_reader_start(w->reader, &config, &err), 0);
	stream_reader_in_groups(w->reader, true);
	store(w, 1, 1);
	read_from(w, 1, 1);
	/* a pull that finds nothing ends at once */
	assert_int_equal(stream_reader_next(w->reader, 100, &msg, &at, &err), 0);
	assert_null(msg);
	store(w, 2, EVENTS);
	assert_int_equal(read_from(w, 2, EVENTS), EVENTS - 1);
}

/* No pull is open when the consumer goes, and NATS does not answer the next one. */
static void
a_consumer_that_is_gone_is_noticed(void **state)
{
	const struct bus_out removal = { .subject = "$JS.API.STREAM.DELETE.VC_t" };
	struct consumer_config config = { .stream = "VC_t" };
	struct world *w = *state;
	struct jetstream_meta at;
	struct bus_msg *msg;
	struct err err;

	assert_int_equal(stream_reader_start(w->reader, &config, &err), 0);
	stream_reader_in_groups(w->reader, true);
	store(w, 1, 1);
	read_from(w, 1, 1);
	assert_int_equal(bus_request(w->bus, &removal, TIMEOUT_MS, &msg, &err), 0);
	bus_msg_free(msg);
	assert_int_equal(stream_reader_next(w->reader, TIMEOUT_MS, &msg, &at, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			in_groups_and_one_by_one, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_group_is_requested_by_a_call, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_consumer_that_is_gone_is_noticed, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
