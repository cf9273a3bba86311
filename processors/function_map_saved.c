// SPDX-License-Identifier: Apache-2.0
/*
 * A function map as text:
 * {"namespaces":["fn"],"functions":[{"name":"mail","namespace":"fn","topics":"A,B"}]}
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "function_list.h"
#include "function_map_internal.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"

static int
by_function(const void *a, const void *b)
{
	const struct subscription *const *x = a, *const *y = b;

	return strcmp((*x)->function, (*y)->function);
}

/* The subscriptions of the map in the order of its functions; the caller frees the array. */
static const struct subscription **
sorted(const struct function_map *map, size_t *n)
{
	const struct subscription **s;

	*n = map->n_exact + map->n_pattern;
	s = mem_alloc((*n + 1) * sizeof(const struct subscription *));
	for (size_t i = 0; i < map->n_exact; i++)
		s[i] = &map->exact[i];
	for (size_t i = 0; i < map->n_pattern; i++)
		s[map->n_exact + i] = &map->pattern[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
	qsort(s, *n, sizeof(s[0]), by_function);
	return s;
}

/* Without the namespace at the end of its full name. */
static void
add_name(struct buf *text, const struct function *function)
{
	size_t len = strlen(function->name), ns = strlen(function->ns);

	buf_add_str(text, "{\"name\":");
	json_add_string(text, function->name, ns > 0 ? len - ns - 1 : len);
	buf_add_char(text, ',');
	json_add_member(text, "namespace", function->ns);
	buf_add_str(text, ",\"topics\":\"");
}

void
function_map_save(const struct function_map *map, struct buf *text)
{
	size_t n, i = 0;
	const struct subscription **s = sorted(map, &n);

	buf_add_str(text, "{\"namespaces\":[");
	for (size_t ns = 0; ns < map->n_namespaces; ns++) {
		buf_add_str(text, ns > 0 ? "," : "");
		json_add_string(text, map->namespace[ns].name, strlen(map->namespace[ns].name));
	}
	buf_add_str(text, "],\"functions\":[");
	for (size_t f = 0; f < map->n_functions; f++) {
		size_t first = i;

		buf_add_str(text, f > 0 ? "," : "");
		add_name(text, map->function[f]);
		for (; i < n && strcmp(s[i]->function, map->function[f]->name) == 0; i++) {
			buf_add_str(text, i > first ? "," : "");
			json_add_escaped(text, s[i]->topic, strlen(s[i]->topic));
		}
		buf_add_str(text, "\"}");
	}
	buf_add_str(text, "]}");
	free(s);
}

int
function_map_restore(struct function_map *map, const char *text, size_t len, struct err *err)
{
	const char *end = text; /* cJSON accepts what is not UTF-8 */
	cJSON *saved = json_skip_value(&end, text + len) ? cJSON_ParseWithLength(text, len)
							 : NULL;
	const cJSON *entry;
	int failed = 0;

	if (!cJSON_IsArray(json_member(saved, "functions")))
		failed = err_set(err, ERR_PROTOCOL, "it is not a list of functions");
	cJSON_ArrayForEach(entry, json_member(saved, "namespaces"))
		if (!failed && function_list_is_name(entry))
			failed = function_map_add_namespace(map, entry->valuestring, err);
	cJSON_ArrayForEach(entry, json_member(saved, "functions"))
		if (!failed && function_list_is_name(json_member(entry, "name")) &&
			(*json_member_text(entry, "namespace") == '\0' ||
				function_list_is_name(json_member(entry, "namespace"))))
			failed = function_map_add_function(map,
				json_member_text(entry, "namespace"),
				json_member_text(entry, "name"),
				json_member_text(entry, "topics"), err);
	cJSON_Delete(saved);
	return failed;
}
