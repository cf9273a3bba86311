// SPDX-License-Identifier: Apache-2.0
/*
 * The sums over several streams. The watches of the streams and the dead letters are replaced:
 * what stream_watch.h and dead_letters.h declare for the watcher is defined here.
 */
#define _DEFAULT_SOURCE
#include "test.h"

#include <stdatomic.h>
#include <unistd.h>

#include "nats.h"
#include "stop.h"
#include "watcher.h"

enum { STREAMS = 3 };

struct stream_watch {
	struct stream_report report;
};

static struct stream_watch watches[STREAMS];
static size_t n_open;
static atomic_uint turns; /* of the last stream */
static stream_watch_wake_fn *wake_watcher;
static void *wake_ctx;

struct stream_watch *
stream_watch_open(
	const struct stream_check_config *config, stream_watch_wake_fn *wake, void *ctx)
{
	(void)config;
	wake_watcher = wake;
	wake_ctx = ctx;
	return &watches[n_open++];
}

void
stream_watch_close(struct stream_watch *watch)
{
	(void)watch;
}

bool
stream_watch_turn_end(struct stream_watch *watch)
{
	(void)watch;
	return false;
}

bool
stream_watch_turn(struct stream_watch *watch)
{
	atomic_fetch_add(&turns, watch == &watches[STREAMS - 1]);
	wake_watcher(wake_ctx); /* the next turn begins at once */
	return true;
}

void
stream_watch_report(struct stream_watch *watch, struct stream_report *report)
{
	*report = watch->report;
}

bool
dead_letters_want_stream(const struct dead_letters *letters)
{
	(void)letters;
	return false;
}

void
dead_letters_stream_ready(struct dead_letters *letters)
{
	(void)letters;
}

/* Runs the watcher for two turns. */
static void
run(struct bus *bus, struct dispatcher_metrics *metrics)
{
	static const struct stream_config dead = { .name = "VCDEAD" };
	struct watcher_config config = { .bus = bus, .dead_stream = &dead, .metrics = metrics };
	struct stream_check_config stream = { .bus = bus };
	struct watcher *watcher;
	struct err err;

	assert_int_equal(http_open(&config.http, &err), 0);
	watcher = watcher_open(&config);
	n_open = 0;
	atomic_store(&turns, 0);
	for (size_t i = 0; i < STREAMS; i++)
		watcher_add(watcher, &stream);
	assert_int_equal(watcher_start(watcher, &err), 0);
	/* the report of a turn is complete when the next turn has begun */
	for (int tries = 0; tries < 6000 && atomic_load(&turns) < 2; tries++)
		usleep(10 * 1000);
	assert_in_range(atomic_load(&turns), 2, UINT32_MAX);
	watcher_stop(watcher);
	watcher_close(watcher);
	http_close(config.http);
}

static void
one_stream_does_not_hide_another(void **state)
{
	struct bus_options options = { .name = "test", .inbox_prefix = "_INBOX_test" };
	struct dispatcher_metrics metrics;
	struct nats_server server;
	struct bus *bus;
	struct err err;

	(void)state;
	nats_server_start(&server, NULL);
	options.urls = server.urls;
	assert_int_equal(bus_open(&bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(bus, 30 * 1000, &err), 0);
	dispatcher_metrics_init(&metrics, "test");
	/* whichever of the streams has it: the last one, too, is asked in each turn */
	for (size_t ahead = 0; ahead <= STREAMS; ahead++) {
		for (size_t i = 0; i < STREAMS; i++)
			watches[i].report = (struct stream_report){ .ready = true,
				.consumer_ahead = i == ahead,
				.pending = 10 * i,
				.ack_pending = i,
				.trouble = "" };
		run(bus, &metrics);
		assert_int_equal((int)metric_value(metrics.consumer_ahead), ahead < STREAMS);
		assert_int_equal((int)metric_value(metrics.pending), 30);
		assert_int_equal((int)metric_value(metrics.ack_pending), 3);
	}
	bus_close(bus);
	nats_server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		one_stream_does_not_hide_another) };

	stop_init();
	return cmocka_run_group_tests_name("watcher", tests, NULL, NULL);
}
