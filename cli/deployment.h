// SPDX-License-Identifier: Apache-2.0
/* A configuration file with all of its providers and processors bound. */
#ifndef VCOURIER_DEPLOYMENT_H
#define VCOURIER_DEPLOYMENT_H

#include <stddef.h>

#include "config.h"
#include "dispatcher_options.h"
#include "processor_options.h"
#include "router_config.h"
#include "source_choice.h"

struct deployment {
	struct router_config config;
	struct source_choice *source;          /* config.providers.n of them */
	struct dispatcher_options *dispatcher; /* config.processors.n of them */
};

/* Reads and checks all of it; -1 and errors when something is invalid. Free it anyway. */
int deployment_load(
	struct deployment *deployment, const char *path, struct config_errors *errors);
void deployment_free(struct deployment *deployment);

/*
 * The table of the whole file, entries and blocks included, for docs and schema. It lives as
 * long as the process.
 */
const struct config_field *deployment_table(void);

/* The effective configuration as YAML, with every default, secrets masked. */
void deployment_print(const struct deployment *deployment, struct buf *out);

/*
 * For the other commands: loads path (NULL: the default one) and prints errors. EXIT_NOT_YET,
 * or the exit status.
 */
int deployment_open(struct deployment *deployment, const char *path);

#endif
