// SPDX-License-Identifier: Apache-2.0
/*
 * The values of a Secret or a ConfigMap: of a document of the manifests, or of files in a
 * directory, one for each key, as Kubernetes mounts a Secret.
 */
#ifndef VCOURIER_FUNCTION_SECRET_H
#define VCOURIER_FUNCTION_SECRET_H

#include <stdbool.h>

#include "function_env.h"

struct function_secret {
	const char *kind, *name; /* Secret or ConfigMap */
	const struct config_node
		*where; /* that refers to it: for its namespace and for errors */
	const struct config_node *node; /* the document; NULL: none */
	char *directory;                /* SECRETS/NAME; NULL: there is none */
};

/* False: there is no such Secret or ConfigMap; errors says so unless it is optional. */
bool function_secret_open(struct function_secret *secret,
	const struct function_sources *sources, bool optional, struct config_errors *errors);
void function_secret_close(struct function_secret *secret);

/*
 * To be freed with mem_free_secret. NULL: it has no such key, or the value cannot be read; the
 * second is an error.
 */
char *function_secret_value(
	const struct function_secret *secret, const char *key, struct config_errors *errors);

/* Calls fn for each key, with its value. */
typedef void function_secret_fn(void *ctx, const char *key, const char *value);
void function_secret_each(const struct function_secret *secret, struct config_errors *errors,
	function_secret_fn *fn, void *ctx);

#endif
