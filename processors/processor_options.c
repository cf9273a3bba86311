// SPDX-License-Identifier: Apache-2.0
#include "processor_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "mem.h"

/*
 * After the common options: the blocks, in the order of processor_list[]; then type and name,
 * which are read elsewhere.
 */
struct config_field *
processor_options_table(const struct config_field *rows, size_t size)
{
	struct config_field *table;
	size_t n_rows = 0, n_blocks = 0, i;

	while (rows[n_rows].key != NULL)
		n_rows++;
	while (processor_list[n_blocks] != NULL)
		n_blocks++;
	table = mem_array(n_rows + n_blocks + 3, sizeof(*table));
	table[0] = (struct config_field){ "type", CONFIG_NODE, size + n_blocks * sizeof(void *),
		CONFIG_REQUIRED, .help = "The backend; its block is required, too." };
	table[1] = (struct config_field){ "name", CONFIG_NODE, size + n_blocks * sizeof(void *),
		CONFIG_REQUIRED,
		.help = "Names the dispatcher: its durable consumer, its dead letters, its "
			"metrics." };
	for (i = 0; i < n_blocks; i++)
		table[2 + i] = (struct config_field){ processor_list[i]->block, CONFIG_NODE,
			size + i * sizeof(void *), .fields = processor_list[i]->fields,
			.help = processor_list[i]->help };
	memcpy(&table[2 + n_blocks], rows, n_rows * sizeof(*rows));
	return table;
}

/* The block of the processor in `type`; NULL when it is absent or empty. */
static const struct config_node *
find_block(const struct router_entry *entry, const struct config_node *const *blocks,
	struct processor_options *out, struct config_errors *errors)
{
	const struct config_node *block = NULL;
	const struct config_node *type = config_get(entry->node, "type");
	struct config_suggestion near = { .text = entry->type };
	size_t i;

	for (i = 0; processor_list[i] != NULL; i++) {
		config_suggest(&near, processor_list[i]->type);
		if (strcmp(processor_list[i]->type, entry->type) == 0) {
			out->processor = processor_list[i];
			block = blocks[i];
			if (block == NULL)
				config_error(errors, entry->node,
					"%s is missing: the block for this type",
					processor_list[i]->block);
		}
	}
	/* with an unknown type, the block may be the right one */
	for (i = 0; out->processor != NULL && processor_list[i] != NULL; i++)
		if (blocks[i] != NULL && processor_list[i] != out->processor)
			config_warning(
				errors, blocks[i], "is ignored: type is %s", entry->type);
	if (out->processor == NULL)
		config_error(errors, type,
			near.best != NULL ? "unknown type (did you mean \"%s\"?)"
					  : "unknown type",
			near.best);
	return block;
}

/* The processor checks what a table cannot express when it is opened. */
static void
check_by_opening(const struct config_node *block, const struct processor_options *o,
	struct config_errors *errors)
{
	struct err err = { 0 };
	void *self;

	if (o->processor->open(&self, o->config, &err) != 0) {
		config_error(errors, block, "%s", err.text);
		return;
	}
	if (o->processor->check != NULL)
		o->processor->check(self, block, errors);
	o->processor->close(self);
}

int
processor_options_bind(const struct router_entry *entry, const struct processor_common *common,
	struct processor_options *out, struct config_errors *errors)
{
	struct config_field *table = processor_options_table(common->rows, common->size);
	size_t before = errors->n, size = common->size, n = 0, whole;
	const struct config_node *const *blocks, *block = NULL;
	char *all;

	memset(out, 0, sizeof(*out));
	while (processor_list[n] != NULL)
		n++;
	whole = size + (n + 1) * sizeof(void *);
	all = mem_alloc(whole);
	config_bind(entry->node, table, all, whole, errors);
	memcpy(common->options, all, size);
	blocks = (const struct config_node *const *)(void *)(all + size);
	if (entry->type != NULL)
		block = find_block(entry, blocks, out, errors);
	if (block != NULL) {
		out->config = mem_alloc(out->processor->config_size);
		if (config_bind(block, out->processor->fields, out->config,
			    out->processor->config_size, errors) == 0)
			check_by_opening(block, out, errors);
	}
	free(all);
	free(table);
	return errors->n == before ? 0 : -1;
}

void
processor_options_release(struct processor_options *options)
{
	if (options->config != NULL)
		config_release(options->processor->fields, options->config);
	free(options->config);
	memset(options, 0, sizeof(*options));
}

const char *
processor_options_address(
	const struct router_entry *entry, const struct processor_options *options)
{
	const struct config_node *block = config_get(entry->node, options->processor->block);
	const struct config_node *destination = config_get(block, "destination"),
				 *uri = config_get(destination, "uri");
	const char *const texts[] = { config_text(config_get(block, "address")),
		config_text(config_get(block, "directory")),
		config_text(config_get(block, "eventBus")), config_text(uri),
		config_text(config_get(uri, "host")),
		config_text(config_get(config_get(destination, "ref"), "name")) };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] != NULL)
			return texts[i];
	return "";
}

void
processor_options_help(const struct config_field *rows, struct buf *out)
{
	buf_add_str(out, "\nThe dispatcher's options in the file:\n");
	config_help(rows, "eventProcessor.", out);
	for (size_t i = 0; processor_list[i] != NULL; i++) {
		char prefix[64];

		snprintf(
			prefix, sizeof(prefix), "eventProcessor.%s.", processor_list[i]->block);
		config_help(processor_list[i]->fields, prefix, out);
	}
}
