// SPDX-License-Identifier: Apache-2.0
/* Shared by the files of the function map. */
#ifndef VCOURIER_FUNCTION_MAP_INTERNAL_H
#define VCOURIER_FUNCTION_MAP_INTERNAL_H

#include "absence.h"
#include "function_map.h"

struct function {
	char *name;     /* "name.namespace", or the name alone */
	const char *ns; /* the end of name; "" when it has none */
	struct absence absence;
};

struct subscription {
	char *topic;
	const char *function; /* its name */
};

struct namespace
{
	char *name;
	bool failed;
};

struct function_map {
	bool wildcards;
	struct namespace *namespace;
	struct function **function; /* sorted by name once the map is sealed */
	size_t n_namespaces, cap_namespaces, n_functions, cap_functions;
	struct subscription *exact, *pattern; /* exact: sorted by topic, then function */
	size_t n_exact, n_pattern, cap_exact, cap_pattern;
	size_t most_exact;        /* functions that have the same topic; once it is sealed */
	size_t pattern_functions; /* functions that have a pattern */
};

/* Adds a function; owns full, whose last bytes are the namespace. */
struct function *function_map_own(struct function_map *map, char *full, size_t ns_len);
void function_map_subscribe(
	struct function_map *map, const char *topic, size_t len, const char *function);
void function_map_sort(struct function_map *map);       /* its functions, by name */
int function_map_by_name(const void *a, const void *b); /* of two struct function ** */

#endif
