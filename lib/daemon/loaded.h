// SPDX-License-Identifier: Apache-2.0
/* One version of the configuration with everything that a daemon reads from it. */
#ifndef VCOURIER_LOADED_H
#define VCOURIER_LOADED_H

#include <stdbool.h>

#include "buf.h"
#include "daemon.h"
#include "flags.h"
#include "router_config.h"
#include "watched.h"

struct loaded {
	struct router_config config;
	const struct router_entry *entry; /* the one that this process runs */
	void *options;                    /* of the entry: daemon_spec.options_size */
	struct buf bind;                  /* address of the metrics port */
};

/*
 * NULL when the configuration is not usable; *usage is true when the command line is the cause.
 * For a collector, what is wrong with the file of another vCenter (eventProvidersFrom) is a
 * warning.
 */
struct loaded *loaded_open(const struct daemon_spec *spec, const struct flags *flags,
	struct config_errors *errors, bool *usage);
void loaded_free(const struct daemon_spec *spec, struct loaded *loaded); /* NULL is fine */

/*
 * True: the two differ in their eventProviders and in nothing else that a dispatcher of this
 * name reads. False also when nothing differs.
 */
bool loaded_differs_in_providers(const struct loaded *a, const struct loaded *b);

/*
 * Watches the configuration file, the CA files that it names, and of eventProvidersFrom: for a
 * collector the file of its own vCenter, for a dispatcher all.
 */
void loaded_watch(const struct loaded *loaded, const struct daemon_spec *spec, const char *path,
	struct watched *watched);

#endif
