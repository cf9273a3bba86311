// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "watcher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stream_metrics.h"

enum { TURN_MS = 1000, MEASURE_MS = 10000 };

struct watcher {
	struct watcher_config config;

	/* the thread's, once it runs */
	int64_t measure_ms; /* when the dead letters' stream is measured next */
	struct stream_watch **stream;
	size_t n;
	bool bus_lost; /* reported */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* for the rest */
	pthread_cond_t wake;
	bool woken, end;
	struct stream_watch **added; /* until the thread's next turn */
	size_t n_added;
};

struct watcher *
watcher_open(const struct watcher_config *config)
{
	struct watcher *w = mem_alloc(sizeof(*w));

	w->config = *config;
	pthread_mutex_init(&w->lock, NULL);
	clock_cond_init(&w->wake);
	return w;
}

/* A stream_watch_wake_fn; any thread. */
static void
wake(void *watcher)
{
	struct watcher *w = watcher;

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

struct stream_watch *
watcher_add(struct watcher *w, const struct stream_check_config *config)
{
	struct stream_watch *watch = stream_watch_open(config, wake, w);

	pthread_mutex_lock(&w->lock);
	w->added = mem_grow(w->added, w->n_added + 1, sizeof(struct stream_watch *));
	w->added[w->n_added++] = watch;
	w->woken = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return watch;
}

/* ---- the thread */

/* Logs once when the connection is lost, and once when it is back. */
static bool
check_bus(struct watcher *w)
{
	struct err err = { .code = ERR_NONE };
	bool connected = bus_connected(w->config.bus);

	bus_metrics_update(&w->config.metrics->nats, w->config.bus);
	if (connected) {
		status_check("nats", true, "");
		if (w->bus_lost)
			log_info("NATS: connected again");
		w->bus_lost = false;
		return true;
	}
	bus_last_error(w->config.bus, &err);
	status_check("nats", false, err.code != ERR_NONE ? err.text : "connecting");
	if (err.code != ERR_NONE && !w->bus_lost) {
		log_error("NATS: not connected, trying again", L_ERR(&err));
		w->bus_lost = true;
	}
	return false;
}

static void
ensure_dead_stream(struct watcher *w)
{
	const struct stream_config *config = w->config.dead_stream;
	struct stream_info info;
	struct err err;

	if (!dead_letters_want_stream(w->config.dead_letters))
		return;
	if (jetstream_stream_ensure(w->config.bus, config, &info, &err) == 0)
		dead_letters_stream_ready(w->config.dead_letters);
	else if (err.code != ERR_TIMEOUT && err.code != ERR_CONNECT)
		log_warn("no stream for dead letters", L_STR("stream", config->name),
			L_ERR(&err));
}

/* How full the dead letters' stream is: when it is full, deliveries pause. */
static void
measure_dead_stream(struct watcher *w)
{
	const char *name = w->config.dead_stream->name;
	int64_t now_ms = clock_monotonic_ms();
	struct stream_info info;
	struct err err;

	if (now_ms < w->measure_ms)
		return;
	w->measure_ms = now_ms + MEASURE_MS;
	if (jetstream_stream_look(w->config.bus, name, &info, &err) == 0)
		stream_metrics_set(name, &info);
}

/* The sums over all streams. The replay stream is no condition of readiness. */
static void
report(struct watcher *w)
{
	struct dispatcher_metrics *metrics = w->config.metrics;
	uint64_t pending = 0, ack_pending = 0;
	int64_t now_us = clock_wall_us(), oldest_us = now_us;
	const char *trouble = discovery_trouble(w->config.discovery);
	bool ready = trouble[0] == '\0', ahead = false;

	for (size_t i = 0; i < w->n; i++) {
		struct stream_report one;

		stream_watch_report(w->stream[i], &one);
		pending += one.pending;
		ack_pending += one.ack_pending;
		ahead |= one.consumer_ahead;
		if (one.oldest_us != 0 && one.oldest_us < oldest_us)
			oldest_us = one.oldest_us;
		if (one.ready || one.replay)
			continue;
		ready = false;
		trouble = one.trouble[0] != '\0' ? one.trouble
						 : "looking for stream and consumer";
	}
	metric_set(metrics->pending, (double)pending);
	metric_set(metrics->ack_pending, (double)ack_pending);
	metric_set(metrics->oldest_age, (double)(now_us - oldest_us) / 1e6);
	metric_set(metrics->consumer_ahead, ahead);
	status_check("consumer", ready, trouble);
}

/* Takes what was added, and lets go of what has ended. True: something has. */
static bool
follow(struct watcher *w)
{
	size_t kept = 0, had;

	pthread_mutex_lock(&w->lock);
	w->stream = mem_grow(w->stream, w->n + w->n_added + 1, sizeof(struct stream_watch *));
	for (size_t i = 0; i < w->n_added; i++)
		w->stream[w->n++] = w->added[i];
	w->n_added = 0;
	pthread_mutex_unlock(&w->lock);
	had = w->n;
	for (size_t i = 0; i < had; i++)
		if (!stream_watch_turn_end(w->stream[i]))
			w->stream[kept++] = w->stream[i];
	w->n = kept;
	return kept < had;
}

/* False: there is no connection; it has waited for one. */
static bool
turn(struct watcher *w)
{
	struct err err;
	bool checked;

	if (!check_bus(w)) {
		bus_wait_connected(w->config.bus, TURN_MS, &err);
		return false;
	}
	/* first, because deliveries wait for it */
	saved_list_turn(w->config.saved_list, clock_monotonic_ms());
	ensure_dead_stream(w);
	discovery_turn(w->config.discovery, clock_monotonic_ms());
	checked = follow(w);
	for (size_t i = 0; i < w->n; i++)
		checked |= stream_watch_turn(w->stream[i]);
	if (checked)
		report(w);
	measure_dead_stream(w);
	http_wakeup(w->config.http);
	return true;
}

static void *
run(void *arg)
{
	struct watcher *w = arg;
	bool connected, end;

	do {
		connected = turn(w);
		pthread_mutex_lock(&w->lock);
		if (connected && !w->end && !w->woken)
			clock_cond_wait(&w->wake, &w->lock, TURN_MS);
		w->woken = false;
		end = w->end;
		pthread_mutex_unlock(&w->lock);
	} while (!end);
	return NULL;
}

int
watcher_start(struct watcher *w, struct err *err)
{
	status_check("nats", false, "connecting"); /* first: the other depends on it */
	status_check("consumer", false, "looking for stream and consumer");
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	w->started = true;
	return 0;
}

void
watcher_stop(struct watcher *w)
{
	if (w == NULL || !w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->end = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void
watcher_close(struct watcher *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		stream_watch_close(w->stream[i]);
	for (size_t i = 0; i < w->n_added; i++)
		stream_watch_close(w->added[i]);
	free(w->stream);
	free(w->added);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
