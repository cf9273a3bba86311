// SPDX-License-Identifier: Apache-2.0
#include "function_map.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "json.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"

struct subscription {
	char *topic;
	const char *function;
};

struct function_map {
	bool wildcards;
	char **namespace, **function; /* a function's full name: "name.namespace" */
	const char *listing; /* the namespace whose functions are being added */
	size_t n_namespaces, cap_namespaces, n_functions, cap_functions;
	struct subscription *exact, *pattern; /* exact: sorted by topic, then function */
	size_t n_exact, n_pattern, cap_exact, cap_pattern;
};

struct function_map *
function_map_new(bool wildcards)
{
	struct function_map *map = mem_alloc(sizeof(*map));

	map->wildcards = wildcards;
	return map;
}

void
function_map_free(struct function_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->n_namespaces; i++)
		free(map->namespace[i]);
	for (size_t i = 0; i < map->n_functions; i++)
		free(map->function[i]);
	for (size_t i = 0; i < map->n_exact; i++)
		free(map->exact[i].topic);
	for (size_t i = 0; i < map->n_pattern; i++)
		free(map->pattern[i].topic);
	free(map->namespace);
	free(map->function);
	free(map->exact);
	free(map->pattern);
	free(map);
}

static int
not_json(const char *what, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "%s: the gateway's reply is not JSON", what);
}

/*
 * Calls add for each entry of a list, parsed one by one: a list of ten thousand functions is large. Go writes an empty
 * list as null when it never made one.
 */
static int
each_entry(struct function_map *map, const char *what, const char *json, size_t len,
	int (*add)(struct function_map *map, const cJSON *entry, struct err *err), struct err *err)
{
	const char *p = json, *end = json + len, *value = json;

	json_skip_blanks(&value, end);
	p = value;
	if (!json_skip_value(&p, end))
		return not_json(what, err);
	json_skip_blanks(&p, end);
	if (p != end)
		return not_json(what, err);
	p = value + 1;
	if (*value == 'n')
		return 0;
	if (*value != '[')
		return err_set(err, ERR_PROTOCOL, "%s: the gateway's reply is not a list", what);
	json_skip_blanks(&p, end);
	while (*p != ']') {
		cJSON *entry;
		int result;

		value = p;
		json_skip_value(&p, end); /* the list as a whole was sound */
		entry = cJSON_ParseWithLength(value, (size_t)(p - value));
		result = entry == NULL ? not_json(what, err) : add(map, entry, err);
		cJSON_Delete(entry);
		if (result != 0)
			return -1;
		json_skip_blanks(&p, end);
		p += *p == ',';
		json_skip_blanks(&p, end);
	}
	return 0;
}

