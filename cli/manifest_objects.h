// SPDX-License-Identifier: Apache-2.0
/* The objects of manifests for Kubernetes, and the values of Secrets and ConfigMaps. */
#ifndef VCOURIER_MANIFEST_OBJECTS_H
#define VCOURIER_MANIFEST_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum { MANIFEST_OBJECTS_MAX = 10000, MANIFEST_SECRET_MAX = 1024 * 1024 /* as Kubernetes' */ };

/* The documents of all files that were added, Lists unfolded. Their nodes are borrowed. */
struct manifest_objects {
	const struct config_node *node[MANIFEST_OBJECTS_MAX];
	bool used[MANIFEST_OBJECTS_MAX]; /* the caller's mark; false at first */
	size_t n;
};

void manifest_objects_add(struct manifest_objects *objects, const struct config *config);

/* NULL: the node has no such member, or it is no text. */
const char *manifest_text(const struct config_node *node, const char *key);
bool manifest_is_kind(const struct config_node *node, const char *kind);
const char *manifest_name(const struct config_node *node); /* "" without one */

/*
 * The object of this kind and name; the last one, as with kubectl apply. It is in the namespace
 * of `near`, or one of the two names none. near may be NULL. NULL: there is none.
 */
struct manifest_query {
	const char *kind, *name;
	const struct config_node *near;
};
const struct config_node *manifest_find(
	const struct manifest_objects *objects, const struct manifest_query *query);

/* Marks the object. */
void manifest_use(struct manifest_objects *objects, const struct config_node *node);

/*
 * A value of a Secret: of stringData, or of data in base64. A string to be freed with
 * mem_free_secret. NULL: there is no such key, or its value is not base64 or has a NUL byte.
 */
char *manifest_secret_value(const struct config_node *secret, const char *key);

#endif
