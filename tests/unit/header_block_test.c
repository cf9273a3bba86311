// SPDX-License-Identifier: Apache-2.0
/* lib/bus/header_block.h: expected values from ADR-4 of NATS. */
#include "test.h"

#include <string.h>

#include "buf.h"
#include "header_block.h"
#include "jetstream.h"

static void
blocks(void **state)
{
	static const struct {
		const char *block, *want;
	} rows[] = {
		{ "", "" },
		{ "NATS/1.0\r\n\r\n", "" },
		{ "NATS/1.0 503 No Responders\r\n\r\n", "" },
		{ "NATS/1.0\r\nA: 1\r\nB:2\r\n\r\n", "A=1|B=2|" },
		{ "NATS/1.0\r\nA:\r\nce-id: 1\r\n\r\n", "A=|ce-id=1|" },
		{ "NATS/1.0\r\nA: \t \r\nB:\r\nC: c\r\n\r\n", "A=|B=|C=c|" },
		{ "NATS/1.0\r\nce-id: 1\r\nA:\r\n\r\n", "ce-id=1|A=|" },
		{ "NATS/1.0\r\nA:  b: c  \r\n\r\n", "A=b: c|" },
		{ "NATS/1.0\r\nno colon\r\n: no name\r\n folded: x\r\nB: 2\r\n\r\n", "B=2|" },
		{ "NATS/1.0\r\nA: 1", "A=1|" },
		{ "NATS/1.0\r\nA: a\nb\r\n\r\n", "A=a\nb|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *p = rows[i].block;
		struct header_line line;
		struct buf got;

		buf_init(&got, 1000);
		while (header_block_next(&p, &line)) {
			buf_add(&got, line.name, line.name_len);
			buf_add_char(&got, '=');
			buf_add(&got, line.value, line.value_len);
			buf_add_char(&got, '|');
		}
		assert_string_equal(buf_str(&got), rows[i].want);
		buf_free(&got);
	}
}

static void
one_header(void **state)
{
	static const char block[] =
		"NATS/1.0\r\nEmpty:\r\nVcourier-Target: fn\r\nvcourier-status: 500 \r\n\r\n";
	char value[8];

	(void)state;
	assert_true(jetstream_msg_header(block, "Vcourier-Target", value, sizeof(value)));
	assert_string_equal(value, "fn");
	assert_true(jetstream_msg_header(block, "Vcourier-Status", value, sizeof(value)));
	assert_string_equal(value, "500");
	assert_true(jetstream_msg_header(block, "empty", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(jetstream_msg_header(block, "Vcourier", value, sizeof(value)));
	assert_false(jetstream_msg_header("", "Vcourier-Target", value, sizeof(value)));
	/* no room */
	assert_false(jetstream_msg_header(
		"NATS/1.0\r\nA: 12345678\r\n\r\n", "A", value, sizeof(value)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(blocks),
		cmocka_unit_test(one_header) };

	return cmocka_run_group_tests_name("header_block", tests, NULL, NULL);
}
