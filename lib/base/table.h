// SPDX-License-Identifier: Apache-2.0
/*
 * A hash table of entries of one size: open addressing with linear probing, at most two thirds
 * full. uthash would need 56 bytes and an allocation for each entry; the collector keeps
 * hundreds of thousands of 16 bytes.
 */
#ifndef VCOURIER_TABLE_H
#define VCOURIER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_type {
	size_t size; /* bytes of an entry, a multiple of 8; a slot of zero bytes is free */
	uint64_t (*hash)(const void *entry, uint64_t seed); /* of the entry's key */
	bool (*same)(const void *a, const void *b);         /* two entries have the same key */
};

struct table {
	const struct table_type *type;
	unsigned char *slot;
	size_t n, slots; /* entries; slots is 0 or a power of two */
	uint64_t seed;   /* random, so that nobody can choose keys that collide */
};

void table_init(struct table *t, const struct table_type *type);
/* Frees the table, not what its entries point to; it is empty then, as after table_init. */
void table_free(struct table *t);

/*
 * A pointer to an entry is valid until the next table_add, _reserve, _remove or _keep. The key
 * of an entry in the table must not change.
 */

/* The entry with the same key, or NULL. */
void *table_find(const struct table *t, const void *key);
/* Copies *entry into the table, unless it has an entry with this key. Returns that entry. */
void *table_add(struct table *t, const void *entry);
/* The next table_add grows the table: until then old and new slots are both in memory. */
bool table_is_full(const struct table *t);
/* Grows the table once, so that n entries fit without growing it again. */
void table_reserve(struct table *t, size_t n);
/* entry: what table_find or table_add returned. */
void table_remove(struct table *t, void *entry);
/* The next entry in no particular order; NULL begins and ends. */
void *table_next(const struct table *t, const void *entry);
/* Removes the entries for which keep is false, and frees the memory that is then too much. */
void table_keep(struct table *t, bool (*keep)(const void *entry, void *ctx), void *ctx);

/* For table_type: the key is a string, and a pointer to it is the first member of the entry. */
uint64_t table_hash_name(const void *entry, uint64_t seed);
bool table_same_name(const void *a, const void *b);
/* A hash for table_type: of a string. */
uint64_t table_hash_string(const char *s, uint64_t seed);
/* A hash for table_type: of two numbers. */
uint64_t table_hash_numbers(uint64_t a, uint64_t b, uint64_t seed);

#endif
