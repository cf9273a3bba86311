// SPDX-License-Identifier: Apache-2.0
/*
 * What the loop and the watch thread tell each other about a stream. The check itself is
 * replaced: what stream_check.h declares is defined here.
 */
#include "test.h"

#include <string.h>

#include "bus.h"
#include "mem.h"
#include "stop.h"
#include "stream_watch.h"

/* The next check: what it finds, and whether the loop asks for another one meanwhile. */
static struct {
	bool fits, asked_meanwhile;
	struct consumer_info info;
	struct stream_watch *watch;
	size_t n;
} check;

struct stream_check *
stream_check_open(const struct stream_check_config *config,
	stream_check_recreated_fn *on_recreated, void *ctx)
{
	(void)config;
	(void)on_recreated;
	(void)ctx;
	return NULL;
}

void
stream_check_close(struct stream_check *none)
{
	(void)none;
}

bool
stream_check_run(struct stream_check *none, const struct stream_check_input *input,
	struct consumer_info *info)
{
	(void)none;
	(void)input;
	check.n++;
	if (check.asked_meanwhile)
		stream_watch_request_check(check.watch);
	*info = check.info;
	return check.fits;
}

int64_t
stream_check_oldest_us(const struct stream_check *none)
{
	(void)none;
	return 0;
}

bool
stream_check_consumer_ahead(const struct stream_check *none)
{
	(void)none;
	return false;
}

const char *
stream_check_trouble(const struct stream_check *none)
{
	(void)none;
	return "";
}

static size_t woken;

static void
wake(void *ctx)
{
	(void)ctx;
	woken++;
}

static struct bus *
open_watch(void)
{
	static const struct stream_config stream = { .name = "VC_lab" };
	/* no server listens there; the bus reads this list until it is closed */
	static char *urls[] = { "nats://127.0.0.1:1", NULL };
	static const struct bus_options options = {
		.urls = urls, .name = "test", .inbox_prefix = "_INBOX_test"
	};
	struct stream_check_config config = { .stream = &stream };
	struct err err;

	assert_int_equal(bus_open(&config.bus, &options, &err), 0);
	memset(&check, 0, sizeof(check));
	check.fits = true;
	check.watch = stream_watch_open(&config, wake, NULL);
	return config.bus;
}

static void
close_watch(struct bus *bus)
{
	stream_watch_close(check.watch);
	bus_close(bus);
}

/* What made the loop ask may have happened after the check looked: it is looked at again. */
static void
a_check_that_is_requested_during_a_check(void **state)
{
	struct bus *bus = open_watch();
	struct stream_state seen;

	(void)state;
	woken = 0;
	check.asked_meanwhile = true;
	check.info.pending = 7;
	check.info.ack_pending = 3;
	assert_true(stream_watch_turn(check.watch));
	stream_watch_state(check.watch, &seen);
	assert_false(seen.ready);
	assert_int_equal(seen.generation, 0);
	assert_int_equal(woken, 1);
	/* what was found is news all the same */
	assert_int_equal(seen.pending, 7);
	assert_int_equal(seen.ack_pending, 3);

	check.asked_meanwhile = false;
	assert_true(stream_watch_turn(check.watch));
	assert_int_equal(check.n, 2);
	stream_watch_state(check.watch, &seen);
	assert_true(seen.ready);
	assert_int_equal(seen.generation, 1);
	close_watch(bus);
}

/* Without a request the next check is due later; with one it is due at once. */
static void
a_check_that_is_requested_between_checks(void **state)
{
	struct bus *bus = open_watch();
	struct stream_state seen;

	(void)state;
	assert_true(stream_watch_turn(check.watch));
	assert_false(stream_watch_turn(check.watch));
	stream_watch_request_check(check.watch);
	stream_watch_state(check.watch, &seen);
	assert_false(seen.ready);
	assert_true(stream_watch_turn(check.watch));
	stream_watch_state(check.watch, &seen);
	assert_true(seen.ready);
	assert_int_equal(seen.generation, 2); /* pulls from before are void */
	close_watch(bus);
}

/* A check without a result changes no number. */
static void
a_check_that_fails(void **state)
{
	struct bus *bus = open_watch();
	struct stream_state seen;

	(void)state;
	check.info.pending = 7;
	assert_true(stream_watch_turn(check.watch));
	check.fits = false;
	check.info.pending = 0;
	stream_watch_request_check(check.watch);
	assert_true(stream_watch_turn(check.watch));
	stream_watch_state(check.watch, &seen);
	assert_false(seen.ready);
	assert_int_equal(seen.pending, 7);
	assert_true(stream_watch_turn(check.watch)); /* until it succeeds */
	close_watch(bus);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_is_requested_during_a_check),
		cmocka_unit_test(a_check_that_is_requested_between_checks),
		cmocka_unit_test(a_check_that_fails),
	};

	stop_init();
	return cmocka_run_group_tests_name("stream_watch", tests, NULL, NULL);
}
