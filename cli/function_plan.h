// SPDX-License-Identifier: Apache-2.0
/* What `vcourier function apply` is going to do: everything is read and checked before. */
#ifndef VCOURIER_FUNCTION_PLAN_H
#define VCOURIER_FUNCTION_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "function_env.h"
#include "function_site.h"
#include "function_spec.h"
#include "manifest_objects.h"

enum { FUNCTION_FILES_MAX = COMMAND_TEXTS_MAX };

struct function_item {
	struct function_spec spec;
	struct function_env_files env;
	char *login; /* Docker's config.json; secret; NULL: none */
	bool valid;  /* its Service is; env and login were read */
	int port;    /* of 127.0.0.1 */
	struct buf unit, document;
};

struct function_plan {
	struct function_site *site;
	bool writable;
	const struct command_texts *egress;
	const char *networks; /* as in struct function_unit */
	struct config *config[FUNCTION_FILES_MAX];
	struct function_documents documents[FUNCTION_FILES_MAX];
	size_t n_files;
	struct manifest_objects objects;
	struct function_item *item;
	size_t n, cap;
	struct config_errors errors; /* with the warnings */
};

void function_plan_init(struct function_plan *plan, struct function_site *site);
void function_plan_free(struct function_plan *plan);

/* Reads the files; set the other members before. -1: plan->errors has the reasons. */
int function_plan_read(struct function_plan *plan, const struct command_texts *files);

/*
 * Chooses the ports and writes the texts: for a site that is locked. -1: a file or a name
 * belongs to somebody else, or no port is free.
 */
int function_plan_place(struct function_plan *plan);

#endif
