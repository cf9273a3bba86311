// SPDX-License-Identifier: Apache-2.0
#include "wanted_streams.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem.h"

struct wanted_streams {
	const struct dispatch_options *options;
	pthread_mutex_t lock; /* for the rest */
	struct event_streams streams;
	bool changed;
};

struct wanted_streams *
wanted_streams_open(const struct dispatch_options *options)
{
	struct wanted_streams *w = mem_alloc(sizeof(*w));

	w->options = options;
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void
wanted_streams_close(struct wanted_streams *w)
{
	if (w == NULL)
		return;
	event_streams_free(&w->streams);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
wanted_streams_set(struct wanted_streams *w, const struct router_config *config)
{
	struct event_streams next;

	event_streams_init(&next, config, w->options);
	pthread_mutex_lock(&w->lock);
	event_streams_free(&w->streams);
	w->streams = next;
	w->changed = true;
	pthread_mutex_unlock(&w->lock);
}

bool
wanted_streams_take(struct wanted_streams *w, struct event_streams *streams)
{
	bool changed;

	pthread_mutex_lock(&w->lock);
	changed = w->changed;
	if (changed) {
		*streams = w->streams;
		w->streams = (struct event_streams){ .n = 0 };
	}
	w->changed = false;
	pthread_mutex_unlock(&w->lock);
	return changed;
}
