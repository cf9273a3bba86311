// SPDX-License-Identifier: Apache-2.0
/* lib/bus/jetstream.h: the numbers in status messages of the server. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "test.h"

#include "bus_private.h"
#include "jetstream.h"
#include "mem.h"
#include "protocol.h"

/* As the server sends a status: without a reply subject, without data. */
static struct bus_msg *
message(const char *name, const char *value)
{
	struct bus_msg *msg = mem_alloc(sizeof(*msg));

	assert_int_equal(natsMsg_Create(&msg->msg, "_INBOX.x", NULL, NULL, 0), NATS_OK);
	assert_int_equal(natsMsgHeader_Set(msg->msg, "Status", "408"), NATS_OK);
	assert_int_equal(natsMsgHeader_Set(msg->msg, name, value), NATS_OK);
	return msg;
}

static const struct {
	const char *text;
	int want;
} numbers[] = {
	{ "7", 7 },
	{ "0", 0 },
	{ "2147483647", 2147483647 },
	/* what is not a number of the server's, or is too large, is no number */
	{ "2147483648", 0 },
	{ "4294967297", 0 },
	{ "99999999999999999999", 0 },
	{ "-1", 0 },
	{ "7x", 0 },
	{ "", 0 },
};

static void
numbers_of_undelivered_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct bus_msg *msg = message(HEADER_PENDING_MESSAGES, numbers[i].text);
		int undelivered;

		assert_int_equal(jetstream_pull_status(msg, &undelivered), PULL_OVER);
		assert_int_equal(undelivered, numbers[i].want);
		bus_msg_free(msg);
	}
}

static void
status_of_a_direct_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct bus_msg *msg = message("Status", numbers[i].text);
		int64_t stored_us;

		assert_int_equal(jetstream_direct_status(msg, &stored_us), numbers[i].want);
		bus_msg_free(msg);
	}
}

/* $JS.ACK. + stream, consumer, delivered, stream sequence, consumer sequence, ns, pending */
static void
reply_subjects(void **state)
{
	static const struct {
		const char *reply;
		uint64_t seq; /* 0: it is none */
	} rows[] = {
		{ "$JS.ACK.S.c.1.42.7.1700000000123456789.3", 42 },
		{ "$JS.ACK.S.c.1.18446744073709551615.7.1700000000123456789.0", UINT64_MAX },
		{ "$JS.ACK.S.c.1.99999999999999999999999.7.1700000000123456789.0", UINT64_MAX },
		{ "$JS.ACK.hub.ACCOUNT.S.c.1.42.7.1700000000123456789.3", 42 },
		{ "$JS.ACK.hub.ACCOUNT.S.c.1.42.7.1700000000123456789.3.token", 42 },
		{ "$JS.ACK.S.c.1.4x2.7.1700000000123456789.3", 0 },
		{ "$JS.ACK.S.c.1..7.1700000000123456789.3", 0 },
		{ "$JS.ACK.S.c.1.-42.7.1700000000123456789.3", 0 },
		{ "$JS.ACK.S.c.1. 42.7.1700000000123456789.3", 0 },
		{ "$JS.ACK.S.c.1.42.7.1700000000123456789.", 0 },
		{ "$JS.ACK.S.c.1.42.7.1700000000123456789", 0 },
		{ "_INBOX.x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jetstream_meta meta = { .stream_seq = 0 };

		assert_int_equal(jetstream_meta_parse(rows[i].reply, &meta), rows[i].seq != 0);
		assert_true(meta.stream_seq == rows[i].seq);
		if (rows[i].seq != 0)
			assert_true(meta.time_us == INT64_C(1700000000123456) &&
				meta.delivered == 1 && meta.consumer_seq == 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_subjects),
		cmocka_unit_test(numbers_of_undelivered_events),
		cmocka_unit_test(status_of_a_direct_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
