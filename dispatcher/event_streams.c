// SPDX-License-Identifier: Apache-2.0
#include "event_streams.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus_streams.h"
#include "mem.h"
#include "subject.h"
#include "text.h"

/*
 * names: names or patterns (fnmatch(3)); NULL: all. A pattern selects vCenters only: the filter
 * of a block for `*` has subjects of vCenters, and would select nothing of another source.
 */
static bool
is_among(char *const *names, const struct router_entry *provider)
{
	if (names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, provider->name) == 0 ||
			(router_entry_is_vcenter(provider) &&
				fnmatch(*names, provider->name, 0) == 0))
			return true;
	return false;
}

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*?[\\") != NULL;
}

/* ---- sets */

static void
set_texts(struct event_stream *s, const char *name, const char *subject)
{
	size_t at = strlen(name) + 1;

	buf_add(&s->texts, name, at);
	buf_add_str(&s->texts, subject);
	s->config.name = buf_str(&s->texts);
	s->config.subjects[0] = buf_str(&s->texts) + at;
}

void
event_streams_copy(struct event_streams *copy, const struct event_streams *streams)
{
	*copy = (struct event_streams){ .n = 0 };
	for (size_t i = 0; i < streams->n; i++) {
		const struct event_stream *from = streams->stream[i];
		struct event_stream *s = mem_alloc(sizeof(*s));

		*s = *from;
		s->sets = 0;
		buf_init(&s->texts, 2 * CONFIG_FILE_MAX);
		set_texts(s, from->config.name, from->config.subjects[0]);
		event_streams_add(copy, s);
	}
}

void
event_streams_add(struct event_streams *streams, struct event_stream *stream)
{
	streams->stream = mem_grow(
		streams->stream, streams->n + 1, sizeof(struct event_stream *));
	streams->stream[streams->n++] = stream;
	streams->version++;
	stream->sets++;
}

void
event_streams_remove(struct event_streams *streams, struct event_stream *stream)
{
	size_t i = 0;

	while (i < streams->n && streams->stream[i] != stream)
		i++;
	if (i == streams->n)
		return;
	streams->n--;
	memmove(streams->stream + i, streams->stream + i + 1,
		(streams->n - i) * sizeof(struct event_stream *));
	streams->version++;
	if (--stream->sets > 0)
		return;
	buf_free(&stream->texts);
	free(stream);
}

struct event_stream *
event_streams_find(const struct event_streams *streams, const char *name)
{
	for (size_t i = 0; i < streams->n; i++)
		if (strcmp(streams->stream[i]->config.name, name) == 0)
			return streams->stream[i];
	return NULL;
}

/* ---- the streams of a file */

static const struct dispatch_per_vcenter *
settings_of(const struct dispatch_options *options, const struct router_entry *provider)
{
	const struct dispatch_per_vcenter *one = options->per_vcenter.items;

	for (size_t i = 0; i < options->per_vcenter.n; i++, one++)
		if (is_among(one->vcenters, provider))
			return one;
	return NULL;
}

static bool
is_given(const struct dispatch_filter *filter)
{
	return filter->subject != NULL || filter->pattern != NULL;
}

static struct event_stream *
new_stream(const struct dispatch_options *options, const struct router_entry *provider)
{
	const struct dispatch_per_vcenter *one = settings_of(options, provider);
	struct event_stream *s = mem_alloc(sizeof(*s));

	s->filter = one != NULL && is_given(&one->filter) ? &one->filter : &options->filter;
	s->start_from = one != NULL && one->start_from != NULL ? one->start_from
							       : options->start_from;
	buf_init(&s->texts, 2 * CONFIG_FILE_MAX);
	return s;
}

static void
add_stream(struct event_streams *streams, const struct router_config *config,
	const struct dispatch_options *options, const struct router_entry *provider)
{
	struct event_stream *s = new_stream(options, provider);

	bus_streams_events(&config->top.bus, provider, &s->texts, &s->config);
	event_streams_add(streams, s);
}

void
event_streams_init(struct event_streams *streams, const struct router_config *config,
	const struct dispatch_options *options)
{
	const struct router_entries *providers = &config->providers;

	*streams = (struct event_streams){ .n = 0 };
	for (size_t i = 0; i < providers->n; i++)
		if (is_among(options->vcenters, &providers->entry[i]))
			add_stream(streams, config, options, &providers->entry[i]);
}

