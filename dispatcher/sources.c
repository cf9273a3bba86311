// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "protocol.h"
#include "puller.h"

/* Replays get this part of the budget beside what the other streams get. */
enum { REPLAY_SHARE = 8 };

struct read_stream {
	struct sources *all;
	struct origin origin;
	char stream[128], filter[256];
	struct stream_watch *watch; /* the watcher's */
	struct puller *puller;
};

struct sources {
	struct sources_config config;
	struct read_stream *source;
	size_t n;
	size_t next; /* whose turn it is to pull first */
};

static void
report_recreated(struct read_stream *s)
{
	if (stream_watch_was_recreated(s->watch))
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
set_filter(struct read_stream *s, const struct event_stream *events)
{
	const char *filter;

	if (s->origin.replay) {
		snprintf(s->filter, sizeof(s->filter), REPLAY_PREFIX ".%s.>",
			s->all->config.durable);
		return true;
	}
	filter = events->filter->subject;
	return filter == NULL ||
		filter_narrow(filter, events->config.subjects[0], s->filter, sizeof(s->filter));
}

/* events: NULL for the replay stream. */
static int
open_source(struct sources *all, const struct event_stream *events, struct err *err)
{
	const struct stream_config *stream = events != NULL ? &events->config
							    : all->config.replay_stream;
	const struct sources_config *config = &all->config;
	struct read_stream *s = &all->source[all->n];
	struct stream_check_config watch = { .bus = config->bus,
		.durable = config->durable,
		.stream = stream,
		.filter = s->filter,
		.start_from = events != NULL ? events->start_from : "earliest",
		.replay = events == NULL,
		.options = config->options,
		.expired = config->expired };
	struct puller_config puller = { .bus = config->bus,
		.inbox = config->inbox,
		.stream = stream->name,
		.durable = config->durable,
		.index = all->n,
		.max_deliveries = (uint64_t)config->options->retry.max_deliveries,
		.redelivered = config->redelivered,
		.on_message = on_message,
		.ctx = s };

	s->all = all;
	s->origin = (struct origin){
		.index = all->n, .stream = stream->name, .replay = events == NULL
	};
	if (!set_filter(s, events)) {
		log_info("no event of this stream passes the filter",
			L_STR("stream", stream->name));
		return 0;
	}
	all->n++;
	s->watch = puller.watch = watcher_add(config->watcher, &watch);
	return puller_open(&s->puller, &puller, err);
}

int
sources_open(struct sources **sources, const struct sources_config *config, struct err *err)
{
	struct sources *all = mem_alloc(sizeof(*all));

	*sources = all;
	all->config = *config;
	all->source = mem_array(config->streams->n + 1, sizeof(*all->source));
	for (size_t i = 0; i < config->streams->n; i++)
		if (open_source(all, &config->streams->stream[i], err) != 0)
			return -1;
	return open_source(all, NULL, err);
}

void
sources_close(struct sources *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++)
		puller_close(all->source[i].puller);
	free(all->source);
	free(all);
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
		report_recreated(&all->source[i]);
}

void
sources_pull(struct sources *all, size_t budget, size_t least, int64_t now_ms)
{
	size_t streams = all->n > 1 ? all->n - 1 : 1;

	for (size_t i = 0; i < all->n; i++) {
		struct read_stream *s = &all->source[(all->next + i) % all->n];
		size_t share = s->origin.replay ? REPLAY_SHARE : streams;

		puller_pull(s->puller, (budget + share - 1) / share, least / share, now_ms);
	}
	all->next++;
}

void
sources_restart(struct sources *all)
{
	for (size_t i = 0; i < all->n; i++)
		puller_restart(all->source[i].puller);
}

void
sources_end(struct sources *all, int64_t deadline_ms)
{
	for (size_t i = 0; i < all->n && clock_monotonic_ms() < deadline_ms; i++)
		if (bus_connected(all->config.bus))
			puller_end(all->source[i].puller);
}

const struct origin *
sources_origin(const struct sources *all, size_t index)
{
	return index < all->n ? &all->source[index].origin : NULL;
}

void
sources_note_acked(
	struct sources *all, const struct origin *origin, uint64_t seq, int64_t stored_us)
{
	puller_note_acked(all->source[origin->index].puller, seq, stored_us);
}

bool
sources_is_gone(struct sources *all, const struct origin *origin, uint64_t seq)
{
	return stream_watch_is_gone(all->source[origin->index].watch, seq);
}

void
sources_summary(struct sources *all, struct sources_summary *summary)
{
	*summary = (struct sources_summary){ .pending = 0 };
	for (size_t i = 0; i < all->n; i++) {
		struct read_stream *s = &all->source[i];
		size_t pulls = puller_open_pulls(s->puller);
		struct stream_state state;

		stream_watch_state(s->watch, &state);
		summary->pending += state.pending;
		summary->open_pulls += pulls;
		summary->starving |= state.ready && state.pending > 0 && pulls == 0;
	}
}
