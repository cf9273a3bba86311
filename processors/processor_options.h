// SPDX-License-Identifier: Apache-2.0
/*
 * An eventProcessor of the configuration file: the options of every dispatcher, and the
 * backend's own block.
 */
#ifndef VCOURIER_PROCESSOR_OPTIONS_H
#define VCOURIER_PROCESSOR_OPTIONS_H

#include "config.h"
#include "processor.h"
#include "router_config.h"

struct processor_options {
	const struct processor *processor;
	void *config; /* the filled struct for processor->open */
};

/* The options that an entry has beside `type`, `name` and the backend's block. */
struct processor_common {
	const struct config_field *rows;
	void *options; /* filled by processor_options_bind */
	size_t size;   /* bytes of *options */
};

/*
 * Fills *out and *common->options. Adds errors and returns -1 when something is wrong;
 * processor_options_release and config_release free either.
 */
int processor_options_bind(const struct router_entry *entry,
	const struct processor_common *common, struct processor_options *out,
	struct config_errors *errors);
void processor_options_release(struct processor_options *options);

/* The backend's address as in the file: an address, a bus, a name; "" when it has none. */
const char *processor_options_address(
	const struct router_entry *entry, const struct processor_options *options);

/* Prints all options. */
void processor_options_help(const struct config_field *rows, struct buf *out);

/*
 * The table of a whole entry: rows, `type`, `name` and one block per backend, whose fields are
 * shown by docs and schema. Free it with free().
 */
struct config_field *processor_options_table(const struct config_field *rows, size_t size);

#endif
