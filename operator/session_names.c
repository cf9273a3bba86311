// SPDX-License-Identifier: Apache-2.0
/* The names of sources and dispatchers: from the configuration, else from NATS. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

static const char *
to_token(const char *name, char token[96])
{
	struct buf text;

	buf_init(&text, 95);
	subject_add_token(&text, name, strlen(name));
	snprintf(token, 96, "%s", buf_str(&text));
	buf_free(&text);
	return token;
}

/* ---- sources */

static struct session_source *
new_source(struct session *s)
{
	s->source = mem_grow(s->source, s->n_sources + 1, sizeof(*s->source));
	s->source[s->n_sources] = (struct session_source){ .name = NULL };
	return &s->source[s->n_sources++];
}

static void
add_configured(struct session *s, const char *name, bool is_vcenter)
{
	struct session_source *source = new_source(s);
	char token[96];
	struct buf text;

	source->name = mem_strdup(name);
	buf_init(&text, 256);
	if (is_vcenter)
		subject_stream(&text, name);
	else
		subject_stream_source(&text, name);
	snprintf(source->stream, sizeof(source->stream), "%s", buf_str(&text));
	buf_free(&text);
	snprintf(source->subjects, sizeof(source->subjects), "%s.%s.>",
		is_vcenter ? s->config->subject_prefix : SOURCE_SUBJECT_PREFIX,
		to_token(name, token));
}

/* By its name and its subjects, "<any prefix>.<token>.>"; a mirror has none. */
static bool
is_of_events(const char *stream, const char *subjects)
{
	const char *token = stream + STREAM_PREFIX_LEN, *rest = strchr(subjects, '.');
	size_t n;

	if (!text_starts(stream, VCENTER_STREAM_PREFIX) &&
		!text_starts(stream, SOURCE_STREAM_PREFIX))
		return false;
	n = strlen(token);
	return n > 0 &&
		(subjects[0] == '\0' ||
			(rest != NULL && strncmp(rest + 1, token, n) == 0 &&
				strcmp(rest + 1 + n, ".>") == 0));
}

static void
add_found(void *ctx, const char *stream, const char *subject)
{
	struct session *s = ctx;
	struct session_source *source;

	if (!is_of_events(stream, subject) || strlen(stream) >= sizeof(source->stream) ||
		strlen(subject) >= sizeof(source->subjects))
		return;
	source = new_source(s);
	source->name = subject_decode(stream + STREAM_PREFIX_LEN);
	snprintf(source->stream, sizeof(source->stream), "%s", stream);
	snprintf(source->subjects, sizeof(source->subjects), "%s", subject);
}

static int
by_stream(const void *a, const void *b)
{
	return strcmp(((const struct session_source *)a)->stream,
		((const struct session_source *)b)->stream);
}

/* Beside those of the configuration. */
static void
add_other(void *ctx, const char *stream, const char *subject)
{
	struct session *s = ctx;
	size_t had = s->n_sources;

	for (size_t i = 0; i < had; i++)
		if (strcmp(s->source[i].stream, stream) == 0)
			return;
	add_found(s, stream, subject);
	if (s->n_sources > had)
		s->source[had].orphaned = s->listed_sources;
}

static int
list_others(struct session *s, struct err *err)
{
	const struct jetstream_list list = { add_other, s };
	size_t had = s->n_sources;

	if (jetstream_list_streams(s->bus, &list, err) != 0)
		return -1;
	if (s->n_sources > had + 1)
		qsort(s->source + had, s->n_sources - had, sizeof(*s->source), by_stream);
	return 0;
}

int
session_sources(struct session *s, struct err *err)
{

	if (s->listed_sources)
		return 0;
	for (char **name = s->source_names; name != NULL && *name != NULL; name++)
		add_configured(s, *name, true);
	for (char **name = s->other_source_names; name != NULL && *name != NULL; name++)
		add_configured(s, *name, false);
	if ((s->n_sources == 0 || s->discovers) && list_others(s, err) != 0)
		return -1;
	s->listed_sources = true;
	return 0;
}

void
session_add_orphans(struct session *s)
{
	struct err err;

	if (s->source_names != NULL && !s->discovers)
		list_others(s, &err); /* who may not list them sees none */
}

/* ---- dispatchers */

static void
add_dispatcher(struct session *s, char *name, const char *token)
{
	s->dispatcher = mem_grow(s->dispatcher, s->n_dispatchers + 1, sizeof(*s->dispatcher));
	s->dispatcher[s->n_dispatchers] = (struct session_dispatcher){ .name = name };
	snprintf(s->dispatcher[s->n_dispatchers++].token, 96, "%s", token);
}

static void
add_durable(void *ctx, const char *name, const char *subject)
{
	struct session *s = ctx;

	(void)subject;
	/* a temporary consumer: of a dispatcher that counts, or of a read */
	if (text_ends(name, "~count") || strlen(name) >= 96)
		return;
	add_dispatcher(s, subject_decode(name), name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct session_dispatcher *)a)->token,
		((const struct session_dispatcher *)b)->token);
}

int
session_dispatchers(struct session *s, struct err *err)
{
	const struct jetstream_list list = { add_durable, s };
	char token[96];

	if (s->listed_dispatchers)
		return 0;
	for (char **name = s->dispatcher_names; name != NULL && *name != NULL; name++)
		add_dispatcher(s, mem_strdup(*name), to_token(*name, token));
	/* no VCREPLAY: there was never a dispatcher */
	if (s->n_dispatchers == 0 &&
		jetstream_list_consumers(s->bus, REPLAY_STREAM, &list, err) != 0 &&
		err->code != ERR_NOT_FOUND)
		return -1;
	if (s->n_dispatchers > 1 && s->dispatcher_names == NULL)
		qsort(s->dispatcher, s->n_dispatchers, sizeof(*s->dispatcher), by_name);
	s->listed_dispatchers = true;
	return 0;
}

bool
session_dispatcher_token(struct session *s, const char *name, char token[96])
{
	struct err err;

	to_token(name, token);
	if (session_dispatchers(s, &err) != 0)
		return true;
	for (size_t i = 0; i < s->n_dispatchers; i++)
		if (strcmp(s->dispatcher[i].token, token) == 0)
			return true;
	return false;
}
