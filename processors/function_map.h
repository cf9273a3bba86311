// SPDX-License-Identifier: Apache-2.0
/*
 * Which OpenFaaS function subscribes to which topic. A map is built from the gateway's lists
 * (function_list.h), takes over functions from the previous map whose absence is not confirmed
 * yet, is sealed, and is then only read. The next refresh builds another one.
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
	FUNCTIONS_MAX = 50000,               /* in all namespaces together */
	FUNCTION_SUBSCRIPTIONS_MAX = 200000, /* topics of all functions together */
	/* bytes of a name, and of a namespace: as of a DNS name */
	FUNCTION_NAME_MAX = 253,
	FUNCTION_TOPIC_MAX = 1024, /* bytes */
};

struct function_map;

/*
 * wildcards: a `*` in an annotation matches any run of characters; else it is an ordinary
 * character.
 */
struct function_map *function_map_new(bool wildcards);
void function_map_free(struct function_map *map);

int function_map_add_namespace(struct function_map *map, const char *name, struct err *err);
size_t function_map_namespaces(const struct function_map *map);
const char *function_map_namespace(const struct function_map *map, size_t i);

/* Namespace i could not be listed this time: function_map_keep keeps its functions. */
void function_map_namespace_failed(struct function_map *map, size_t i);

/*
 * topics: an annotation, "A, B,,C"; a function without a topic in it is not added. ns "": the
 * gateway has none.
 */
int function_map_add_function(struct function_map *map, const char *ns, const char *name,
	const char *topics, struct err *err);

size_t function_map_functions(const struct function_map *map); /* that have topics */

/* Functions that function_map_keep has taken over although the lists omit them. */
struct function_map_kept {
	size_t missing;   /* functions whose absence is not confirmed yet */
	const char *name; /* one of them; lives as long as the map */
	/* time until the absence of the first of them can be confirmed */
	int64_t confirm_ms;
};

/*
 * Adds the functions of `old`, the map in use (NULL: there is none), that are not in this one:
 * those of a namespace that could not be listed, and those whose absence (not listed, or
 * without a topic) has not been seen twice, empty_grace_ms apart. A function that is listed
 * with other topics than before has changed: its new topics count. Between a gateway with and
 * one without namespaces nothing is taken over: names differ, functions do not.
 */
void function_map_keep(struct function_map *map, const struct function_map *old,
	const struct refresh_time *time, struct function_map_kept *kept);

/* after the last add, before the first match */
void function_map_seal(struct function_map *map);

/*
 * The sealed map as JSON text, for function_map_restore, which adds what was saved to an empty
 * map. A function that it cannot be is left out. ERR_PROTOCOL: the text was not saved by
 * function_map_save; ERR_LIMIT: it has more than a map holds. The map is then not to be used.
 */
void function_map_save(const struct function_map *map, struct buf *text);
int function_map_restore(
	struct function_map *map, const char *text, size_t len, struct err *err);

/* Whether the same functions have the same topics; both maps are sealed. */
bool function_map_same(const struct function_map *a, const struct function_map *b);

/* Adds the functions that subscribe to one of the topics, "name.namespace" each, each once. */
void function_map_match(const struct function_map *map, const char *const *topics, size_t n,
	struct targets *targets);
/*
 * The largest number of functions that function_map_match can find for so many topics; the map
 * is sealed.
 */
size_t function_map_fan_out(const struct function_map *map, size_t topics);
bool function_map_wants(
	const struct function_map *map, const char *function, const char *topic);

#endif
