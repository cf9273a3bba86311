// SPDX-License-Identifier: Apache-2.0
/*
 * Which OpenFaaS function wants which topic, as the gateway tells it. A map is built from the gateway's
 * replies, sealed, and from then on only read; the next refresh builds another one.
 *
 * GET /system/namespaces                -> ["openfaas-fn", ...]
 * GET /system/functions[?namespace=N]   -> [{"name": "f", "annotations": {"topic": "A,B"}, ...}, ...]
 */
#ifndef VCOURIER_FUNCTION_MAP_H
#define VCOURIER_FUNCTION_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "processor.h"

enum {
	FUNCTION_NAMESPACES_MAX = 1000,
	FUNCTIONS_MAX = 50000,              /* in all namespaces together */
	FUNCTION_SUBSCRIPTIONS_MAX = 200000, /* topics of all functions together */
	FUNCTION_NAME_MAX = 253,            /* bytes of a name, and of a namespace: a DNS name's */
	FUNCTION_TOPIC_MAX = 1024,          /* bytes */
};

struct function_map;

/* wildcards: a `*` in an annotation stands for any run of characters; else it is a plain star. */
struct function_map *function_map_new(bool wildcards);
void function_map_free(struct function_map *map);

/* Adds a reply of /system/namespaces. ERR_PROTOCOL when it is not a list of names. */
int function_map_add_namespaces(struct function_map *map, const char *json, size_t len,
	struct err *err);
size_t function_map_namespaces(const struct function_map *map);
const char *function_map_namespace(const struct function_map *map, size_t i);

/*
 * Adds a reply of /system/functions for one namespace ("": the gateway knows none). An entry or an
 * annotation that makes no sense leaves out that function only.
 */
int function_map_add_functions(struct function_map *map, const char *ns, const char *json, size_t len,
	struct err *err);

size_t function_map_functions(const struct function_map *map); /* that have topics */
void function_map_seal(struct function_map *map); /* after the last add, before the first match */

/* Adds the functions that want one of the topics, "name.namespace" each, every one once. */
void function_map_match(const struct function_map *map, const char *const *topics, size_t n,
	struct targets *targets);
bool function_map_wants(const struct function_map *map, const char *function, const char *topic);

#endif
