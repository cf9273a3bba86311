// SPDX-License-Identifier: Apache-2.0
#include "function_set.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct function_entry *
function_entry_new(const char *name, const char *url, const char *file)
{
	struct function_entry *entry = mem_alloc(sizeof(*entry));

	entry->name = mem_strdup(name);
	entry->url = mem_strdup(url);
	entry->file = mem_strdup(file);
	return entry;
}

void
function_entry_free(struct function_entry *entry)
{
	if (entry == NULL)
		return;
	for (size_t i = 0; i < entry->n_triggers; i++)
		function_filter_free(entry->trigger[i].filter);
	free(entry->trigger);
	free(entry->name);
	free(entry->url);
	free(entry->file);
	free(entry);
}

void
function_entry_add_trigger(struct function_entry *entry, struct function_filter *filter,
	enum event_type_style style)
{
	entry->trigger = mem_grow(
		entry->trigger, entry->n_triggers + 1, sizeof(*entry->trigger));
	entry->trigger[entry->n_triggers++] = (struct function_trigger){ .filter = filter,
		.style = style };
}

void
function_set_init(struct function_set *set)
{
	*set = (struct function_set){ .entry = NULL };
}

void
function_set_free(struct function_set *set)
{
	function_set_truncate(set, 0);
	free(set->entry);
	function_set_init(set);
}

void
function_set_truncate(struct function_set *set, size_t n)
{
	while (set->n > n)
		function_entry_free(set->entry[--set->n]);
}

static void
append(struct function_set *set, struct function_entry *entry)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
	set->entry = mem_grow_for(set->entry, set->n, &set->cap, sizeof(*set->entry));
	set->entry[set->n++] = entry;
}

int
function_set_add(struct function_set *set, struct function_entry *entry, struct err *err)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->entry[i]->name, entry->name) == 0) {
			err_set(err, ERR_CONFLICT, "function %.64s is in %.64s already",
				entry->name, set->entry[i]->file);
			function_entry_free(entry);
			return -1;
		}
	if (set->n == FUNCTION_SET_MAX) {
		function_entry_free(entry);
		return err_set(err, ERR_LIMIT, "more than %d functions", FUNCTION_SET_MAX);
	}
	append(set, entry);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct function_entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static struct function_entry *
find(const struct function_set *set, size_t n, const char *name)
{
	struct function_entry key = { .name = (char *)name }, *wanted = &key, **found;

	if (n == 0)
		return NULL;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
	found = bsearch(&wanted, set->entry, n, sizeof(wanted), by_name);
	return found != NULL ? *found : NULL;
}

const struct function_entry *
function_set_find(const struct function_set *set, const char *name)
{
	return find(set, set->n, name);
}

static void
sort(struct function_set *set)
{
	if (set->n > 1)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
		qsort(set->entry, set->n, sizeof(*set->entry), by_name);
}

static bool
same(const struct function_entry *a, const struct function_entry *b)
{
	if (strcmp(a->url, b->url) != 0 || a->structured != b->structured ||
		a->n_triggers != b->n_triggers)
		return false;
	for (size_t i = 0; i < a->n_triggers; i++)
		if (a->trigger[i].style != b->trigger[i].style ||
			!function_filter_same(a->trigger[i].filter, b->trigger[i].filter))
			return false;
	return true;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a function that is in no file is kept. */
static bool
stays(struct function_entry *entry, const struct function_set_broken *broken,
	const struct refresh_time *time, struct function_set_kept *kept)
{
	int64_t left;

	if (broken->n > 0 &&
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
		bsearch(&entry->file, broken->file, broken->n, sizeof(*broken->file),
			by_text) != NULL)
		return true;
	if (absence_confirmed(&entry->absence, time))
		return false;
	left = absence_left_ms(&entry->absence, time);
	if (kept->missing == 0 || left < kept->confirm_ms)
		kept->confirm_ms = left;
	if (kept->missing++ == 0)
		kept->name = entry->name;
	return true;
}

void
function_set_replace(struct function_set *old, struct function_set *set,
	const struct function_set_broken *broken, const struct refresh_time *time,
	struct function_set_kept *kept)
{
	size_t read = set->n, matched = 0;

	*kept = (struct function_set_kept){ .missing = 0 };
	sort(set);
	for (size_t i = 0; i < old->n; i++) {
		struct function_entry *entry = old->entry[i];
		const struct function_entry *new = find(set, read, entry->name);

		if (new != NULL) {
			matched++;
			kept->changed = kept->changed || !same(entry, new);
			function_entry_free(entry);
		} else if (set->n < FUNCTION_SET_MAX && stays(entry, broken, time, kept)) {
			append(set, entry);
		} else {
			kept->changed = true;
			function_entry_free(entry);
		}
	}
	kept->changed = kept->changed || matched != read;
	old->n = 0;
	function_set_free(old);
	sort(set);
	*old = *set;
	function_set_init(set);
}
