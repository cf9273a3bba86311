// SPDX-License-Identifier: Apache-2.0
#include "discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jetstream.h"
#include "log.h"
#include "mem.h"

enum {
	LIST_MS = 10 * 1000,
	MISSING_MAX = 3,     /* one list may be incomplete, of a cluster that is starting */
	STREAMS_MAX = 10000, /* as jetstream_list_streams has at most */
	SUBJECT_MAX = 256,
};

struct listed_stream {
	char *name, *subject;
	unsigned missing; /* lists in a row that did not have it */
	bool ours;        /* by its subjects; else it was reported */
};

struct discovery {
	struct discovery_config config;
	int64_t due_ms;
	struct listed_stream *found;
	size_t n, cap;
	bool changed;
	bool failing; /* was reported */
	char trouble[256];
};

struct discovery *
discovery_open(const struct discovery_config *config)
{
	struct discovery *d = mem_alloc(sizeof(*d));

	d->config = *config;
	snprintf(d->trouble, sizeof(d->trouble), "looking for streams");
	return d;
}

static void
forget(struct discovery *d, size_t i)
{
	free(d->found[i].name);
	free(d->found[i].subject);
	d->found[i] = d->found[--d->n];
}

void
discovery_close(struct discovery *d)
{
	if (d == NULL)
		return;
	while (d->n > 0)
		forget(d, d->n - 1);
	free(d->found);
	free(d);
}

static struct listed_stream *
find(struct discovery *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->found[i].name, name) == 0)
			return &d->found[i];
	return NULL;
}

/* A stream of this name: a new one, or with other subjects than before. */
static void
set_found(struct discovery *d, struct listed_stream *f, bool ours, const char *subjects)
{
	f->ours = ours;
	d->changed = true;
	if (ours)
		log_info("stream found", L_STR("stream", f->name));
	else
		log_warn("a stream with the name of a vCenter's has other subjects: not read",
			L_STR("stream", f->name), L_STR("subjects", subjects));
}

/* Of jetstream_list. */
static void
on_stream(void *discovery, const char *name, const char *subjects)
{
	struct discovery *d = discovery;
	char subject[SUBJECT_MAX];
	bool ours = event_streams_is_ours(
		name, subjects, d->config.prefix, subject, sizeof(subject));
	struct listed_stream *f = find(d, name);

	if (!ours && !event_streams_is_ours(name, "", d->config.prefix, subject, SUBJECT_MAX))
		return; /* not by its name */
	if (f == NULL && d->n < STREAMS_MAX) {
		d->found = mem_grow_for(d->found, d->n, &d->cap, sizeof(*d->found));
		f = &d->found[d->n++];
		*f = (struct listed_stream){ .name = mem_strdup(name),
			.subject = mem_strdup(subject) };
		set_found(d, f, ours, subjects);
	} else if (f != NULL && f->ours != ours) {
		set_found(d, f, ours, subjects);
	}
	if (f != NULL)
		f->missing = 0;
}

static void
forget_missing(struct discovery *d)
{
	for (size_t i = d->n; i-- > 0;)
		if (d->found[i].missing >= MISSING_MAX) {
			log_info("stream is gone", L_STR("stream", d->found[i].name));
			forget(d, i);
			d->changed = true;
		}
}

static void
publish(struct discovery *d)
{
	char **texts = mem_array(2 * d->n + 1, sizeof(*texts));
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->found[i].ours) {
			texts[2 * n] = d->found[i].name;
			texts[2 * n++ + 1] = d->found[i].subject;
		}
	wanted_streams_set_found(d->config.wanted, texts, n);
	free(texts);
}

void
discovery_turn(struct discovery *d, int64_t now_ms)
{
	const struct jetstream_list list = { on_stream, d };
	struct err err;

	if (d == NULL || now_ms < d->due_ms)
		return;
	d->due_ms = now_ms + LIST_MS;
	for (size_t i = 0; i < d->n; i++)
		d->found[i].missing++;
	if (jetstream_list_streams(d->config.bus, &list, &err) != 0) {
		for (size_t i = 0; i < d->n; i++)
			d->found[i].missing -= d->found[i].missing > 0;
		if (!d->failing)
			log_warn("streams cannot be listed: no new one is found", L_ERR(&err));
		d->failing = true;
		if (d->trouble[0] != '\0')
			snprintf(d->trouble, sizeof(d->trouble),
				"streams cannot be listed: %.200s", err.text);
		return;
	}
	d->failing = false;
	d->trouble[0] = '\0';
	forget_missing(d);
	if (d->changed)
		publish(d);
	d->changed = false;
}

const char *
discovery_trouble(const struct discovery *d)
{
	return d != NULL ? d->trouble : "";
}
