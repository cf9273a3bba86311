// SPDX-License-Identifier: Apache-2.0
/* The fence, and up to where the stream is complete, against a real nats-server. */
#include "protocol.h"
#include "test.h"

#include "clock.h"
#include "publisher_lab.h"

static void
all_are_stored_in_order(void **state)
{
	struct world *w = *state;
	struct publisher_stats stats;
	struct err err;

	for (int key = 1; key <= 1000; key++)
		assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(publisher_last_seq(w->publisher), 1000);
	publisher_stats(w->publisher, &stats);
	assert_int_equal(stats.published, 1000);
	assert_int_equal(stats.in_flight, 0);
}

/*
 * Wherever it had ended: what a message says of those before it holds. True in *stored for each
 * key of ours.
 */
static void
check_claims(struct world *w, bool *stored, int n)
{
	struct consumer_config all = { .stream = "VC_t" };
	struct bus_msg *msg;
	struct jetstream_meta d;
	struct err err;

	assert_int_equal(stream_reader_start(w->reader, &all, &err), 0);
	do {
		const char *id, *claim;
		int64_t us, complete;
		char uuid[64];
		int64_t key;

		assert_int_equal(stream_reader_next(w->reader, TIMEOUT_MS, &msg, &d, &err), 0);
		assert_non_null(msg);
		id = bus_msg_header(msg, HEADER_MSG_ID);
		claim = bus_msg_header(msg, HEADER_COMPLETE_BEFORE);
		if (id != NULL && stream_tail_parse_id(id, uuid, &key, &us)) {
			assert_true(key <= n);
			assert_false(stored[key]);
			complete = us;
			if (claim != NULL)
				assert_true(clock_parse(claim, strlen(claim), &complete) &&
					complete <= us);
			for (int k = 1; INT64_C(1000) * k < complete; k++)
				assert_true(stored[k]);
			stored[key] = true;
		}
		bus_msg_free(msg);
	} while (d.pending != 0);
	stream_reader_stop(w->reader);
}

/*
 * One message of somebody else's takes the place of one of ours, and the next one of ours may
 * be stored behind it. Each message tells from when on something may be missing before it; in
 * the end nothing is, and nothing is there twice.
 */
static void
a_second_writer_hides_no_hole(void **state)
{
	struct world *w = *state;
	struct bus_out foreign = { .subject = "vc.t.y", .data = "{}", .len = 2 };
	struct seen seen;
	struct stream_tail_query q = our_tail(w, &seen);
	bool stored[501] = { false }, all[501] = { false };
	struct stream_tail tail;
	struct pub_ack ack;
	struct err err;
	int key, first;

	for (key = 1; key <= 500; key++) {
		if (key == 250)
			assert_int_equal(
				jetstream_publish(w->bus, &foreign, TIMEOUT_MS, &ack, &err), 0);
		if (send_event(w, key, &err) != 0)
			break;
	}
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(publisher_last_seq(w->publisher), 249);
	check_claims(w, stored, 500);
	assert_int_equal(jetstream_stream_look(w->bus, "VC_t", &w->info, &err), 0);
	seen_init(&seen);
	if (stream_tail_load(&q, &w->info, &(struct stream_tail_reach){ 0, INT64_MAX }, &tail,
		    &err) != 0)
		fail_msg("%s", err.text);
	for (first = 1; stored[first]; first++)
		;
	assert_int_equal(first, 250);
	assert_true(tail.newest.key < first || tail.complete_us <= INT64_C(1000) * first);
	publisher_reset(w->publisher, w->info.last_seq);
	for (key = first; key <= 500; key++)
		if (!seen_has(&seen, key, INT64_C(1000) * key))
			assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(publisher_last_seq(w->publisher), 501);
	check_claims(w, all, 500);
	seen_free(&seen);
}

/*
 * The sender's own word counts as well as what is in flight; when neither is there, there is no
 * header.
 */
