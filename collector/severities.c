// SPDX-License-Identifier: Apache-2.0
#include "severities.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

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
	*s = (struct severities){ .slot = NULL };
}

void
severities_free(struct severities *s)
{
	size_t i;

	for (i = 0; i < s->slots; i++)
		free(s->slot[i].name);
	free(s->slot);
	severities_init(s);
}

static size_t
find(const struct severities *s, const char *name)
{
	uint32_t h = 2166136261U; /* FNV-1a */
	const char *p;
	size_t i;

	for (p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619U;
	i = h & (s->slots - 1);
	while (s->slot[i].name != NULL && strcmp(s->slot[i].name, name) != 0)
		i = (i + 1) & (s->slots - 1);
	return i;
}

static void
grow(struct severities *s)
{
	struct severities old = *s;
	size_t i;

	s->slots = old.slots ? old.slots * 2 : 256;
	s->slot = mem_array(s->slots, sizeof(*s->slot));
	for (i = 0; i < old.slots; i++)
		if (old.slot[i].name != NULL)
			s->slot[find(s, old.slot[i].name)] = old.slot[i];
	free(old.slot);
}

void
severities_add(struct severities *s, const char *name, const char *category)
{
	size_t i;

	if (*name == '\0' || s->n == NAMES_MAX)
		return;
	if ((s->n + 1) * 2 > s->slots)
		grow(s);
	i = find(s, name);
	if (s->slot[i].name == NULL) {
		s->slot[i].name = mem_strdup(name);
		s->n++;
	}
	s->slot[i].severity = word(category) ? word(category) : "info";
}

const char *
severities_of(
	const struct severities *s, const char *own, const char *name, const char *class_name)
{
	const char *const names[] = { name, class_name };
	size_t i;

	if (word(own) != NULL)
		return word(own);
	for (i = 0; i < 2 && s->slots != 0; i++) {
		size_t at = find(s, names[i]);

		if (s->slot[at].name != NULL)
			return s->slot[at].severity;
	}
	return "info";
}
