// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "hash.h"
#include "mem.h"

enum { SLOTS_MIN = 16 };

void
table_init(struct table *t, const struct table_type *type)
{
	*t = (struct table){ .type = type };
	if (getrandom(&t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed))
		t->seed = (uint64_t)clock_wall_us();
}

void
table_free(struct table *t)
{
	free(t->slot);
	table_init(t, t->type);
}

static void *
slot_at(const struct table *t, size_t i)
{
	return t->slot + i * t->type->size;
}

static bool
is_free(const struct table *t, size_t i)
{
	const unsigned char *slot = slot_at(t, i);
	uint64_t word = 0;

	for (size_t at = 0; at < t->type->size && word == 0; at += sizeof(word))
		memcpy(&word, slot + at, sizeof(word));
	return word == 0;
}

/* The slot where the search for an entry begins. */
static size_t
home(const struct table *t, const void *entry)
{
	return (size_t)t->type->hash(entry, t->seed) & (t->slots - 1);
}

/* The slot of the entry with this key, or the free slot where it would go. */
static size_t
find(const struct table *t, const void *key)
{
	size_t i = home(t, key);

	while (!is_free(t, i) && !t->type->same(slot_at(t, i), key))
		i = (i + 1) & (t->slots - 1);
	return i;
}

static void
resize(struct table *t, size_t slots)
{
	struct table old = *t;

	t->slot = mem_array(slots, t->type->size);
	t->slots = slots;
	for (size_t i = 0; i < old.slots; i++)
		if (!is_free(&old, i))
			memcpy(slot_at(t, find(t, slot_at(&old, i))), slot_at(&old, i),
				t->type->size);
	free(old.slot);
}

bool
table_is_full(const struct table *t)
{
	return (t->n + 1) * 3 > t->slots * 2;
}

void
table_reserve(struct table *t, size_t n)
{
	size_t slots = t->slots == 0 ? SLOTS_MIN : t->slots;

	while (n * 3 > slots * 2)
		slots *= 2;
	if (slots != t->slots)
		resize(t, slots);
}

void *
table_find(const struct table *t, const void *key)
{
	size_t i;

	if (t->n == 0)
		return NULL;
	i = find(t, key);
	return is_free(t, i) ? NULL : slot_at(t, i);
}

void *
table_add(struct table *t, const void *entry)
{
	size_t i;

	table_reserve(t, t->n + 1);
	i = find(t, entry);
	if (is_free(t, i)) {
		memcpy(slot_at(t, i), entry, t->type->size);
		t->n++;
	}
	return slot_at(t, i);
}

void
table_remove(struct table *t, void *entry)
{
	size_t mask = t->slots - 1;
	size_t hole = (size_t)((unsigned char *)entry - t->slot) / t->type->size;

	/* move into the gap each later entry that a search would no longer find */
	for (size_t i = (hole + 1) & mask; !is_free(t, i); i = (i + 1) & mask)
		if (((i - home(t, slot_at(t, i))) & mask) >= ((i - hole) & mask)) {
			memcpy(slot_at(t, hole), slot_at(t, i), t->type->size);
			hole = i;
		}
	memset(slot_at(t, hole), 0, t->type->size);
	t->n--;
}

void *
table_next(const struct table *t, const void *entry)
{
	size_t i = 0;

	if (entry != NULL)
		i = (size_t)((const unsigned char *)entry - t->slot) / t->type->size + 1;
	while (i < t->slots && is_free(t, i))
		i++;
	return i < t->slots ? slot_at(t, i) : NULL;
}

void
table_keep(struct table *t, bool (*keep)(const void *entry, void *ctx), void *ctx)
{
	size_t slots = SLOTS_MIN;

	t->n = 0;
	for (size_t i = 0; i < t->slots; i++) {
		if (is_free(t, i))
			continue;
		if (keep(slot_at(t, i), ctx))
			t->n++;
		else
			memset(slot_at(t, i), 0, t->type->size);
	}
	while (t->n * 2 > slots)
		slots *= 2;
	resize(t, slots);
}

uint64_t
table_hash_string(const char *s, uint64_t seed)
{
	uint64_t state = hash_fnv1a(HASH_FNV1A ^ seed, s, strlen(s));

	return hash_splitmix64(&state);
}

static const char *
name_of(const void *entry)
{
	return *(const char *const *)entry;
}

uint64_t
table_hash_name(const void *entry, uint64_t seed)
{
	return table_hash_string(name_of(entry), seed);
}

bool
table_same_name(const void *a, const void *b)
{
	return strcmp(name_of(a), name_of(b)) == 0;
}

uint64_t
table_hash_numbers(uint64_t a, uint64_t b, uint64_t seed)
{
	uint64_t state = seed ^ a;

	state = hash_splitmix64(&state) ^ b;
	return hash_splitmix64(&state);
}
