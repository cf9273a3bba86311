// SPDX-License-Identifier: Apache-2.0
#include "source_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "horizon_source.h"
#include "mem.h"
#include "vcenter_source.h"
#include "webhook_source.h"

static const struct source *const sources[] = { &vcenter_source, &webhook_source,
	&horizon_source };

enum { N_SOURCES = sizeof(sources) / sizeof(sources[0]), TYPES_MAX = 8, OWN_ROWS = 2 };

/* An eventProvider as in the file. */
struct provider_entry {
	char *type, *name;
	const struct config_node
		*block[TYPES_MAX]; /* in the order of the types of all sources */
};

#define AT(member) .offset = offsetof(struct provider_entry, member)

static void
fill_fields(struct config_field *row)
{
	static const struct config_field own[OWN_ROWS] = {
		{ "type", CONFIG_STRING, AT(type), CONFIG_REQUIRED,
			.help = "The source of events; its block is required, too." },
		{ "name", CONFIG_STRING, AT(name), CONFIG_REQUIRED,
			.help = "Names the source. The stream of a vCenter is `VC_<name>` and its "
				"subjects begin with `vc.<name>`; of another source they are "
				"`CE_<name>` and `ce.<name>`." },
	};
	size_t offset = offsetof(struct provider_entry, block);

	memcpy(row, own, sizeof(own));
	row += OWN_ROWS;
	for (size_t i = 0; i < N_SOURCES; i++) {
		const char *const *types = sources[i]->types;

		for (size_t t = 0; types[t] != NULL; t++, offset += sizeof(void *)) {
			if (offset == sizeof(struct provider_entry))
				abort(); /* TYPES_MAX is too small */
			*row++ = (struct config_field){ types[t], CONFIG_NODE, offset,
				.fields = t == 0 ? sources[i]->fields : NULL,
				.help = t == 0 ? sources[i]->help
					       : "The same, under the name of this type." };
		}
	}
}

const struct config_field *
source_choice_fields(void)
{
	static struct config_field table[OWN_ROWS + TYPES_MAX + 1];

	if (table[0].key == NULL)
		fill_fields(table);
	return table;
}

static const struct source *
find(const char *type)
{
	for (size_t i = 0; i < N_SOURCES; i++) {
		for (const char *const *t = sources[i]->types; *t != NULL; t++) {
			if (strcmp(*t, type) == 0)
				return sources[i];
		}
	}
	return NULL;
}

static void
unknown_type(const struct router_entry *entry, struct config_errors *errors)
{
	const struct config_field *fields = source_choice_fields();
	struct config_suggestion near = { .text = entry->type };
	struct buf known;

	buf_init(&known, CONFIG_FILE_MAX);
	for (size_t i = OWN_ROWS; fields[i].key != NULL; i++) {
		config_suggest(&near, fields[i].key);
		buf_printf(&known, "%s%s", i > OWN_ROWS ? ", " : "", fields[i].key);
	}
	if (near.best != NULL)
		config_error(errors, config_get(entry->node, "type"),
			"unknown type (did you mean \"%s\"?)", near.best);
	else
		config_error(errors, config_get(entry->node, "type"), "must be one of %s",
			buf_str(&known));
	buf_free(&known);
}

/* The block that the type names; warns of the blocks of other types. */
static const struct config_node *
find_block(const struct router_entry *entry, const struct provider_entry *given,
	struct config_errors *errors)
{
	const struct config_field *fields = source_choice_fields() + OWN_ROWS;
	const struct config_node *block = NULL;

	for (size_t i = 0; fields[i].key != NULL; i++) {
		if (strcmp(fields[i].key, entry->type) == 0)
			block = given->block[i];
		else if (given->block[i] != NULL)
			config_warning(
				errors, given->block[i], "is ignored: type is %s", entry->type);
	}
	if (block == NULL)
		config_error(errors, entry->node, "%s is missing: the block for this type",
			entry->type);
	return block;
}

int
source_choice_bind(const struct router_config *config, const struct router_entry *entry,
	void *choice, struct config_errors *errors)
{
	const struct config_field *fields = source_choice_fields();
	const struct config_node *block = NULL;
	struct source_choice *c = choice;
	struct provider_entry given;
	size_t before = errors->n;
	int rc = -1;

	*c = (struct source_choice){ .source = NULL };
	config_bind(entry->node, fields, &given, sizeof(given), errors);
	if (entry->type != NULL) {
		c->source = find(entry->type);
		if (c->source == NULL)
			unknown_type(entry, errors);
		else
			block = find_block(entry, &given, errors);
	}
	if (c->source != NULL)
		c->options = mem_alloc(c->source->options_size);
	if (block != NULL)
		rc = c->source->bind(config, block, c->options, errors);
	config_release(fields, &given);
	return rc == 0 && errors->n == before ? 0 : -1;
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
	for (size_t i = 0; i < N_SOURCES; i++) {
		char prefix[64];

		snprintf(prefix, sizeof(prefix), "eventProvider.%s.", sources[i]->types[0]);
		buf_printf(out, "\nThe options of a %s in the file:\n", sources[i]->types[0]);
		config_help(sources[i]->fields, prefix, out);
	}
}
