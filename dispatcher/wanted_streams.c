// SPDX-License-Identifier: Apache-2.0
#include "wanted_streams.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem.h"

struct wanted_streams {
	const struct dispatch_options *options;
	pthread_mutex_t lock; /* for the rest */
	struct event_streams configured, found;
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
	event_streams_free(&w->configured);
	event_streams_free(&w->found);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* Takes over the new set. */
static void
replace(struct wanted_streams *w, struct event_streams *old, const struct event_streams *next)
{
	pthread_mutex_lock(&w->lock);
	event_streams_free(old);
	*old = *next;
	w->changed = true;
	pthread_mutex_unlock(&w->lock);
}

void
wanted_streams_set(struct wanted_streams *w, const struct router_config *config)
{
	struct event_streams next;

	event_streams_init(&next, config, w->options);
	replace(w, &w->configured, &next);
}

void
wanted_streams_set_found(
	struct wanted_streams *w, char *const *names_and_subjects, size_t n_streams)
{
	struct event_streams next = { .n = 0 };

	for (size_t i = 0; i < n_streams; i++)
		event_streams_add_found(&next, names_and_subjects[2 * i],
			names_and_subjects[2 * i + 1], w->options);
	replace(w, &w->found, &next);
}

bool
wanted_streams_take(struct wanted_streams *w, struct event_streams *streams)
{
	bool changed;

	pthread_mutex_lock(&w->lock);
	changed = w->changed;
	w->changed = false;
	if (changed) {
		event_streams_copy(streams, &w->configured);
		for (size_t i = 0; i < w->found.n; i++)
			event_streams_add_found(streams, w->found.stream[i]->config.name,
				w->found.stream[i]->config.subjects[0], w->options);
	}
	pthread_mutex_unlock(&w->lock);
	return changed;
}
