// SPDX-License-Identifier: Apache-2.0
/* The filter of each vCenter, found by the subject of an event. */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct token {
	const char *text;
	size_t len;
};

/* The second token of a subject: that of the vCenter. */
static struct token
vcenter_of(const char *subject)
{
	const char *dot = strchr(subject, '.');

	return dot == NULL ? (struct token){ subject, 0 }
			   : (struct token){ dot + 1, strcspn(dot + 1, ".") };
}

static int
by_token(const void *a, const void *b)
{
	return strcmp(((const struct vcenter_filter *)a)->token,
		((const struct vcenter_filter *)b)->token);
}

static int
compare(const void *key, const void *element)
{
	const struct token *token = key;
	const struct vcenter_filter *own = element;
	int order = strncmp(token->text, own->token, token->len);

	return order != 0 ? order : own->token[token->len] == '\0' ? 0 : -1;
}

static int
add(struct filters *filters, const struct event_stream *stream, struct err *err)
{
	struct token token = vcenter_of(stream->config.subjects[0]);
	struct vcenter_filter *own = &filters->own[filters->n_own++];

	snprintf(own->token, sizeof(own->token), "%.*s", (int)token.len, token.text);
	if (filter_open(&own->filter, stream->filter, err) != 0)
		return err_wrap(err, "%s", stream->config.name);
	filters->any_pattern |= own->filter.pattern != NULL;
	return 0;
}

int
filters_open(struct filters *filters, const struct dispatch_filter *common,
	const struct event_streams *streams, struct err *err)
{
	*filters = (struct filters){ .own = mem_array(streams->n + 1, sizeof(*filters->own)) };
	if (filter_open(&filters->common, common, err) != 0)
		return -1;
	filters->any_pattern = filters->common.pattern != NULL;
	for (size_t i = 0; i < streams->n; i++)
		if (streams->stream[i]->filter != common &&
			add(filters, streams->stream[i], err) != 0)
			return -1;
	if (filters->n_own > 1)
		qsort(filters->own, filters->n_own, sizeof(*filters->own), by_token);
	return 0;
}

void
filters_close(struct filters *filters)
{
	filter_close(&filters->common);
	for (size_t i = 0; i < filters->n_own; i++)
		filter_close(&filters->own[i].filter);
	free(filters->own);
}

bool
filters_pass(struct filters *filters, const char *subject, const struct event *ev)
{
	struct token token = vcenter_of(subject);
	struct vcenter_filter *own = filters->n_own == 0
		? NULL
		: bsearch(&token, filters->own, filters->n_own, sizeof(*filters->own), compare);

	return filter_passes(own != NULL ? &own->filter : &filters->common, subject, ev);
}
