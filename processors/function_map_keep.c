// SPDX-License-Identifier: Apache-2.0
/* Takes over functions from the previous map whose absence is not confirmed yet. */
#include <stdlib.h>
#include <string.h>

#include "function_map_internal.h"
#include "mem.h"

static bool
has_failed(const struct function_map *map, const char *ns)
{
	for (size_t i = 0; i < map->n_namespaces; i++)
		if (map->namespace[i].failed && strcmp(map->namespace[i].name, ns) == 0)
			return true;
	return false;
}

/* Whether a function that is not listed is kept; its absence is noted in *f. */
static bool
stays(const struct function_map *map, struct function *f, const struct refresh_time *time,
	struct function_map_kept *kept)
{
	int64_t left;

	if ((map->n_namespaces > 0) != (*f->ns != '\0'))
		return false;
	if (has_failed(map, f->ns))
		return true;
	if (absence_confirmed(&f->absence, time))
		return false;
	left = absence_left_ms(&f->absence, time);
	if (kept->missing == 0 || left < kept->confirm_ms)
		kept->confirm_ms = left;
	if (kept->missing++ == 0)
		kept->name = f->name;
	return true;
}

static struct function *
copy_function(struct function_map *map, const struct function *from)
{
	struct function *function = function_map_own(
		map, mem_strdup(from->name), strlen(from->ns));

	function->absence = from->absence;
	return function;
}

/* The topics of the functions from map->function[first] on, which are sorted. */
static void
copy_topics(struct function_map *map, size_t first, const struct subscription *s, size_t n)
{
	size_t n_kept = map->n_functions - first;

	for (size_t i = 0; i < n && map->n_exact + map->n_pattern < FUNCTION_SUBSCRIPTIONS_MAX;
		i++) {
		struct function key = { .name = (char *)s[i].function }, *wanted = &key,
				**found;

		found = n_kept == 0
			? NULL
			: bsearch(&wanted, map->function + first, n_kept,
				  /* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
				  sizeof(wanted), function_map_by_name);
		if (found != NULL)
			function_map_subscribe(
				map, s[i].topic, strlen(s[i].topic), (*found)->name);
	}
}

void
function_map_keep(struct function_map *map, const struct function_map *old,
	const struct refresh_time *time, struct function_map_kept *kept)
{
	size_t listed = map->n_functions;

	*kept = (struct function_map_kept){ .missing = 0 };
	if (old == NULL)
		return;
	function_map_sort(map);
	for (size_t i = 0; i < old->n_functions && map->n_functions < FUNCTIONS_MAX; i++) {
		struct function f = *old->function[i], *p = &f;

		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): each has a name */
		if ((i > 0 && strcmp(old->function[i - 1]->name, f.name) == 0) ||
			(listed > 0 &&
				/* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
				bsearch(&p, map->function, listed, sizeof(p),
					function_map_by_name) != NULL) ||
			!stays(map, &f, time, kept))
			continue;
		p = copy_function(map, &f);
		if (kept->name == f.name)
			kept->name = p->name;
	}
	copy_topics(map, listed, old->exact, old->n_exact);
	copy_topics(map, listed, old->pattern, old->n_pattern);
}
