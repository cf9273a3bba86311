// SPDX-License-Identifier: Apache-2.0
/*
 * The gateway's lists, read into a function map. https://docs.openfaas.com/reference/rest-api/
 *
 * GET /system/namespaces                -> ["openfaas-fn", ...]
 * GET /system/functions[?namespace=N]   -> [{"name": "f", "annotations": {"topic": "A,B"},
 * ...}, ...]
 */
#ifndef VCOURIER_FUNCTION_LIST_H
#define VCOURIER_FUNCTION_LIST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "function_map.h"

/* Adds a reply of /system/namespaces. ERR_PROTOCOL when it is not a list of names. */
int function_list_namespaces(
	struct function_map *map, const char *json, size_t len, struct err *err);

/*
 * Adds a reply of /system/functions for one namespace of the map ("": the gateway has no
 * namespaces). An invalid entry or annotation skips only that function. ERR_PROTOCOL: the reply
 * is not a list, and nothing was added; ERR_LIMIT: it has more functions than the map holds.
 */
int function_list_functions(struct function_map *map, const char *ns, const char *json,
	size_t len, struct err *err);

/*
 * Whether it can be the name of a function or a namespace. Names are used in URLs and logs:
 * printable, and at most FUNCTION_NAME_MAX bytes. NULL: no.
 */
bool function_list_is_name(const cJSON *item);

#endif
