// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "protocol.h"
#include "puller.h"
#include "stream_metrics.h"

/* Replays get this part of the budget beside what the other streams get. */
enum { REPLAY_SHARE = 8 };

struct read_stream {
	struct origin origin;
	struct sources *all;
	struct event_stream *events; /* NULL: the replay stream */
	char filter[256];
	struct stream_watch *watch; /* the watcher's; NULL: no subject passes the filter */
	struct puller *puller;
	bool ending;
	bool unsubscribed; /* set by the watch thread before stream_watch_ended */
};

struct sources {
	struct sources_config config;
	struct event_streams wanted;
	struct read_stream **source;
	size_t n;
	size_t next;       /* whose turn it is to pull first */
	size_t next_index; /* of an origin */
	bool changing;     /* a stream is to be opened, or has not ended yet */
	/* ended while NATS did not answer: kept until the bus is closed */
	struct read_stream **kept;
	size_t n_kept;
	struct event_streams kept_streams;
};

static void
report_recreated(struct read_stream *s)
{
	if (s->watch != NULL && stream_watch_was_recreated(s->watch))
		s->all->config.on_recreated(s->all->config.ctx, &s->origin);
}

/* A puller_message_fn. */
static void
on_message(void *source, struct bus_msg *msg, const struct jetstream_meta *meta, int64_t now_ms)
{
	struct read_stream *s = source;

	report_recreated(s);
	s->all->config.on_message(s->all->config.ctx, &s->origin, msg, meta, now_ms);
}

/* False: no subject of the stream passes the filter. */
static bool
set_filter(struct read_stream *s)
{
	const char *filter;

	if (s->origin.replay) {
		snprintf(s->filter, sizeof(s->filter), REPLAY_PREFIX ".%s.>",
			s->all->config.durable);
		return true;
	}
	filter = s->events->filter->subject;
	return filter == NULL ||
		filter_narrow(
			filter, s->events->config.subjects[0], s->filter, sizeof(s->filter));
}

/* ---- one stream comes and goes */

static int
subscribe(struct read_stream *s, const struct stream_config *stream, struct err *err)
{
	const struct sources_config *config = &s->all->config;
	struct stream_check_config watch = { .bus = config->bus,
		.durable = config->durable,
		.stream = stream,
		.filter = s->filter,
		.start_from = s->events != NULL ? s->events->start_from : "earliest",
		.replay = s->origin.replay,
		.discovered = s->events != NULL && s->events->discovered,
		.options = config->options,
		.expired = config->expired };
	struct puller_config puller = { .bus = config->bus,
		.inbox = config->inbox,
		.stream = stream->name,
		.durable = config->durable,
		.index = s->origin.index,
		.max_deliveries = (uint64_t)config->options->retry.max_deliveries,
		.redelivered = config->redelivered,
		.on_message = on_message,
		.ctx = s };

	s->watch = puller.watch = watcher_add(config->watcher, &watch);
	return puller_open(&s->puller, &puller, err);
}

/* events: NULL for the replay stream. */
static int
open_source(struct sources *all, struct event_stream *events, struct err *err)
{
	const struct stream_config *stream = events != NULL ? &events->config
							    : all->config.replay_stream;
	struct read_stream *s = mem_alloc(sizeof(*s));

	all->source = mem_grow(all->source, all->n + 1, sizeof(struct read_stream *));
	all->source[all->n++] = s;
	s->all = all;
	s->events = events;
	s->origin = (struct origin){ .index = all->next_index++,
		.source = s,
		.stream = stream->name,
		.replay = events == NULL };
	if (events != NULL)
		event_streams_add(all->config.streams, events);
	if (set_filter(s))
		return subscribe(s, stream, err);
	log_info("no event of this stream passes the filter", L_STR("stream", stream->name));
	return 0;
}

/* A stream_watch_end_fn. */
static void
unsubscribe(void *source)
{
	struct read_stream *s = source;

	s->unsubscribed = puller_end(s->puller);
	stream_metrics_remove(s->origin.stream);
}

static void
end_source(struct read_stream *s)
{
	s->ending = true;
	if (s->watch != NULL)
		stream_watch_end(s->watch, unsubscribe, s);
}

/* Nothing of it is under way any more: no message, no event. */
static bool
is_over(struct read_stream *s)
{
	const struct sources_config *config = &s->all->config;

	return s->watch == NULL ||
		(stream_watch_ended(s->watch) && puller_is_empty(s->puller) &&
			config->on_end(config->ctx, &s->origin) == 0);
}

static void
close_source(struct read_stream *s)
{
	if (s->watch != NULL && stream_watch_ended(s->watch))
		stream_watch_close(s->watch);
	puller_close(s->puller);
	if (s->events != NULL)
		event_streams_remove(s->all->config.streams, s->events);
	free(s);
}