static void
what_is_complete_is_told(void **state)
{
	static const struct {
		int64_t complete_us, told_us;
		bool drain;
	} rows[] = {
		{ INT64_MAX, INT64_MAX, true },
		{ 5000, 5000, false },
		{ INT64_MAX, 2000, true },
		{ INT64_MIN, INT64_MIN, true },
	};
	struct world *w = *state;
	struct seen seen;
	struct stream_tail_query q = our_tail(w, &seen);
	struct err err;

	for (int i = 0; i < (int)COUNT(rows); i++) {
		char id[96];
		struct publish p = { .subject = "vc.t.x",
			.msg_id = id,
			.data = "{}",
			.len = 2,
			.key = i + 1,
			.created_us = 1000 * (i + 1),
			.again_us = 1000 * (i + 1),
			.complete_us = rows[i].complete_us };
		struct stream_tail tail = { .any = false };

		snprintf(id, sizeof(id), UUID "/%d/%d", i + 1, i + 1);
		assert_int_equal(publisher_send(w->publisher, &p, &err), 0);
		assert_true(publisher_oldest_us(w->publisher) <= p.created_us ||
			publisher_oldest_us(w->publisher) == INT64_MAX);
		if (!rows[i].drain)
			continue;
		assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
		assert_int_equal(publisher_oldest_us(w->publisher), INT64_MAX);
		seen_init(&seen);
		if (stream_tail_load_range(&q, 1, (uint64_t)i + 1, &tail, &err) != 0)
			fail_msg("%s", err.text);
		if (i != 2) /* there the ack of the one before may have come */
			assert_true(tail.complete_us == rows[i].told_us);
		assert_true(tail.complete_us >= rows[i].told_us);
		seen_free(&seen);
	}
}

static void
ignore(void *ctx, struct bus_msg *msg)
{
	(void)ctx;
	bus_msg_free(msg);
}

/*
 * The server may drop a message without a word: what is refused behind it does not prove
 * another writer.
 */
static void
an_unanswered_message_is_no_conflict(void **state)
{
	struct world *w = *state;
	struct err err;

	assert_int_equal(bus_subscribe(w->bus, "elsewhere.x", ignore, NULL, &err), 0);
	assert_int_equal(send_event_to(w, "elsewhere.x", 1, &err), 0);
	assert_int_equal(send_event(w, 2, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	assert_int_equal(err.code, ERR_FULL);
}

static void
the_server_knows_a_duplicate(void **state)
{
	struct world *w = *state;
	struct publisher_stats stats;
	struct err err;

	assert_int_equal(send_event(w, 1, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(send_event(w, 1, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	publisher_stats(w->publisher, &stats);
	assert_int_equal(stats.published, 1);
	assert_int_equal(stats.duplicates, 1);
	assert_int_equal(publisher_last_seq(w->publisher), 1);
}

static void
a_killed_server_loses_nothing_acked(void **state)
{
	struct world *w = *state;
	struct seen seen;
	struct stream_tail_query q = our_tail(w, &seen);
	struct stream_tail tail;
	struct err err = { .code = ERR_NONE };
	uint64_t acked;

	/* an ack may also be late: that ends the sending as well */
	for (int key = 1; key <= 2000 && send_event(w, key, &err) == 0; key++)
		;
	nats_server_kill(&w->server);
	for (int key = 2001; key <= 3000 && send_event(w, key, &err) == 0; key++)
		;
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	acked = publisher_last_seq(w->publisher);
	nats_server_again(&w->server);
	for (int tries = 0; jetstream_stream_look(w->bus, "VC_t", &w->info, &err) != 0; tries++)
		if (tries == TIMEOUT_MS / 50 || stop_sleep(50))
			fail_msg("%s", err.text);
	assert_true(w->info.last_seq >= acked);
	seen_init(&seen);
	if (stream_tail_load(&q, &w->info,
		    &(struct stream_tail_reach){ INT64_MAX / 4, INT64_MAX }, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.events.n, w->info.last_seq);
	assert_int_equal(tail.newest.key, (int)w->info.last_seq);
	w->before = w->publisher;
	assert_int_equal(publisher_open(&w->publisher, w->bus, 64, TIMEOUT_MS, &err), 0);
	publisher_reset(w->publisher, w->info.last_seq);
	assert_int_equal(send_event(w, (int)w->info.last_seq + 1, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	seen_free(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			all_are_stored_in_order, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_second_writer_hides_no_hole, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_is_complete_is_told, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_unanswered_message_is_no_conflict, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_server_knows_a_duplicate, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_killed_server_loses_nothing_acked, open_mortal_world, close_world),
		cmocka_unit_test_setup_teardown(
			all_are_stored_in_order, open_tls_world, close_world),
		cmocka_unit_test_setup_teardown(a_killed_server_loses_nothing_acked,
			open_mortal_tls_world, close_world),
	};

	stop_init();
	return cmocka_run_group_tests_name("publisher", tests, NULL, NULL);
}
