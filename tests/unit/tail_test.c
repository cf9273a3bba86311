// SPDX-License-Identifier: Apache-2.0
/* The tail of a stream and its reader, against a real nats-server. */
#include "test.h"

#include "publisher_lab.h"

static void
identities(void **state)
{
	static const char *const bad[] = { "", "a/b", "/1/2", "a//2", "a/1/", "a/1/x",
		"a/9223372036854775808/1", "a/1/2/3", "u/gap/1-2" };
	char uuid[64];
	int64_t us;
	int64_t key;

	(void)state;
	assert_true(stream_tail_parse_id("u/-5/1700000000123", uuid, &key, &us));
	assert_string_equal(uuid, "u");
	assert_int_equal(key, -5);
	assert_int_equal(us, INT64_C(1700000000123000));
	assert_true(stream_tail_parse_id("horizon/-9223372036854775808/1", uuid, &key, &us));
	assert_true(key == INT64_MIN);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(stream_tail_parse_id(bad[i], uuid, &key, &us));
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
the_tail_is_read_as_far_as_needed(void **state)
{
	struct world *w = *state;
	struct seen seen;
	struct stream_tail_query q = our_tail(w, &seen);
	struct stream_tail tail;
	struct err err;

	for (int key = 1; key <= 20000; key++)
		assert_int_equal(send_event(w, key, &err), 0);
	assert_int_equal(publisher_drain(w->publisher, TIMEOUT_MS, &err), 0);
	assert_int_equal(jetstream_stream_look(w->bus, "VC_t", &w->info, &err), 0);
	seen_init(&seen);
	if (stream_tail_load(&q, &w->info,
		    &(struct stream_tail_reach){ 5000 * 1000, INT64_MAX }, &tail, &err) != 0)
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
	if (stream_tail_load(&q, &w->info,
		    &(struct stream_tail_reach){ 5000 * 1000, INT64_MAX }, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(tail.newest.key, 19000);
	seen_free(&seen);
	/* another vCenter's events are no identities of ours */
	q.uuid = "other";
	if (stream_tail_load(&q, &w->info,
		    &(struct stream_tail_reach){ 5000 * 1000, INT64_MAX }, &tail, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.events.n, 0);
	assert_string_equal(tail.uuid, UUID);
	seen_free(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test_setup_teardown(
			an_end_is_confirmed_by_the_leader, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_tail_is_read_as_far_as_needed, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_tail_is_read_as_far_as_needed, open_tls_world, close_world),
	};

	stop_init();
	return cmocka_run_group_tests_name("publisher", tests, NULL, NULL);
}
