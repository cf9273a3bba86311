// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* strnlen */
#include "severities.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

enum { NAMES_MAX = 16384 }; /* a real vCenter describes some 2,500 */

static const char *const words[] = { "info", "warning", "error", "user" };

static const char *
word(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return words[i];
	return NULL;
}

void
severities_init(struct severities *s)
{
	static const struct table_type type = { sizeof(struct severity_entry), table_hash_name,
		table_same_name };

	table_init(&s->by_name, &type);
}

static void
free_entry(const struct severity_entry *e)
{
	free(e->name);
	free(e->category);
	free(e->text);
}

void
severities_free(struct severities *s)
{
	const struct severity_entry *e = NULL;

	while ((e = table_next(&s->by_name, e)) != NULL)
		free_entry(e);
	table_free(&s->by_name);
}

static struct severity_entry *
find(const struct severities *s, const char *name)
{
	return table_find(&s->by_name, &(struct severity_entry){ .name = (char *)name });
}

/* Not more than a bound, whole characters. */
static char *
copy(const char *text)
{
	size_t len = strnlen(text, SEVERITIES_TEXT_MAX);

	return mem_strndup(text, text_utf8_valid(text, len));
}

void
severities_add(struct severities *s, const char *name, const char *category, const char *text)
{
	struct severity_entry *e;

	if (*name == '\0' || s->by_name.n == NAMES_MAX)
		return;
	e = find(s, name);
	if (e == NULL)
		e = table_add(
			&s->by_name, &(struct severity_entry){ .name = mem_strdup(name) });
	free(e->category);
	free(e->text);
	e->category = copy(category);
	e->text = copy(text);
	e->severity = word(category) ? word(category) : "info";
}

const char *
severities_of(
	const struct severities *s, const char *own, const char *name, const char *class_name)
{
	const char *const names[] = { name, class_name };

	if (word(own) != NULL)
		return word(own);
	for (size_t i = 0; i < 2; i++) {
		const struct severity_entry *e = find(s, names[i]);

		if (e != NULL)
			return e->severity;
	}
	return "info";
}
