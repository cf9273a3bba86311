// SPDX-License-Identifier: Apache-2.0
/*
 * What `vcourier import` writes: a configuration, made of the sources and backends that older
 * files name, and a report with a line for each of their values.
 */
#ifndef VCOURIER_IMPORT_PLAN_H
#define VCOURIER_IMPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "err.h"
#include "import_secrets.h"

enum { IMPORT_SECRETS_MAX = 200, IMPORT_ENTRIES_MAX = 200 };

struct import_plan {
	/* options of the command, borrowed; NULL: not given */
	const char *secrets, *functions;

	struct buf sources, metrics; /* YAML */
	size_t n_sources;
	struct import_backend {
		const char *type, *name;
		char *block;        /* YAML of its options */
		struct buf sources; /* names in quotes, of those that go to it alone */
		size_t n_sources;
		bool all; /* it gets the events of all sources */
	} backend[IMPORT_ENTRIES_MAX];
	size_t n_backends;
	struct import_secret secret[IMPORT_SECRETS_MAX];
	size_t n_secrets;
	/* names of sources and backends, each once */
	char *name[2 * IMPORT_ENTRIES_MAX];
	size_t n_names;
	bool too_large;
	struct buf report; /* lines */
	struct config_errors errors, scratch;
	/* where the events came from so far: decides what changes for functions */
	bool from_router, from_tanzu, from_horizon;
};

void import_plan_init(struct import_plan *plan, const char *secrets, const char *functions);
void import_plan_free(struct import_plan *plan);

/* "FILE:LINE:COLUMN: KEY: what became of it"; no secrets. NULL nodes are left out. */
void import_plan_says(struct import_plan *plan, const struct config_node *node, const char *fmt,
	...) ERR_PRINTF(3, 4);

/*
 * A line for each key of the mapping that is in no row of `known`: "unknown key". NULL, and a
 * node of another kind, is left out.
 */
void import_plan_rest(struct import_plan *plan, const struct config_node *map,
	const struct config_field *known);

/* A user name with its password; NULL: not known. */
struct import_login {
	const char *user, *password;
	const char *domain; /* of a Horizon server */
};

/* An eventProvider: vcenter, horizon or webhook. */
struct import_source {
	const char *type, *name;
	const char *address; /* of webhook: the port to listen on */
	const char *path;    /* of webhook */
	/* of webhook: PEM; NULL: without TLS */
	const char *certificate, *key;
	struct import_login login;
	bool insecure;
};
/* Its name in the configuration; NULL: there are too many. */
const char *import_plan_source(struct import_plan *plan, const struct import_source *source);

/*
 * The backend knative: a ref (a Broker, or another kind) with or without a path relative to its
 * address (uri), or, if name is NULL, a URL. The same destination with the same style counts
 * once. With the option functions, it is the backend functions.
 */
struct import_knative {
	const char *source; /* the name of the source whose sink it is; NULL: of all */
	const char *api_version, *kind, *name, *namespace, *uri;
	const char *ca_certs, *audience; /* NULL: not given */
	char **extensions;    /* of ceOverrides, as CONFIG_MAP gives them; NULL: none */
	const char *encoding; /* NULL: binary */
	const char *type_style;
	bool insecure;
};
void import_plan_knative(struct import_plan *plan, const struct import_knative *knative);

struct import_openfaas {
	const char *address;
	bool async;
	struct import_login login;
};
void import_plan_openfaas(struct import_plan *plan, const struct import_openfaas *openfaas);

struct import_eventbridge {
	const char *region, *bus, *rule, *access_key, *secret_key;
};
void import_plan_eventbridge(
	struct import_plan *plan, const struct import_eventbridge *eventbridge);

void import_plan_metrics(
	struct import_plan *plan, const char *bind, const struct import_login *login);

/* The configuration. -1: the plan has no source. */
int import_plan_write(const struct import_plan *plan, struct buf *out, struct err *err);

#endif
