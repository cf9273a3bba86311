// SPDX-License-Identifier: Apache-2.0
#include "source_choice.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "vcenter_source.h"

static const struct source *const sources[] = { &vcenter_source };

enum { N_SOURCES = sizeof(sources) / sizeof(sources[0]) };

const struct source *
source_choice_find(const char *type)
{
	for (size_t i = 0; type != NULL && i < N_SOURCES; i++) {
		for (const char *const *t = sources[i]->types; *t != NULL; t++) {
			if (strcmp(*t, type) == 0)
				return sources[i];
		}
	}
	return sources[0];
}

int
source_choice_bind(const struct router_config *config, const struct router_entry *entry,
	void *choice, struct config_errors *errors)
{
	struct source_choice *c = choice;

	c->source = source_choice_find(entry->type);
	c->options = mem_alloc(c->source->options_size);
	return c->source->bind(config, entry, c->options, errors);
}

void
source_choice_release(void *choice)
{
	struct source_choice *c = choice;

	if (c->source == NULL)
		return;
	c->source->release(c->options);
	free(c->options);
	*c = (struct source_choice){ .source = NULL };
}

void
source_choice_help(struct buf *out)
{
	for (size_t i = 0; i < N_SOURCES; i++)
		sources[i]->help(out);
}
