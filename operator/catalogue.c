// SPDX-License-Identifier: Apache-2.0
#include "catalogue.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_member.h"
#include "mem.h"
#include "schema.h"
#include "subject.h"

/* What the type table says of a name. */
static void
classify(struct catalogue_entry *e)
{
	const struct schema_class *event = schema_find("Event", 5);
	const struct schema_class *class = schema_find(e->name, strlen(e->name));

	e->base = "";
	e->eventclass = "eventex";
	if (class == NULL || !schema_is_a(class, event))
		return;
	e->eventclass = strcmp(e->name, "EventEx") == 0 ? "eventex"
		: strcmp(e->name, "ExtendedEvent") == 0 ? "extendedevent"
							: "event";
	if (class->base != SCHEMA_NONE)
		e->base = schema_class_name(&schema_classes[class->base]);
}

/* The entry of this name; NULL: there are CATALOGUE_MAX of others. */
static struct catalogue_entry *
entry_of(struct catalogue *c, const char *name)
{
	struct catalogue_entry new = { .name = (char *)(uintptr_t)name };
	struct catalogue_entry *found = table_find(&c->by_name, &new);

	if (found != NULL || *name == '\0' || c->by_name.n == CATALOGUE_MAX)
		return found;
	new.name = mem_strdup(name);
	classify(&new);
	return table_add(&c->by_name, &new);
}

void
catalogue_init(struct catalogue *c)
{
	static const struct table_type type = { sizeof(struct catalogue_entry), table_hash_name,
		table_same_name };
	const struct schema_class *event = schema_find("Event", 5);

	*c = (struct catalogue){ .described = false };
	table_init(&c->by_name, &type);
	for (size_t i = 0; i < schema_n_classes; i++)
		if (schema_is_a(&schema_classes[i], event))
			entry_of(c, schema_class_name(&schema_classes[i]));
}

void
catalogue_free(struct catalogue *c)
{
	const struct catalogue_entry *e = NULL;

	while ((e = table_next(&c->by_name, e)) != NULL) {
		free(e->name);
		free(e->severity);
		free(e->category);
		free(e->description);
		free(e->tail);
		free(e->newest_stream);
	}
	table_free(&c->by_name);
}

static int
by_name(const void *a, const void *b)
{
	const struct catalogue_entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

const struct catalogue_entry **
catalogue_sorted(const struct catalogue *c, size_t *n)
{
	const struct catalogue_entry **list = mem_array(c->by_name.n + 1, sizeof(void *));
	const struct catalogue_entry *e = NULL;

	*n = 0;
	while ((e = table_next(&c->by_name, e)) != NULL)
		list[(*n)++] = e;
	qsort(list, *n, sizeof(void *), by_name);
	return list;
}

/* ---- descriptions */

static void
set_text(char **to, const cJSON *event, const char *member)
{
	if (*to == NULL)
		*to = mem_strdup(json_member_text(event, member));
}

bool
catalogue_take(struct catalogue *c, const char *text, size_t len)
{
	cJSON *json = cJSON_ParseWithLength(text, len);
	bool last = !json_member_true(json, "more");
	const cJSON *event;

	cJSON_ArrayForEach(event, json_member(json, "events")) {
		struct catalogue_entry *e = entry_of(c, json_member_text(event, "name"));

		if (e == NULL)
			continue;
		set_text(&e->severity, event, "severity");
		set_text(&e->category, event, "category");
		set_text(&e->description, event, "description");
		c->described = true;
	}
	cJSON_Delete(json);
	return last;
}

/* ---- what the streams hold */

static void
add_subject(void *ctx, const char *subject, uint64_t messages)
{
	struct catalogue *catalogue = ctx;
	const char *tail = subject_event(subject);
	char *name;
	struct catalogue_entry *e;

	if (tail == subject)
		return;
	name = subject_decode(tail);
	e = entry_of(catalogue, name);
	free(name);
	if (e == NULL)
		return;
	e->events += messages;
	if (e->tail == NULL)
		e->tail = mem_strdup(tail);
}

/* When the newest event of each kind was stored. */
static int
find_newest(struct catalogue *c, struct session *s, const struct session_source *source,
	struct err *err)
{
	struct catalogue_entry *e = NULL;

	while ((e = table_next(&c->by_name, e)) != NULL) {
		struct stream_msg msg;
		char subject[512];
		int n;

		if (e->tail == NULL)
			continue;
		n = snprintf(subject, sizeof(subject), "%.*s*.*.*.*.%s",
			(int)strcspn(source->subjects, ">"), source->subjects, e->tail);
		if (n < 0 || (size_t)n >= sizeof(subject))
			continue;
		if (jetstream_stream_get(s->bus,
			    &(struct message_query){ source->stream, 0, subject }, &msg,
			    err) != 0) {
			if (err->code == ERR_NOT_FOUND)
				continue;
			return -1;
		}
		if (msg.time_us > e->last_us) {
			e->last_us = msg.time_us;
			e->newest_seq = msg.seq;
			free(e->newest_stream);
			e->newest_stream = mem_strdup(source->stream);
		}
		jetstream_msg_free(&msg);
	}
	return 0;
}

void
catalogue_forget_counts(struct catalogue *c)
{
	struct catalogue_entry *e = NULL;

	while ((e = table_next(&c->by_name, e)) != NULL) {
		free(e->tail);
		free(e->newest_stream);
		e->tail = e->newest_stream = NULL;
		e->events = e->newest_seq = 0;
		e->last_us = 0;
	}
}

int
catalogue_count(struct catalogue *c, struct session *s, struct err *err)
{
	const struct jetstream_subjects list = { add_subject, c };

	for (size_t i = 0; i < s->n_sources; i++) {
		const struct session_source *source = &s->source[i];

		if (jetstream_list_subjects(
			    s->bus, source->stream, source->subjects, &list, err) != 0) {
			if (err->code == ERR_NOT_FOUND)
				continue; /* no collector has run yet */
			return -1;
		}
		if (find_newest(c, s, source, err) != 0)
			return -1;
	}
	return 0;
}
