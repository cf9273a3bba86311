// SPDX-License-Identifier: Apache-2.0
/* How many events left a stream undelivered, by the numbers of stream and consumer. */
#include "test.h"

#include "expire.h"

/* What the server says at one time: first, last, messages; position, pending, deliveries. */
struct row {
	uint64_t first, last, messages, position, pending, deliveries, redeliveries;
};

static struct expire_sample
sample(const struct row *row)
{
	struct stream_info stream = {
		.first_seq = row->first, .last_seq = row->last, .messages = row->messages
	};
	struct consumer_info consumer = { .delivered_stream_seq = row->position,
		.pending = row->pending,
		.delivered_consumer_seq = row->deliveries };

	return expire_sample_of(&stream, &consumer, row->redeliveries);
}

static const struct {
	const char *what;
	struct row was, now;
	uint64_t left;
} rows[] = {
	{ "nothing happened", { 1, 100, 100, 10, 90, 10 }, { 1, 100, 100, 10, 90, 10 }, 0 },
	{ "all were delivered", { 1, 100, 100, 10, 90, 10 }, { 1, 100, 100, 100, 0, 100 }, 0 },
	/* 11..50 left, undelivered */
	{ "the consumer was not read", { 1, 100, 100, 10, 90, 10 },
		{ 51, 150, 100, 10, 100, 10 }, 40 },
	{ "its position has moved since", { 1, 100, 100, 10, 90, 10 },
		{ 51, 150, 100, 50, 100, 10 }, 40 },
	/* 11..20 were delivered, 21..50 left, 51..60 were delivered */
	{ "some before and some after", { 1, 100, 100, 10, 90, 10 },
		{ 51, 150, 100, 60, 90, 30 }, 30 },
	{ "only delivered ones left", { 1, 100, 100, 60, 40, 60 }, { 51, 150, 100, 60, 90, 60 },
		0 },
	/* 5 of the 10 deliveries repeat events before 10 */
	{ "redeliveries do not count", { 1, 100, 100, 10, 90, 10, 0 },
		{ 51, 150, 100, 55, 95, 20, 5 }, 40 },
	/* an operator removed 11, 12 and 13 */
	{ "holes", { 1, 100, 100, 10, 90, 10 }, { 1, 100, 97, 20, 80, 17 }, 3 },
	/* the server lost the count of 30 deliveries; nothing has left */
	{ "deliveries forgotten by a killed server", { 1, 100, 100, 10, 90, 10 },
		{ 1, 100, 100, 50, 50, 20 }, 0 },
	{ "a new consumer", { 1, 100, 100, 50, 50, 50 }, { 1, 100, 100, 10, 90, 10 }, 0 },
	{ "everything left", { 1, 100, 100, 10, 90, 10 }, { 101, 100, 0, 10, 0, 10 }, 90 },
	{ "an empty stream that never had any", { 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 }, 0 },
};

static void
sums(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct expire_sample was = sample(&rows[i].was), now = sample(&rows[i].now);
		uint64_t left = expire_between(&was, &now, now.position - was.position);

		if (left != rows[i].left)
			fail_msg("%s: %llu, not %llu", rows[i].what, (unsigned long long)left,
				(unsigned long long)rows[i].left);
	}
}

/* With a filter: 40 of the sequences that were passed are for this consumer, 25 delivered. */
static void
passed_with_a_filter(void **state)
{
	struct expire_sample was = sample(&(struct row){ 1, 200, 200, 20, 60, 20 }),
			     now = sample(&(struct row){ 151, 300, 150, 150, 50, 45 });

	(void)state;
	assert_int_equal(expire_between(&was, &now, 40), 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(passed_with_a_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
