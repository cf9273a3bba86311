// SPDX-License-Identifier: Apache-2.0
/*
 * Whether the position of a consumer is one in its stream. Each row is a state of stream,
 * consumer and bucket after something happened to NATS.
 */
#include "test.h"

#include "checkpoint.h"

#define S INT64_C(1000000) /* a second; times count from when the dispatcher started */

static const struct {
	const char *what;
	struct checkpoint_facts facts;
	enum checkpoint_verdict verdict;
} rows[] = {
	{ "a first start: no checkpoint, nothing delivered",
		{ .stream_last = 50, .bucket_read = true }, CHECKPOINT_VALID },
	{ "a first start on a consumer that was read by something else",
		{ .stream_last = 50, .delivered = 20, .bucket_read = true }, CHECKPOINT_VALID },
	{ "the same event at the checkpoint",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30 },
		CHECKPOINT_VALID },
	{ "its event has left the stream",
		{ .checkpoint = { 20, 100 * S }, .stream_last = 50, .delivered = 30 },
		CHECKPOINT_VALID },
	{ "its event had left the stream when it was written",
		{ .checkpoint = { 20, 0 },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30 },
		CHECKPOINT_VALID },

	{ "the stream ends before the consumer's position",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 25,
			.delivered = 30 },
		CHECKPOINT_INVALID },
	{ "the stream ends before the checkpoint",
		{ .checkpoint = { 20, 100 * S }, .stream_last = 15, .delivered = 15 },
		CHECKPOINT_INVALID },
	{ "cut, and grown again beyond both",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 300 * S,
			.stream_last = 50,
			.delivered = 30 },
		CHECKPOINT_INVALID },
	{ "the same, and another dispatcher was first",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 300 * S,
			.stream_last = 50,
			.delivered = 30,
			.consumer_is_other = true },
		CHECKPOINT_REPLACED },
	{ "recreated by another, but it is ahead again",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 300 * S,
			.stream_last = 25,
			.delivered = 30,
			.consumer_is_other = true },
		CHECKPOINT_INVALID },
	{ "another consumer on the same stream is no reason",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30,
			.consumer_is_other = true },
		CHECKPOINT_VALID },

	/* cut after the checkpoint's event: what is at the consumer's position came later */
	{ "delivered after the last checkpoint was written: within one interval",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30,
			.bucket_read = true,
			.written_us = 150 * S,
			.delivered_us = 158 * S },
		CHECKPOINT_VALID },
	{ "stored long after the last checkpoint, and counted as delivered",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30,
			.bucket_read = true,
			.written_us = 150 * S,
			.delivered_us = 300 * S },
		CHECKPOINT_INVALID },
	{ "the same, when the bucket was not read again",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30,
			.delivered_us = 300 * S },
		CHECKPOINT_VALID },
	{ "the bucket has lost the checkpoint that this process stored",
		{ .checkpoint = { 20, 100 * S },
			.found_us = 100 * S,
			.stream_last = 50,
			.delivered = 30,
			.bucket_read = true,
			.was_stored = true },
		CHECKPOINT_INVALID },
};

static void
decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum checkpoint_verdict verdict = checkpoint_decide(&rows[i].facts);

		if (verdict != rows[i].verdict)
			fail_msg("%s: %d, not %d", rows[i].what, (int)verdict,
				(int)rows[i].verdict);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
