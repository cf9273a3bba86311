// SPDX-License-Identifier: Apache-2.0
/* How many events are held and requested. */
#include "test.h"

#include "window.h"

#define KB ((size_t)1024)
#define MB (1024 * KB)

static void
size(void **state)
{
	static const struct {
		struct window_config config;
		size_t size;
	} rows[] = {
		{ { 1, 1, MB, false }, 2 + 16 },
		{ { 64, 1, MB, false }, 128 + 16 },
		{ { 512, 1, MB, false }, 640 + 16 }, /* the reserve has a limit */
		{ { 32, 10, MB, false }, 640 + 16 },
		{ { 512, 10, MB, true }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(window_size(&rows[i].config), rows[i].size);
}

static void
budget(void **state)
{
	static const struct window_config config = { 64, 1, MB, false }; /* size 144 */
	static const struct {
		const char *what;
		struct window_state state;
		size_t budget;
	} rows[] = {
		{ "nothing is held", { .largest = 2 * KB }, 144 },
		{ "some are held", { .held = 100, .largest = 2 * KB }, 44 },
		{ "the window is full", { .held = 144, .largest = 2 * KB }, 0 },
		{ "more than the window, after a redelivery", { .held = 150, .largest = KB },
			0 },
		{ "stopped", { .stopped = true, .largest = KB }, 0 },
		{ "the buffer is full", { .bytes = MB, .largest = KB }, 0 },
		{ "room for one more large event", { .bytes = MB - KB, .largest = 100 * KB },
			1 },
		{ "large events", { .largest = 100 * KB }, 11 },
		{ "an event larger than the buffer", { .largest = 2 * MB }, 1 },
		{ "paused, without an event for a probe", { .paused = true, .largest = KB },
			1 },
		{ "paused, with one", { .paused = true, .n_untried = 1, .largest = KB }, 0 },
		{ "paused and full", { .paused = true, .held = 144, .largest = KB }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (window_budget(&config, &rows[i].state) != rows[i].budget)
			fail_msg("%s: %zu", rows[i].what,
				window_budget(&config, &rows[i].state));
}

static void
least(void **state)
{
	static const struct window_config config = { 64, 1, MB, false };
	static const struct window_state waiting = { .largest = 100 * KB, .bytes = MB * 3 / 4 };

	(void)state;
	assert_int_equal(
		window_least(&config, &(struct window_state){ .largest = 2 * KB }), 80 / 2);
	/* the buffer holds 10 of them */
	assert_int_equal(
		window_least(&config, &(struct window_state){ .largest = 100 * KB }), 10 / 8);
	/* three quarters of the buffer wait for a retry: others are still requested */
	assert_true(window_least(&config, &waiting) <= window_budget(&config, &waiting));
	assert_int_equal(
		window_least(&config, &(struct window_state){ .largest = KB, .paused = true }),
		0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size),
		cmocka_unit_test(budget),
		cmocka_unit_test(least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
