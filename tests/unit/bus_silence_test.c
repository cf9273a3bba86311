// SPDX-License-Identifier: Apache-2.0
/* When the bus gives up a connection on which nothing is answered. */
#include "test.h"

#include "bus_silence.h"

/* Adds one at each time, in seconds, up to the one that asks for a new connection. */
static int
asked_at(struct bus_silence *s, int from, int step)
{
	for (int at = from; at < from + 2000; at += step)
		if (bus_silence_add(s, (int64_t)at * 1000))
			return at;
	return -1;
}

static void
neither_few_nor_a_short_time(void **state)
{
	struct bus_silence s = { 0 };

	(void)state;
	assert_int_equal(asked_at(&s, 100, 5), 110); /* the third, and 10 s */
	s = (struct bus_silence){ 0 };
	assert_int_equal(asked_at(&s, 100, 1), 110);
	s = (struct bus_silence){ 0 };
	assert_int_equal(asked_at(&s, 100, 60), 220); /* three, however long they take */
}

static void
an_answer_or_a_new_connection_begins_again(void **state)
{
	struct bus_silence s = { 0 };

	(void)state;
	assert_false(bus_silence_add(&s, 0));
	assert_false(bus_silence_add(&s, 9000));
	bus_silence_end(&s);
	assert_false(bus_silence_add(&s, 11000));
	assert_false(bus_silence_add(&s, 20000));
	bus_silence_connect(&s);
	assert_int_equal(asked_at(&s, 30, 5), 40);
}

static void
the_time_doubles_until_there_is_an_answer(void **state)
{
	static const int waits[] = { 10, 20, 40, 80, 160, 300, 300, 300 };
	struct bus_silence s = { 0 };
	int at = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		assert_int_equal(asked_at(&s, at, 5), at + waits[i]);
		bus_silence_connect(&s);
		at += waits[i] + 5;
	}
	bus_silence_end(&s);
	assert_int_equal(asked_at(&s, at, 5), at + 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neither_few_nor_a_short_time),
		cmocka_unit_test(an_answer_or_a_new_connection_begins_again),
		cmocka_unit_test(the_time_doubles_until_there_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