void
event_streams_free(struct event_streams *streams)
{
	while (streams->n > 0)
		event_streams_remove(streams, streams->stream[streams->n - 1]);
	free(streams->stream);
	streams->stream = NULL;
}

/* ---- streams that are found */

bool
event_streams_is_ours(
	const char *name, const char *subjects, const char *prefix, char *out, size_t size)
{
	const char *first = text_starts(name, VCENTER_STREAM_PREFIX) ? prefix
		: text_starts(name, SOURCE_STREAM_PREFIX)            ? SOURCE_SUBJECT_PREFIX
								     : NULL;
	int n = first == NULL ? -1
			      : snprintf(out, size, "%s.%s.>", first, name + STREAM_PREFIX_LEN);

	return n >= 0 && (size_t)n < size && name[STREAM_PREFIX_LEN] != '\0' &&
		(subjects[0] == '\0' || strcmp(subjects, out) == 0);
}

void
event_streams_add_found(struct event_streams *streams, const char *name, const char *subject,
	const struct dispatch_options *options)
{
	char *decoded = subject_decode(name + STREAM_PREFIX_LEN);
	const struct router_entry provider = { .name = decoded,
		.type = text_starts(name, VCENTER_STREAM_PREFIX) ? "vcenter" : "webhook" };

	if (event_streams_find(streams, name) == NULL &&
		is_among(options->vcenters, &provider)) {
		struct event_stream *s = new_stream(options, &provider);

		s->discovered = true;
		set_texts(s, name, subject);
		event_streams_add(streams, s);
	}
	free(decoded);
}

/* ---- checks */

static size_t
count_matches(const struct router_entries *providers, char *const *names)
{
	size_t n = 0;

	for (size_t i = 0; i < providers->n; i++)
		n += providers->entry[i].name != NULL && is_among(names, &providers->entry[i]);
	return n;
}

static void
check_name(const struct router_entries *providers, const struct config_node *node,
	const char *name, struct config_errors *errors)
{
	char *const alone[] = { (char *)name, NULL };
	struct config_suggestion near = { .text = name };

	if (count_matches(providers, alone) != 0)
		return;
	if (is_pattern(name)) {
		config_warning(errors, node, "\"%s\" matches no vCenter", name);
		return;
	}
	for (size_t i = 0; i < providers->n; i++)
		if (providers->entry[i].name != NULL)
			config_suggest(&near, providers->entry[i].name);
	config_error(errors, node, "there is no eventProvider \"%s\"%s%s%s", name,
		near.best != NULL ? " (did you mean \"" : "",
		near.best != NULL ? near.best : "", near.best != NULL ? "\"?)" : "");
}

static void
check_names(const struct router_entries *providers, const struct config_node *list,
	char *const *names, struct config_errors *errors)
{
	if (names == NULL)
		return;
	if (names[0] == NULL)
		config_error(errors, list, "must be a list of at least one");
	for (size_t i = 0; names[i] != NULL; i++) {
		const struct config_node *item = config_item(list, i);

		check_name(providers, item != NULL ? item : list, names[i], errors);
	}
}

void
event_streams_check(const struct router_config *config, const struct config_node *node,
	const struct dispatch_options *options, struct config_errors *errors)
{
	const struct dispatch_per_vcenter *one = options->per_vcenter.items;
	const struct config_node *list = config_get(node, "vcenters");
	size_t before = errors->n;

	if (options->discover) {
		if (options->vcenters != NULL && options->vcenters[0] == NULL)
			config_error(errors, list, "must be a list of at least one");
		return;
	}
	if (config->providers.n == 0) {
		config_error(errors, node,
			"reads no stream: the file has no eventProvider, "
			"and discover is not set");
		return;
	}
	check_names(&config->providers, list, options->vcenters, errors);
	if (errors->n == before && count_matches(&config->providers, options->vcenters) == 0)
		config_error(errors, list, "chooses no eventProvider of this file");
	for (size_t i = 0; i < options->per_vcenter.n; i++, one++)
		check_names(&config->providers,
			config_get(config_item(config_get(node, "perVcenter"), i), "vcenters"),
			one->vcenters, errors);
}
