// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers in replies of JetStream that no integer of ours holds. Expected values are the bounds
 * of the integers (json_member.h): a cast of such a double is undefined, and gives another
 * value.
 */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api_lab.h"
#include "bus_private.h"
#include "jetstream.h"
#include "mem.h"
#include "storage_check.h"
#include "stream_storage.h"

static const struct {
	const char *text;
	uint64_t is_unsigned;
	int64_t is_positive; /* of a limit, where anything below 1 is "no limit" */
	int code;            /* of an error */
} rows[] = {
	{ "7", 7, 7, 7 },
	{ "0", 0, 0, 0 },
	{ "-1", 0, 0, 0 },
	{ "-1e300", 0, 0, 0 },
	{ "2147483648", 2147483648, 2147483648, 0 },
	{ "4294967303", 4294967303, 4294967303, 0 }, /* 2^32 + 7 */
	{ "9223372036854775808", UINT64_C(9223372036854775808), INT64_MAX, 0 },
	{ "18446744073709551616", UINT64_MAX, INT64_MAX, 0 },
	{ "1e300", UINT64_MAX, INT64_MAX, 0 },
	{ "1e999", UINT64_MAX, INT64_MAX, 0 },
	{ "\"7\"", 0, 0, 0 },
	{ "null", 0, 0, 0 },
	{ "[7]", 0, 0, 0 },
};

#define CREATED "\"created\":\"2026-11-22T09:00:00Z\""

/* Every # of the template becomes the number; one reply at a time is in use. */
static void
answer(struct api_lab *lab, const char *subject, const char *template, const char *number)
{
	static char reply[1024];
	size_t len = 0;

	for (const char *p = template; *p != '\0'; p++) {
		assert_true(len + 64 < sizeof(reply));
		if (*p == '#')
			len += (size_t)snprintf(reply + len, 64, "%s", number);
		else
			reply[len++] = *p;
	}
	reply[len] = '\0';
	lab->script[0] = (struct api_script){ .subject = subject, .answer = { reply } };
}

static void
check(size_t row, const char *name, uint64_t is, uint64_t wanted)
{
	if (is != wanted)
		fail_msg("%s of %s: %" PRIu64 ", not %" PRIu64, name, rows[row].text, is,
			wanted);
}

static void
of_a_stream(void **state)
{
	static const char template[] =
		"{" CREATED
		",\"state\":{\"first_seq\":#,\"last_seq\":#,\"messages\":#,\"bytes\":#},"
		"\"config\":{\"max_bytes\":#,\"max_msg_size\":#,\"max_age\":#,\"num_replicas\":#}}";
	static const struct stream_config config = { .name = "S", .subjects = { "s.>" } };
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t limit = (uint64_t)rows[i].is_positive;
		struct stream_info info;
		struct err err;

		answer(lab, "$JS.API.STREAM.INFO.S", template, rows[i].text);
		if (jetstream_stream_ensure(lab->bus, &config, &info, &err) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		check(i, "first_seq", info.first_seq, rows[i].is_unsigned);
		check(i, "last_seq", info.last_seq, rows[i].is_unsigned);
		check(i, "messages", info.messages, rows[i].is_unsigned);
		check(i, "bytes", info.bytes, rows[i].is_unsigned);
		check(i, "max_bytes", (uint64_t)info.max_bytes, limit);
		check(i, "max_msg_size", (uint64_t)info.max_msg_size, limit);
	}
}

static void
of_a_consumer(void **state)
{
	static const char template[] =
		"{" CREATED ",\"delivered\":{\"stream_seq\":#,\"consumer_seq\":#},"
		"\"ack_floor\":{\"stream_seq\":#},\"num_pending\":#,\"num_ack_pending\":#,"
		"\"num_waiting\":#,\"num_redelivered\":#,"
		"\"config\":{\"ack_wait\":#,\"max_ack_pending\":#,\"max_deliver\":#}}";
	static const struct consumer_config config = { .stream = "S", .name = "C" };
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t wanted = rows[i].is_unsigned;
		struct consumer_info info;
		struct err err;

		answer(lab, "$JS.API.CONSUMER.INFO.S.C", template, rows[i].text);
		if (jetstream_consumer_ensure(lab->bus, &config, &info, &err) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		check(i, "delivered stream_seq", info.delivered_stream_seq, wanted);
		check(i, "delivered consumer_seq", info.delivered_consumer_seq, wanted);
		check(i, "ack_floor", info.ack_floor_stream_seq, wanted);
		check(i, "num_pending", info.pending, wanted);
		check(i, "num_ack_pending", info.ack_pending, wanted);
		check(i, "num_waiting", info.waiting, wanted);
		check(i, "num_redelivered", info.redelivered, wanted);
	}
}

static void
of_a_message(void **state)
{
	static const struct message_query query = { .stream = "S", .subject = "s.a" };
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stream_msg msg;
		struct err err;

		answer(lab, "$JS.API.STREAM.MSG.GET.S",
			"{\"message\":{\"subject\":\"s.a\",\"seq\":#,\"data\":\"eA==\"}}",
			rows[i].text);
		assert_int_equal(jetstream_stream_get(lab->bus, &query, &msg, &err), 0);
		check(i, "seq", msg.seq, rows[i].is_unsigned);
		jetstream_msg_free(&msg);
	}
}

static void
add_subject(void *ctx, const char *subject, uint64_t messages)
{
	uint64_t *sum = ctx;

	assert_string_equal(subject, "s.a");
	*sum = messages;
}