/* Names end up in URLs and logs: printable, and no longer than Kubernetes allows. */
static bool
is_name(const cJSON *item)
{
	const char *name = cJSON_GetStringValue(item);
	size_t len = name == NULL ? 0 : strlen(name);

	if (len == 0 || len > FUNCTION_NAME_MAX || text_utf8_valid(name, len) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

static int
add_namespace(struct function_map *map, const cJSON *entry, struct err *err)
{
	if (!is_name(entry))
		return err_set(err, ERR_PROTOCOL, "namespaces: an entry is not a name");
	if (map->n_namespaces == FUNCTION_NAMESPACES_MAX)
		return err_set(err, ERR_LIMIT, "namespaces: more than %d", FUNCTION_NAMESPACES_MAX);
	map->namespace = mem_grow_for(
		map->namespace, map->n_namespaces, &map->cap_namespaces, sizeof(*map->namespace));
	map->namespace[map->n_namespaces++] = mem_strdup(entry->valuestring);
	return 0;
}

int
function_map_add_namespaces(struct function_map *map, const char *json, size_t len, struct err *err)
{
	return each_entry(map, "namespaces", json, len, add_namespace, err);
}

size_t
function_map_namespaces(const struct function_map *map)
{
	return map->n_namespaces;
}

const char *
function_map_namespace(const struct function_map *map, size_t i)
{
	return map->namespace[i];
}

static void
subscribe(struct function_map *map, const char *topic, size_t len, const char *function)
{
	struct subscription new = { .topic = mem_strndup(topic, len), .function = function };

	if (map->wildcards && strchr(new.topic, '*') != NULL) {
		map->pattern = mem_grow_for(map->pattern, map->n_pattern, &map->cap_pattern, sizeof(new));
		map->pattern[map->n_pattern++] = new;
	} else {
		map->exact = mem_grow_for(map->exact, map->n_exact, &map->cap_exact, sizeof(new));
		map->exact[map->n_exact++] = new;
	}
}

/* "A, B,,C": split on commas, blanks around a topic do not count, empty ones neither. */
static int
subscribe_all(struct function_map *map, const char *topics, const char *function, struct err *err)
{
	while (*topics != '\0') {
		size_t len = strcspn(topics, ","), skip = strspn(topics, " \t\r\n");
		const char *next = topics + len + (topics[len] == ',');

		topics += skip < len ? skip : len;
		len -= skip < len ? skip : len;
		while (len > 0 && strchr(" \t\r\n", topics[len - 1]) != NULL)
			len--;
		if (len > 0 && len <= FUNCTION_TOPIC_MAX)
			subscribe(map, topics, len, function);
		if (map->n_exact + map->n_pattern > FUNCTION_SUBSCRIPTIONS_MAX)
			return err_set(err, ERR_LIMIT, "functions: more than %d topics",
				FUNCTION_SUBSCRIPTIONS_MAX);
		topics = next;
	}
	return 0;
}

/* The topics of one entry of the list, NULL when it has none or makes no sense. */
static const char *
topics_of(const cJSON *entry)
{
	const cJSON *annotations;

	if (!cJSON_IsObject(entry) || !is_name(json_member(entry, "name")))
		return NULL;
	annotations = json_member(entry, "annotations");
	if (!cJSON_IsObject(annotations))
		return NULL;
	return json_member_string(annotations, "topic");
}

static int
add_function(struct function_map *map, const cJSON *entry, struct err *err)
{
	const char *topics = topics_of(entry), *ns = map->listing, *name;
	struct buf full;

	if (topics == NULL)
		return 0;
	if (map->n_functions == FUNCTIONS_MAX)
		return err_set(err, ERR_LIMIT, "functions: more than %d", FUNCTIONS_MAX);
	name = json_member(entry, "name")->valuestring;
	buf_init(&full, 2 * FUNCTION_NAME_MAX + 1);
	buf_printf(&full, *ns != '\0' ? "%s.%s" : "%s", name, ns);
	map->function = mem_grow_for(
		map->function, map->n_functions, &map->cap_functions, sizeof(*map->function));
	map->function[map->n_functions++] = buf_take(&full, NULL);
	return subscribe_all(map, topics, map->function[map->n_functions - 1], err);
}

int
function_map_add_functions(
	struct function_map *map, const char *ns, const char *json, size_t len, struct err *err)
{
	map->listing = ns;
	return each_entry(map, "functions", json, len, add_function, err);
}

size_t
function_map_functions(const struct function_map *map)
{
	return map->n_functions;
}

static int
by_topic(const void *a, const void *b)
{
	const struct subscription *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);

	return order != 0 ? order : strcmp(x->function, y->function);
}

static int
by_function(const void *a, const void *b)
{
	const struct subscription *x = a, *y = b;
	int order = strcmp(x->function, y->function);

	return order != 0 ? order : strcmp(x->topic, y->topic);
}

/* Sorts, and leaves out what is there twice: a topic in an annotation, or a function in a list. */
static size_t
sort_unique(struct subscription *s, size_t n, int (*order)(const void *, const void *))
{
	size_t kept = 0;

	if (n > 1)
		qsort(s, n, sizeof(*s), order);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && order(&s[kept - 1], &s[i]) == 0)
			free(s[i].topic);
		else
			s[kept++] = s[i];
	}
	return kept;
}

void
function_map_seal(struct function_map *map)
{
	map->n_exact = sort_unique(map->exact, map->n_exact, by_topic);
	map->n_pattern = sort_unique(map->pattern, map->n_pattern, by_function);
}

/* The first subscription that is not before this topic. */
static size_t
lower_bound(const struct function_map *map, const char *topic)
{
	size_t low = 0, high = map->n_exact;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(map->exact[middle].topic, topic) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* `*` is any run of bytes; on a mismatch the last star takes one more. No recursion: O(n * m). */
static bool
matches(const char *pattern, const char *text)
{
	const char *star = NULL, *mark = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			mark = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool
wants_exactly(const struct function_map *map, const char *function, const char *const *topics, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct subscription key = { (char *)topics[i], function };

		if (map->n_exact > 0 &&
			bsearch(&key, map->exact, map->n_exact, sizeof(key), by_topic) != NULL)
			return true;
	}
	return false;
}

static bool
matches_any(const char *pattern, const char *const *topics, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (matches(pattern, topics[i]))
			return true;
	return false;
}

void
function_map_match(
	const struct function_map *map, const char *const *topics, size_t n, struct targets *targets)
{
	const char *last = "";

	for (size_t t = 0; t < n; t++)
		for (size_t i = lower_bound(map, topics[t]);
			i < map->n_exact && strcmp(map->exact[i].topic, topics[t]) == 0; i++)
			if (!wants_exactly(map, map->exact[i].function, topics, t))
				targets_add(targets, map->exact[i].function);
	for (size_t i = 0; i < map->n_pattern; i++) {
		const struct subscription *s = &map->pattern[i];

		if (strcmp(s->function, last) == 0 || !matches_any(s->topic, topics, n))
			continue;
		last = s->function;
		if (!wants_exactly(map, s->function, topics, n))
			targets_add(targets, s->function);
	}
}

bool
function_map_wants(const struct function_map *map, const char *function, const char *topic)
{
	if (wants_exactly(map, function, &topic, 1))
		return true;
	for (size_t i = 0; i < map->n_pattern; i++)
		if (strcmp(map->pattern[i].function, function) == 0 &&
			matches(map->pattern[i].topic, topic))
			return true;
	return false;
}
