// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memmem */
#include "function_map_internal.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct function_map *
function_map_new(bool wildcards)
{
	struct function_map *map = mem_alloc(sizeof(*map));

	map->wildcards = wildcards;
	return map;
}

static void
function_free(struct function *function)
{
	free(function->name);
	free(function);
}

void
function_map_free(struct function_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->n_namespaces; i++)
		free(map->namespace[i].name);
	for (size_t i = 0; i < map->n_functions; i++)
		function_free(map->function[i]);
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

int
function_map_add_namespace(struct function_map *map, const char *name, struct err *err)
{
	if (map->n_namespaces == FUNCTION_NAMESPACES_MAX)
		return err_set(
			err, ERR_LIMIT, "namespaces: more than %d", FUNCTION_NAMESPACES_MAX);
	map->namespace = mem_grow_for(map->namespace, map->n_namespaces, &map->cap_namespaces,
		sizeof(*map->namespace));
	map->namespace[map->n_namespaces++] = (struct namespace){ .name = mem_strdup(name) };
	return 0;
}

size_t
function_map_namespaces(const struct function_map *map)
{
	return map->n_namespaces;
}

const char *
function_map_namespace(const struct function_map *map, size_t i)
{
	return map->namespace[i].name;
}

void
function_map_namespace_failed(struct function_map *map, size_t i)
{
	map->namespace[i].failed = true;
}

void
function_map_subscribe(
	struct function_map *map, const char *topic, size_t len, const char *function)
{
	struct subscription new = { .topic = mem_strndup(topic, len), .function = function };

	if (map->wildcards && strchr(new.topic, '*') != NULL) {
		map->pattern = mem_grow_for(
			map->pattern, map->n_pattern, &map->cap_pattern, sizeof(new));
		map->pattern[map->n_pattern++] = new;
	} else {
		map->exact = mem_grow_for(
			map->exact, map->n_exact, &map->cap_exact, sizeof(new));
		map->exact[map->n_exact++] = new;
	}
}

/* "A, B,,C": split at commas; white space around a topic and empty topics are ignored. */
static int
subscribe_all(
	struct function_map *map, const char *topics, const char *function, struct err *err)
{
	while (*topics != '\0') {
		size_t len = strcspn(topics, ","), skip = strspn(topics, " \t\r\n");
		const char *next = topics + len + (topics[len] == ',');

		topics += skip < len ? skip : len;
		len -= skip < len ? skip : len;
		while (len > 0 && strchr(" \t\r\n", topics[len - 1]) != NULL)
			len--;
		if (len > 0 && len <= FUNCTION_TOPIC_MAX)
			function_map_subscribe(map, topics, len, function);
		if (map->n_exact + map->n_pattern > FUNCTION_SUBSCRIPTIONS_MAX)
			return err_set(err, ERR_LIMIT, "functions: more than %d topics",
				FUNCTION_SUBSCRIPTIONS_MAX);
		topics = next;
	}
	return 0;
}

struct function *
function_map_own(struct function_map *map, char *full, size_t ns_len)
{
	struct function *function = mem_alloc(sizeof(*function));

	function->name = full;
	function->ns = full + strlen(full) - ns_len;
	map->function = mem_grow_for(
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
		map->function, map->n_functions, &map->cap_functions, sizeof(*map->function));
	map->function[map->n_functions++] = function;
	return function;
}

int
function_map_add_function(struct function_map *map, const char *ns, const char *name,
	const char *topics, struct err *err)
{
	struct buf full;

	if (strspn(topics, ", \t\r\n") == strlen(topics))
		return 0;
	if (map->n_functions == FUNCTIONS_MAX)
		return err_set(err, ERR_LIMIT, "functions: more than %d", FUNCTIONS_MAX);
	buf_init(&full, 2 * FUNCTION_NAME_MAX + 1);
	buf_printf(&full, *ns != '\0' ? "%s.%s" : "%s", name, ns);
	return subscribe_all(map, topics,
		function_map_own(map, buf_take(&full, NULL), strlen(ns))->name, err);
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

int
function_map_by_name(const void *a, const void *b)
{
	const struct function *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void
function_map_sort(struct function_map *map)
{
	if (map->n_functions > 1)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
		qsort(map->function, map->n_functions, sizeof(map->function[0]),
			function_map_by_name);
}

/* Sorts and removes duplicates: a topic in an annotation, or a function in a list. */
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

static void
count_fan_out(struct function_map *map)
{
	size_t run = 0;

	for (size_t i = 0; i < map->n_exact; i++) {
		run = i > 0 && strcmp(map->exact[i].topic, map->exact[i - 1].topic) == 0
			? run + 1
			: 1;
		if (run > map->most_exact)
			map->most_exact = run;
	}
	for (size_t i = 0; i < map->n_pattern; i++)
		map->pattern_functions += i == 0 ||
			strcmp(map->pattern[i].function, map->pattern[i - 1].function) != 0;
}

void
function_map_seal(struct function_map *map)
{
	function_map_sort(map);
	map->n_exact = sort_unique(map->exact, map->n_exact, by_topic);
	map->n_pattern = sort_unique(map->pattern, map->n_pattern, by_function);
	count_fan_out(map);
}

size_t
function_map_fan_out(const struct function_map *map, size_t topics)
{
	return map->most_exact * topics + map->pattern_functions;
}

static bool
same(const struct subscription *a, size_t n, const struct subscription *b, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (by_topic(&a[i], &b[i]) != 0)
			return false;
	return n == m;
}

bool
function_map_same(const struct function_map *a, const struct function_map *b)
{
	return same(a->exact, a->n_exact, b->exact, b->n_exact) &&
		same(a->pattern, a->n_pattern, b->pattern, b->n_pattern);
}

/* The first subscription that is not less than this topic. */
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

/*
 * `*` is any run of bytes. The text between two stars is searched after the previous match:
 * each byte of text is passed once, so a pattern with many stars costs no more.
 */
static bool
matches(const char *pattern, const char *text)
{
	size_t n = strcspn(pattern, "*"), len;

	if (strncmp(pattern, text, n) != 0)
		return false;
	if (pattern[n] == '\0')
		return text[n] == '\0';
	text += n;
	pattern += n;
	for (len = strlen(text);; pattern += n) {
		const char *found;

		pattern += strspn(pattern, "*");
		n = strcspn(pattern, "*");
		if (pattern[n] == '\0')
			return n <= len && memcmp(text + len - n, pattern, n) == 0;
		found = memmem(text, len, pattern, n);
		if (found == NULL)
			return false;
		len -= (size_t)(found + n - text);
		text = found + n;
	}
}

static bool
wants_exactly(const struct function_map *map, const char *function, const char *const *topics,
	size_t n)
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
function_map_match(const struct function_map *map, const char *const *topics, size_t n,
	struct targets *targets)
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