static void
of_a_list_of_subjects(void **state)
{
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t messages = 1234;
		struct jetstream_subjects list = { add_subject, &messages };
		struct err err;

		answer(lab, "$JS.API.STREAM.INFO.S", "{\"state\":{\"subjects\":{\"s.a\":#}}}",
			rows[i].text);
		assert_int_equal(jetstream_list_subjects(lab->bus, "S", ">", &list, &err), 0);
		check(i, "messages of a subject", messages, rows[i].is_unsigned);
	}
}

/* Sums and products are bounded too: 7 * 7, twice. */
static void
of_the_storage(void **state)
{
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t n = rows[i].is_unsigned, wanted = n > 1000 ? UINT64_MAX : 2 * n * n;
		struct stream_storage s;
		struct err err;

		/* 2^31 and 2^32 + 7: two squares fit into 64 bits, of the latter not */
		if (n == 2147483648)
			wanted = 2 * n * n;
		answer(lab, "$JS.API.INFO",
			"{\"streams\":#,\"reserved_storage\":#,\"limits\":{\"max_storage\":#}}",
			rows[i].text);
		assert_int_equal(stream_storage_look(lab->bus, &s, &err), 0);
		check(i, "streams", s.streams, n);
		check(i, "reserved_storage", s.reserved, n);
		check(i, "max_storage", s.max, (uint64_t)rows[i].is_positive);
		s.reserved_known = false;
		answer(lab, "$JS.API.STREAM.LIST",
			"{\"total\":2,\"streams\":[{\"config\":{\"max_bytes\":#,\"num_replicas\":#}},"
			"{\"config\":{\"max_bytes\":#,\"num_replicas\":#}}]}",
			rows[i].text);
		assert_int_equal(stream_storage_add_up(lab->bus, &s, &err), 0);
		check(i, "the sum", s.reserved, wanted);
	}
}

/* An account whose streams reserve more than any limit has no room. */
static void
of_the_storage_that_is_left(void **state)
{
	static const char *const reserved[] = { "999999", "1000001", "18446744073709551615",
		"1e300" };
	struct bus_config config = { .stream = { .max_bytes = 1024, .replicas = 1 } };
	struct api_lab *lab = *state;
	struct buf found;

	for (size_t i = 0; i < COUNT(reserved); i++) {
		answer(lab, "$JS.API.INFO",
			"{\"reserved_storage\":#,\"limits\":{\"max_storage\":1000000}}",
			reserved[i]);
		buf_init(&found, 1024);
		if (storage_check(lab->bus, &config, 1, &found))
			fail_msg("%s: %s", reserved[i], buf_str(&found));
		buf_free(&found);
	}
}

/* A code that an int does not hold is none, not another one. */
static void
of_an_error(void **state)
{
	struct api_lab *lab = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stream_info info;
		struct err err;
		char text[64];

		answer(lab, "$JS.API.STREAM.INFO.S",
			"{\"error\":{\"code\":#,\"err_code\":#,\"description\":\"no\"}}",
			rows[i].text);
		assert_int_equal(jetstream_stream_look(lab->bus, "S", &info, &err), -1);
		assert_int_equal(err.code, ERR_PROTOCOL);
		snprintf(text, sizeof(text), "no (%d)", rows[i].code);
		if (strstr(err.text, text) == NULL)
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static struct bus_msg *
message(const char *data)
{
	struct bus_msg *msg = mem_alloc(sizeof(*msg));

	assert_int_equal(
		natsMsg_Create(&msg->msg, "_INBOX.x", NULL, data, (int)strlen(data)), NATS_OK);
	return msg;
}

static void
of_the_answer_to_a_publish(void **state)
{
	static const struct {
		const char *data;
		bool ok;
		uint64_t seq;
		int code;
	} acks[] = {
		{ "{\"stream\":\"S\",\"seq\":7}", true, 7, 0 },
		{ "{\"stream\":\"S\",\"seq\": 7}", true, 7, 0 },
		{ "{\"stream\":\"S\",\"seq\":0}", false, 0, 0 },
		{ "{\"stream\":\"S\", \"seq\":7,\"duplicate\": true}", true, 7, 0 },
		/* nats-server 2.10.27, then 2.11.4 */
		{ "{\"stream\":\"S\", \"seq\":0,\"duplicate\": true}", true, 0, 10158 },
		{ "{\"error\":{\"code\":409,\"err_code\":10158},\"stream\":\"S\",\"seq\":0}",
			true, 0, 10158 },
		{ "{\"stream\":\"S\",\"seq\":-1}", false, 0, 0 },
		{ "{\"stream\":\"S\",\"seq\":\"7\"}", false, 0, 0 },
		{ "{\"stream\":\"S\",\"seq\":99999999999999999999}", false, 0, 0 },
		{ "{\"error\":{\"code\":503,\"err_code\":10077}}", true, 0, 10077 },
		{ "{\"error\":{\"code\":503,\"err_code\":4294977367}}", true, 0, 503 },
		{ "{\"error\":{\"code\":503,\"err_code\":1e300}}", true, 0, 503 },
		{ "{\"error\":{\"code\":-1,\"err_code\":-1}}", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(acks); i++) {
		struct bus_msg *msg = message(acks[i].data);
		struct pub_ack ack;
		bool ok = jetstream_pub_ack_parse(msg, &ack);

		if (ok != acks[i].ok || (ok && ack.seq != acks[i].seq) ||
			ack.error_code != acks[i].code)
			fail_msg("%s: %d, %" PRIu64 ", %d", acks[i].data, ok, ack.seq,
				ack.error_code);
		bus_msg_free(msg);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_a_stream, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(of_a_consumer, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(of_a_message, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(
			of_a_list_of_subjects, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(of_the_storage, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(
			of_the_storage_that_is_left, api_lab_open, api_lab_close),
		cmocka_unit_test_setup_teardown(of_an_error, api_lab_open, api_lab_close),
		cmocka_unit_test(of_the_answer_to_a_publish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