/* Of one whose subscription may still call back, only the streams' set forgets the stream. */
static void
remove_source(struct sources *all, size_t i)
{
	struct read_stream *s = all->source[i];

	log_info("stream is read no longer", L_STR("stream", s->origin.stream));
	if (s->watch == NULL || s->unsubscribed) {
		close_source(s);
	} else {
		event_streams_add(&all->kept_streams, s->events);
		event_streams_remove(all->config.streams, s->events);
		all->kept = mem_grow(all->kept, all->n_kept + 1, sizeof(struct read_stream *));
		all->kept[all->n_kept++] = s;
	}
	all->n--;
	memmove(all->source + i, all->source + i + 1,
		(all->n - i) * sizeof(struct read_stream *));
}

/* ---- all streams */

int
sources_open(struct sources **sources, const struct sources_config *config, struct err *err)
{
	struct sources *all = mem_alloc(sizeof(*all));

	*sources = all;
	all->config = *config;
	return open_source(all, NULL, err);
}

void
sources_close(struct sources *all)
{
	if (all == NULL)
		return;
	while (all->n > 0)
		close_source(all->source[--all->n]);
	while (all->n_kept > 0)
		close_source(all->kept[--all->n_kept]);
	event_streams_free(&all->kept_streams);
	event_streams_free(&all->wanted);
	free(all->kept);
	free(all->source);
	free(all);
}

static bool
is_wanted(const struct read_stream *s, const struct event_streams *wanted)
{
	const struct event_stream *found = event_streams_find(wanted, s->origin.stream);

	return found != NULL && found->discovered == s->events->discovered;
}

void
sources_set(struct sources *all, struct event_streams *wanted)
{
	event_streams_free(&all->wanted);
	all->wanted = *wanted;
	for (size_t i = 0; i < all->n; i++) {
		struct read_stream *s = all->source[i];

		if (!s->origin.replay && !s->ending && !is_wanted(s, wanted))
			end_source(s);
	}
	*wanted = (struct event_streams){ .n = 0 };
	all->changing = true;
	sources_tick(all);
}

static void
open_missing(struct sources *all)
{
	struct err err;

	for (size_t i = 0; i < all->wanted.n; i++) {
		struct event_stream *events = all->wanted.stream[i];

		if (event_streams_find(all->config.streams, events->config.name) != NULL)
			continue;
		if (open_source(all, events, &err) != 0)
			log_error("stream cannot be read", /* the library has no memory */
				L_STR("stream", events->config.name), L_ERR(&err));
	}
}

void
sources_tick(struct sources *all)
{
	if (!all->changing)
		return;
	all->changing = false;
	for (size_t i = all->n; i-- > 0;)
		if (all->source[i]->ending && is_over(all->source[i]))
			remove_source(all, i);
		else
			all->changing |= all->source[i]->ending;
	open_missing(all);
}

size_t
sources_n(const struct sources *all)
{
	return all->n;
}

void
sources_turn(struct sources *all)
{
	for (size_t i = 0; i < all->n; i++)
		report_recreated(all->source[i]);
}

static bool
is_read(const struct read_stream *s)
{
	return s->watch != NULL && !s->ending;
}

void
sources_pull(struct sources *all, size_t budget, size_t least, int64_t now_ms)
{
	size_t streams = all->n > 1 ? all->n - 1 : 1;

	for (size_t i = 0; i < all->n; i++) {
		struct read_stream *s = all->source[(all->next + i) % all->n];
		size_t share = s->origin.replay ? REPLAY_SHARE : streams;

		if (is_read(s))
			puller_pull(
				s->puller, (budget + share - 1) / share, least / share, now_ms);
	}
	all->next++;
}

void
sources_restart(struct sources *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (is_read(all->source[i]))
			puller_restart(all->source[i]->puller);
}

void
sources_end(struct sources *all, int64_t deadline_ms)
{
	for (size_t i = 0; i < all->n && clock_monotonic_ms() < deadline_ms; i++)
		if (is_read(all->source[i]) && bus_connected(all->config.bus))
			puller_end(all->source[i]->puller);
}

const struct origin *
sources_origin(const struct sources *all, size_t index)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->source[i]->origin.index == index)
			return &all->source[i]->origin;
	return NULL;
}

void
sources_note_acked(const struct origin *origin, uint64_t seq, int64_t stored_us)
{
	puller_note_acked(origin->source->puller, seq, stored_us);
}

bool
sources_is_gone(const struct origin *origin, uint64_t seq)
{
	return stream_watch_is_gone(origin->source->watch, seq);
}

void
sources_summary(struct sources *all, struct sources_summary *summary)
{
	*summary = (struct sources_summary){ .pending = 0 };
	for (size_t i = 0; i < all->n; i++) {
		struct read_stream *s = all->source[i];
		struct stream_state state;
		size_t pulls;

		if (!is_read(s))
			continue;
		pulls = puller_open_pulls(s->puller);
		stream_watch_state(s->watch, &state);
		summary->pending += state.pending;
		summary->open_pulls += pulls;
		summary->starving |= state.ready && state.pending > 0 && pulls == 0;
	}
}
