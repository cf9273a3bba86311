// SPDX-License-Identifier: Apache-2.0
/* What the collector's loop does after a turn. */
#include "test.h"

#include "turn.h"

static const struct row {
	const char *name;
	enum source_result result;
	enum err_code code;
	unsigned attempts;
	struct turn_plan want;
} rows[] = {
	{ "events were read", SOURCE_OK, ERR_NONE, 0, { TURN_NO_WAIT } },
	{ "not ready", SOURCE_NOT_READY, ERR_NONE, 0, { TURN_WAIT_SHORT } },
	{ "a reply that is too large", SOURCE_RETRY, ERR_LIMIT, 3, { .wait = TURN_NO_WAIT } },
	{ "no connection", SOURCE_FAILED, ERR_CONNECT, 0,
		{ .source_failed = true, .wait = TURN_WAIT_BACKOFF } },
	{ "a reply of a call that has no smaller one", SOURCE_FAILED, ERR_LIMIT, 0,
		{ .source_failed = true, .wait = TURN_WAIT_BACKOFF } },
	{ "credentials refused", SOURCE_FAILED, ERR_AUTH, 7,
		{ .source_failed = true, .wait = TURN_WAIT_LOGIN } },
	{ "a privilege is missing", SOURCE_FAILED, ERR_FORBIDDEN, 7,
		{ .source_failed = true, .wait = TURN_WAIT_FORBIDDEN } },
	{ "the session is gone", SOURCE_FAILED, ERR_NOT_FOUND, 0,
		{ .source_failed = true, .first_attempt = true } },
	{ "and gone again", SOURCE_FAILED, ERR_NOT_FOUND, 1,
		{ .source_failed = true, .wait = TURN_WAIT_BACKOFF } },
	{ "no ack", STREAM_FAILED, ERR_TIMEOUT, 0,
		{ .stream_failed = true, .load_stream = true, .wait = TURN_WAIT_BACKOFF } },
	{ "another writer", STREAM_FAILED, ERR_CONFLICT, 5, { .load_stream = true } },
	/* what the source would mean by it is not meant */
	{ "NATS refuses", STREAM_FAILED, ERR_AUTH, 0,
		{ .stream_failed = true, .load_stream = true, .wait = TURN_WAIT_BACKOFF } },
	{ "a stop, told by the source", SOURCE_STOPPED, ERR_STOPPED, 0, { TURN_NO_WAIT } },
	{ "a stop in one of its calls", SOURCE_FAILED, ERR_STOPPED, 0, { TURN_NO_WAIT } },
	{ "a stop while an event waits for its place", STREAM_FAILED, ERR_STOPPED, 0,
		{ TURN_NO_WAIT } },
};

static void
what_follows_a_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct turn_plan *want = &rows[i].want;
		struct turn_plan plan = turn_plan(
			rows[i].result, rows[i].code, rows[i].attempts);

		if (plan.wait != want->wait || plan.source_failed != want->source_failed ||
			plan.stream_failed != want->stream_failed ||
			plan.load_stream != want->load_stream ||
			plan.first_attempt != want->first_attempt)
			fail_msg("%s", rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_a_turn),
	};

	return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
