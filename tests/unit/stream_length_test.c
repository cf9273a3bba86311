// SPDX-License-Identifier: Apache-2.0
/* Whether a stream has lost its end. */
#include "test.h"

#include <stdio.h>

#include "stream_length.h"

enum { KNOWN = 100 };

static const struct row {
	const char *name;
	uint64_t last_seq;
	int64_t created_us;
	const char *leader; /* "" without a cluster */
	enum stream_length_state want;
} rows[] = {
	{ "the same", KNOWN, 5, "a", STREAM_LENGTH_OK },
	{ "longer: others wrote to it", KNOWN + 1, 5, "a", STREAM_LENGTH_OK },
	{ "shorter: a new leader may be behind", KNOWN - 1, 5, "a", STREAM_LENGTH_UNSTEADY },
	{ "shorter: one server knows all that it stores", KNOWN - 1, 5, "",
		STREAM_LENGTH_LOST },
	{ "recreated", 0, 6, "a", STREAM_LENGTH_LOST },
	{ "recreated, and longer already", KNOWN + 1, 6, "a", STREAM_LENGTH_LOST },
};

static void
length_of_a_known_stream(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct stream_info before = { .last_seq = KNOWN, .created_us = 5 };
		struct stream_info now = { .last_seq = rows[i].last_seq,
			.created_us = rows[i].created_us };
		struct stream_length l = { .known = false };
		struct err err = { .code = ERR_NONE };
		enum stream_length_state got;

		snprintf(now.leader, sizeof(now.leader), "%s", rows[i].leader);
		stream_length_set(&l, &before);
		got = stream_length_check(&l, KNOWN, &now, 0, &err);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].name, (int)got);
		assert_int_equal(
			err.code, got == STREAM_LENGTH_UNSTEADY ? ERR_TIMEOUT : ERR_NONE);
	}
}

static void
a_stream_that_was_never_loaded(void **state)
{
	const struct stream_info now = { .last_seq = 3, .created_us = 7 };
	struct stream_length l = { .known = false };
	struct err err;

	(void)state;
	assert_int_equal(stream_length_check(&l, KNOWN, &now, 0, &err), STREAM_LENGTH_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_of_a_known_stream),
		cmocka_unit_test(a_stream_that_was_never_loaded),
	};

	return cmocka_run_group_tests_name("stream_length", tests, NULL, NULL);
}
