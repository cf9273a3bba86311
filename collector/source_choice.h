// SPDX-License-Identifier: Apache-2.0
/*
 * The sources of events, and which of them serves an eventProvider: the one that lists its
 * type. A new source is named in source_choice.c; HACKING.md, "Add a source of events", has all
 * steps.
 */
#ifndef VCOURIER_SOURCE_CHOICE_H
#define VCOURIER_SOURCE_CHOICE_H

#include "source.h"

struct source_choice {
	const struct source *source; /* NULL: nothing was bound */
	void *options;               /* the source's own struct */
};

/*
 * The table of an eventProvider: type, name and the block of each source. It lives as long as
 * the process.
 */
const struct config_field *source_choice_fields(void);

/* Fit daemon_spec.bind, release and help; `choice` is a struct source_choice. */
int source_choice_bind(const struct router_config *config, const struct router_entry *entry,
	void *choice, struct config_errors *errors);
void source_choice_release(void *choice);
void source_choice_help(struct buf *out);

#endif
