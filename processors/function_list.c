// SPDX-License-Identifier: Apache-2.0
#include "function_list.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "json.h"
#include "json_member.h"
#include "text.h"
#include "url.h"

struct list_reading {
	struct function_map *map;
	const char *what; /* for errors */
	const char *ns;   /* of the functions */
};

static int
not_json(const struct list_reading *r, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "%s: the gateway's reply is not JSON", r->what);
}

/*
 * Calls add for each entry of a list; entries are parsed one by one, because a list of ten
 * thousand functions is large. Go writes an empty list that was never allocated as null.
 */
static int
each_entry(const struct list_reading *r, const char *json, size_t len,
	int (*add)(const struct list_reading *r, const cJSON *entry, struct err *err),
	struct err *err)
{
	const char *p = json, *end = json + len, *value = json;

	json_skip_blanks(&value, end);
	p = value;
	if (!json_skip_value(&p, end))
		return not_json(r, err);
	json_skip_blanks(&p, end);
	if (p != end)
		return not_json(r, err);
	p = value + 1;
	if (*value == 'n')
		return 0;
	if (*value != '[')
		return err_set(
			err, ERR_PROTOCOL, "%s: the gateway's reply is not a list", r->what);
	json_skip_blanks(&p, end);
	while (*p != ']') {
		cJSON *entry;
		int result;

		value = p;
		json_skip_value(&p, end); /* the list was checked as a whole */
		entry = cJSON_ParseWithLength(value, (size_t)(p - value));
		result = entry == NULL ? not_json(r, err) : add(r, entry, err);
		cJSON_Delete(entry);
		if (result != 0)
			return -1;
		json_skip_blanks(&p, end);
		p += *p == ',';
		json_skip_blanks(&p, end);
	}
	return 0;
}

bool
function_list_is_name(const cJSON *item)
{
	const char *name = cJSON_GetStringValue(item);
	size_t len = name == NULL ? 0 : strlen(name);

	if (name != NULL && url_is_dot_segment(name))
		return false;
	if (len == 0 || len > FUNCTION_NAME_MAX || text_utf8_valid(name, len) != len)
		return false;
	return !text_has_control(name, len);
}

static int
add_namespace(const struct list_reading *r, const cJSON *entry, struct err *err)
{
	if (!function_list_is_name(entry))
		return err_set(err, ERR_PROTOCOL, "namespaces: an entry is not a name");
	return function_map_add_namespace(r->map, entry->valuestring, err);
}

int
function_list_namespaces(
	struct function_map *map, const char *json, size_t len, struct err *err)
{
	const struct list_reading r = { .map = map, .what = "namespaces" };

	return each_entry(&r, json, len, add_namespace, err);
}

/* The topics of a list entry; NULL when it has none or is invalid. */
static const char *
topics_of(const cJSON *entry)
{
	const cJSON *annotations;

	if (!cJSON_IsObject(entry) || !function_list_is_name(json_member(entry, "name")))
		return NULL;
	annotations = json_member(entry, "annotations");
	if (!cJSON_IsObject(annotations))
		return NULL;
	return json_member_string(annotations, "topic");
}

static int
add_function(const struct list_reading *r, const cJSON *entry, struct err *err)
{
	const char *topics = topics_of(entry);

	if (topics == NULL)
		return 0;
	return function_map_add_function(
		r->map, r->ns, json_member_text(entry, "name"), topics, err);
}

int
function_list_functions(
	struct function_map *map, const char *ns, const char *json, size_t len, struct err *err)
{
	const struct list_reading r = { .map = map, .what = "functions", .ns = ns };

	return each_entry(&r, json, len, add_function, err);
}
