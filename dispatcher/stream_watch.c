// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "stream_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "search.h"
#include "stream_check.h"

enum { CHECK_MS = 5 * 1000 }; /* checkpoint.c counts on it */

struct stream_watch {
	struct stream_check_config config;
	stream_watch_wake_fn *wake;
	void *ctx;

	struct search *search;        /* loop and watch thread */
	_Atomic uint64_t redelivered; /* to this process; the loop counts */
	atomic_int requested;         /* messages that pulls wait for; the loop's */
	atomic_bool recreated;        /* set by the watch thread, taken by the loop */

	pthread_mutex_t lock; /* for the published state */
	struct stream_state state;
	bool check_requested;
	uint64_t checked_reconnects; /* of the bus when the last check began */
	stream_watch_end_fn *end;    /* NULL: it is read */
	void *end_ctx;
	bool ended;

	/* the watch thread's */
	struct stream_check *check;
	struct steady leader; /* since when the stream has had its leader */
	int64_t checked_ms;
};

/* On the watch thread. */
static void
on_recreated(void *watch)
{
	struct stream_watch *w = watch;

	search_forget(w->search);
	atomic_store(&w->recreated, true);
}

struct stream_watch *
stream_watch_open(
	const struct stream_check_config *config, stream_watch_wake_fn *wake, void *ctx)
{
	struct stream_watch *w = mem_alloc(sizeof(*w));

	w->config = *config;
	w->wake = wake;
	w->ctx = ctx;
	w->checked_ms = INT64_MIN / 2;
	w->search = search_open(config->bus, config->stream->name);
	w->check = stream_check_open(config, on_recreated, w);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void
stream_watch_close(struct stream_watch *w)
{
	if (w == NULL)
		return;
	search_close(w->search);
	stream_check_close(w->check);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the loop's */

void
stream_watch_state(struct stream_watch *w, struct stream_state *state)
{
	pthread_mutex_lock(&w->lock);
	*state = w->state;
	state->ready &= w->checked_reconnects == bus_reconnects(w->config.bus);
	pthread_mutex_unlock(&w->lock);
}

void
stream_watch_request_check(struct stream_watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->check_requested = true;
	w->state.ready = false;
	pthread_mutex_unlock(&w->lock);
	w->wake(w->ctx);
}

bool
stream_watch_was_recreated(struct stream_watch *w)
{
	return atomic_load(&w->recreated) && atomic_exchange(&w->recreated, false);
}

bool
stream_watch_is_gone(struct stream_watch *w, uint64_t seq)
{
	enum search_answer answer = search_is_gone(w->search, seq);

	if (answer == SEARCH_REQUESTED)
		w->wake(w->ctx);
	return answer == SEARCH_GONE;
}

void
stream_watch_set_requested(struct stream_watch *w, int messages)
{
	atomic_store(&w->requested, messages);
}

void
stream_watch_count_redelivery(struct stream_watch *w)
{
	atomic_fetch_add(&w->redelivered, 1);
}

void
stream_watch_end(struct stream_watch *w, stream_watch_end_fn *fn, void *ctx)
{
	pthread_mutex_lock(&w->lock);
	w->end = fn;
	w->end_ctx = ctx;
	w->state.ready = false;
	pthread_mutex_unlock(&w->lock);
	w->wake(w->ctx);
}

bool
stream_watch_ended(struct stream_watch *w)
{
	bool ended;

	pthread_mutex_lock(&w->lock);
	ended = w->ended;
	pthread_mutex_unlock(&w->lock);
	return ended;
}

/* ---- the watch thread's */

bool
stream_watch_turn_end(struct stream_watch *w)
{
	stream_watch_end_fn *end;

	pthread_mutex_lock(&w->lock);
	end = w->end;
	pthread_mutex_unlock(&w->lock);
	if (end == NULL)
		return false;
	end(w->end_ctx);
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_mutex_unlock(&w->lock);
	return true;
}

/* Not ready when the loop has requested another check meanwhile; info is as new as it gets. */
static void
publish(struct stream_watch *w, bool fits, const struct consumer_info *info,
	uint64_t reconnects)
{
	bool ready;

	pthread_mutex_lock(&w->lock);
	ready = fits && !w->check_requested;
	w->checked_reconnects = reconnects;
	w->state.generation += ready && !w->state.ready;
	w->state.ready = ready;
	if (fits) {
		w->state.pending = info->pending;
		w->state.ack_pending = info->ack_pending;
	}
	pthread_mutex_unlock(&w->lock);
}

bool
stream_watch_turn(struct stream_watch *w)
{
	uint64_t reconnects = bus_reconnects(w->config.bus);
	struct stream_check_input input;
	struct consumer_info info;
	bool due;

	search_turn(w->search, &w->leader);
	pthread_mutex_lock(&w->lock);
	due = w->check_requested || !w->state.ready ||
		clock_monotonic_ms() - w->checked_ms >= CHECK_MS;
	w->check_requested = false;
	pthread_mutex_unlock(&w->lock);
	if (!due)
		return false;
	w->checked_ms = clock_monotonic_ms();
	input = (struct stream_check_input){ .redelivered = atomic_load(&w->redelivered),
		.requested = atomic_load(&w->requested),
		.leader = &w->leader };
	publish(w, stream_check_run(w->check, &input, &info), &info, reconnects);
	return true;
}

void
stream_watch_report(struct stream_watch *w, struct stream_report *report)
{
	*report = (struct stream_report){ .replay = w->config.replay,
		.consumer_ahead = stream_check_consumer_ahead(w->check),
		.trouble = stream_check_trouble(w->check) };
	pthread_mutex_lock(&w->lock);
	report->ready = w->state.ready;
	report->pending = w->state.pending;
	report->ack_pending = w->state.ack_pending;
	pthread_mutex_unlock(&w->lock);
	report->oldest_us = report->ready ? stream_check_oldest_us(w->check) : 0;
}
