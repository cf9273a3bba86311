// SPDX-License-Identifier: Apache-2.0
/*
 * The layout of the configuration file: the event router's RouterConfig v1alpha1 and vcourier's
 * top-level options. The content of a provider or a processor is bound by its own module:
 * router_entry.node.
 */
#ifndef VCOURIER_ROUTER_CONFIG_H
#define VCOURIER_ROUTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "bus_options.h"
#include "config.h"
#include "err.h"
#include "provider_files.h"
#include "subject.h"

struct router_entry { /* one event provider or event processor; strings are the file's */
	const char *name, *type;
	char token[SUBJECT_TOKEN_MAX + 1]; /* of the name, in streams and subjects */
	const struct config_node *node;
	/* in the file: providers, processors, other files; numbers the metrics ports */
	size_t position;
	const char *other_file; /* of eventProvidersFrom; NULL: the file itself */
};

/* Of type vcenter or vcsim: its stream is VC_<name>. Of any other source it is CE_<name>. */
bool router_entry_is_vcenter(const struct router_entry *entry);

/*
 * Whether an eventProcessor has `discover: true`: it reads streams that no eventProvider of the
 * file names, so the file may have none.
 */
bool router_discovers(const struct config_node *processor);

struct router_entries {
	struct router_entry *entry;
	size_t n;
};

struct router_top { /* as in the file */
	int api_version, kind;
	struct {
		char *name, **labels;
	} metadata;
	const struct config_node *provider, *providers, *processor, *processors;
	char **providers_from;
	struct {
		char *name, *bind;
		int type, auth_type;
		char *user;
		struct secret password;
	} metrics;
	char **root_cas;
	struct {
		int level, format; /* enum log_level, enum log_format */
	} log;
	struct bus_config bus;
};

extern const struct config_field router_fields[];

struct router_config {
	struct config *file;
	struct router_top top;
	struct router_entries providers, processors;
	struct provider_files files;       /* of eventProvidersFrom; their entries come last */
	struct config_errors files_errors; /* of these files */
};

/*
 * Reads the file and binds everything except the content of the entries. On failure errors has
 * the reasons; free it anyway. What is wrong with a file of eventProvidersFrom is no failure,
 * but in files_errors: the caller decides whether it concerns him.
 */
int router_config_load(
	struct router_config *config, const char *path, struct config_errors *errors);
void router_config_free(struct router_config *config);

/* The entry with that name; name NULL: the only entry. Errors list the names. */
const struct router_entry *router_config_pick(
	const struct router_entries *entries, const char *name, struct err *err);

/* The address of the metrics port of the process that runs this entry. */
void router_config_metrics_bind(
	const struct router_config *config, const struct router_entry *entry, struct buf *out);

#endif
