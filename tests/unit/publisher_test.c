// SPDX-License-Identifier: Apache-2.0
/* The fence, the tail and the reader, against a real nats-server. */
#include "protocol.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "nats.h"
#include "publisher.h"
#include "stop.h"
#include "tail.h"

#define UUID "dbed6e0c-bd88-4ef6-b594-21283e1c677f"

enum { TIMEOUT_MS = 60000 };

struct world {
	struct nats_server server;
	struct bus *bus;
	struct publisher *publisher;
	struct stream_reader *reader;
	struct stream_info info;
};

static const struct stream_config stream = {
	.name = "VC_t", .subjects = { "vc.t.>" }, .duplicate_window_ms = 60000
};

static int
open_world_of(void **state, const char *tls_name)
{
	struct world *w = calloc(1, sizeof(*w));
	struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
	struct err err;

	nats_server_start(&w->server, tls_name);
	options.ca_file = tls_name ? w->server.ca : NULL;
	options.urls = w->server.urls;
	assert_int_equal(bus_open(&w->bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(w->bus, TIMEOUT_MS, &err), 0);
	assert_int_equal(publisher_open(&w->publisher, w->bus, 64, 2000, &err), 0);
	assert_int_equal(stream_reader_open(&w->reader, w->bus, &err), 0);
	assert_int_equal(jetstream_stream_ensure(w->bus, &stream, &w->info, &err), 0);
	publisher_reset(w->publisher, w->info.last_seq);
	*state = w;
	return 0;
}

static int
open_world(void **state)
{
	return open_world_of(state, NULL);
}

static int
open_tls_world(void **state)
{
	return open_world_of(state, "IP:127.0.0.1");
}

static int
close_world(void **state)
{
	struct world *w = *state;

	stream_reader_stop(w->reader);
	bus_close(w->bus);
	publisher_close(w->publisher);
	stream_reader_close(w->reader);
	nats_server_stop(&w->server);
	free(w);
	return 0;
}

static int
send_event(struct world *w, int key, struct err *err)
{
	char id[96];
	struct publish p = { .subject = "vc.t.x",
		.msg_id = id,
		.data = "{}",
		.len = 2,
		.key = key,
		.created_us = INT64_C(1000) * key,
		.again_us = INT64_C(1000) * key,
		.complete_us = INT64_MAX };

	snprintf(id, sizeof(id), UUID "/%d/%d", key, key);
	return publisher_send(w->publisher, &p, err);
}

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

static struct tail_query
our_tail(const struct world *w)
{
	return (struct tail_query){
		.reader = w->reader, .stream = "VC_t", .uuid = UUID, .cap_us = INT64_MAX
	};
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
		int32_t key;

		assert_int_equal(stream_reader_next(w->reader, TIMEOUT_MS, &msg, &d, &err), 0);
		assert_non_null(msg);
		id = bus_msg_header(msg, HEADER_MSG_ID);
		claim = bus_msg_header(msg, HEADER_COMPLETE_BEFORE);
		if (id != NULL && tail_parse_id(id, uuid, &key, &us)) {
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
	struct tail_query q = our_tail(w);
	bool stored[501] = { false }, all[501] = { false };
	struct tail tail;
	struct seen seen;
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
	if (tail_load(&q, &w->info, 0, INT64_MAX, &seen, &tail, &err) != 0)
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
	struct tail_query q = our_tail(w);
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
		struct tail tail = { .any = false };
		struct seen seen;

		snprintf(id, sizeof(id), UUID "/%d/%d", i + 1, i + 1);
		assert_int_equal(publisher_send(w->publisher, &p, &err), 0);
		assert_true(publisher_oldest_us(w->publisher) <= p.created_us ||
			publisher_oldest_us(w->publisher) == INT64_MAX);
		if (!rows[i].drain)
			continue;
		assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
		assert_int_equal(publisher_oldest_us(w->publisher), INT64_MAX);
		seen_init(&seen);
		if (tail_load_range(&q, 1, (uint64_t)i + 1, &seen, &tail, &err) != 0)
			fail_msg("%s", err.text);
		if (i != 2) /* there the ack of the one before may have come */
			assert_true(tail.complete_us == rows[i].told_us);
		assert_true(tail.complete_us >= rows[i].told_us);
		seen_free(&seen);
	}
}

/* A replica that is behind shows fewer messages than the stream has: that is no end. */
static void
an_end_is_confirmed_by_the_leader(void **state)
{
	struct consumer_config all = { .stream = "VC_t" };
	struct world *w = *state;
	struct err err;

	for (int key = 1; key <= 5; key++)
		assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(stream_reader_start(w->reader, &all, &err), 0);
	assert_int_equal(stream_reader_confirm_end(w->reader, 5, &err), 0);
	assert_int_equal(stream_reader_confirm_end(w->reader, 3, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(send_event(w, 6, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	for (uint64_t seq = 4; seq <= 5; seq++)
		assert_int_equal(jetstream_stream_delete_msg(w->bus, "VC_t", seq, &err), 0);
	/* number 6 came later */
	assert_int_equal(stream_reader_confirm_end(w->reader, 3, &err), 0);
	assert_int_equal(jetstream_stream_delete_msg(w->bus, "VC_t", 6, &err), 0);
	assert_int_equal(stream_reader_confirm_end(w->reader, 3, &err), 0);
	all.filter_subject = "vc.t.none";
	assert_int_equal(stream_reader_start(w->reader, &all, &err), 0);
	assert_int_equal(stream_reader_confirm_end(w->reader, 0, &err), 0);
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
	struct publish lost = { .subject = "elsewhere.x",
		.msg_id = UUID "/1/1",
		.data = "{}",
		.len = 2,
		.key = 1,
		.created_us = 1000,
		.again_us = 1000,
		.complete_us = INT64_MAX };
	struct world *w = *state;
	struct err err;

	assert_int_equal(bus_subscribe(w->bus, "elsewhere.x", ignore, NULL, &err), 0);
	assert_int_equal(publisher_send(w->publisher, &lost, &err), 0);
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
	struct tail_query q = our_tail(w);
	struct tail tail;
	struct seen seen;
	struct err err = { .code = ERR_NONE };
	uint64_t acked;

	for (int key = 1; key <= 3000 && send_event(w, key, &err) == 0; key++)
		if (key == 2000)
			nats_server_kill(&w->server);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), -1);
	acked = publisher_last_seq(w->publisher);
	nats_server_again(&w->server);
	for (int tries = 0; jetstream_stream_look(w->bus, "VC_t", &w->info, &err) != 0; tries++)
		if (tries == TIMEOUT_MS / 50 || stop_sleep(50))
			fail_msg("%s", err.text);
	assert_true(w->info.last_seq >= acked);
	seen_init(&seen);
	if (tail_load(&q, &w->info, INT64_MAX / 4, INT64_MAX, &seen, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.events.n, w->info.last_seq);
	assert_int_equal(tail.newest.key, (int)w->info.last_seq);
	publisher_reset(w->publisher, w->info.last_seq);
	assert_int_equal(send_event(w, (int)w->info.last_seq + 1, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	seen_free(&seen);
}

static void
the_tail_is_read_as_far_as_needed(void **state)
{
	struct world *w = *state;
	struct tail_query q = our_tail(w);
	struct tail tail;
	struct seen seen;
	struct err err;

	for (int key = 1; key <= 20000; key++)
		assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(jetstream_stream_look(w->bus, "VC_t", &w->info, &err), 0);
	seen_init(&seen);
	if (tail_load(&q, &w->info, 5000 * 1000, INT64_MAX, &seen, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(tail.any);
	assert_int_equal(tail.newest.key, 20000);
	assert_string_equal(tail.uuid, UUID);
	for (int key = 15000; key <= 20000; key++)
		assert_true(seen_has(&seen, key, INT64_C(1000) * key));
	assert_true(tail.read < 20000);
	/* a clock that was wrong does not count as the newest */
	seen_free(&seen);
	q.cap_us = INT64_C(1000) * 19000;
	if (tail_load(&q, &w->info, 5000 * 1000, INT64_MAX, &seen, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(tail.newest.key, 19000);
	seen_free(&seen);
	/* another vCenter's events are no identities of ours */
	q.uuid = "other";
	if (tail_load(&q, &w->info, 5000 * 1000, INT64_MAX, &seen, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.events.n, 0);
	assert_string_equal(tail.uuid, UUID);
	seen_free(&seen);
}

static void
identities(void **state)
{
	static const char *const bad[] = { "", "a/b", "/1/2", "a//2", "a/1/", "a/1/x",
		"a/2147483648/1", "a/1/2/3", "u/gap/1-2" };
	char uuid[64];
	int64_t us;
	int32_t key;

	(void)state;
	assert_true(tail_parse_id("u/-5/1700000000123", uuid, &key, &us));
	assert_string_equal(uuid, "u");
	assert_int_equal(key, -5);
	assert_int_equal(us, INT64_C(1700000000123000));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(tail_parse_id(bad[i], uuid, &key, &us));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test_setup_teardown(
			all_are_stored_in_order, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_second_writer_hides_no_hole, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_is_complete_is_told, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_end_is_confirmed_by_the_leader, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_unanswered_message_is_no_conflict, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_server_knows_a_duplicate, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_killed_server_loses_nothing_acked, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_tail_is_read_as_far_as_needed, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			all_are_stored_in_order, open_tls_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_killed_server_loses_nothing_acked, open_tls_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_tail_is_read_as_far_as_needed, open_tls_world, close_world),
	};

	stop_init();
	return cmocka_run_group_tests_name("publisher", tests, NULL, NULL);
}
