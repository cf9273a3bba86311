// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

enum { LARGE = 32768 };

int64_t
seen_ms(int64_t us)
{
	return us >= 0 ? us / 1000 : (us - 999) / 1000;
}

static uint64_t
hash_entry(const void *entry, uint64_t seed)
{
	const struct seen_entry *e = entry;

	return table_hash_numbers((uint32_t)e->key, (uint64_t)e->ms, seed);
}

static bool
same_entry(const void *a, const void *b)
{
	const struct seen_entry *x = a, *y = b;

	return x->key == y->key && x->ms == y->ms;
}

static uint64_t
hash_key(const void *entry, uint64_t seed)
{
	const struct seen_key *k = entry;

	return table_hash_numbers((uint32_t)k->key, 0, seed);
}

static bool
same_key(const void *a, const void *b)
{
	const struct seen_key *x = a, *y = b;

	return x->key == y->key;
}

void
seen_init(struct seen *s)
{
	static const struct table_type entries = { sizeof(struct seen_entry), hash_entry,
		same_entry };
	static const struct table_type keys = { sizeof(struct seen_key), hash_key, same_key };

	*s = (struct seen){ .epoch = 0 };
	table_init(&s->events, &entries);
	table_init(&s->keys, &keys);
}

void
seen_free(struct seen *s)
{
	table_free(&s->events);
	table_free(&s->keys);
	s->kept = 0;
	s->epoch = 0;
}

static struct seen_entry *
find(const struct seen *s, int32_t key, int64_t created_us)
{
	return table_find(
		&s->events, &(struct seen_entry){ .key = key, .ms = seen_ms(created_us) });
}

static void
count_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key new = { .key = e->key, .epoch = s->epoch, .used = true }, *k;

	if (e->epoch != s->epoch)
		return;
	k = table_add(&s->keys, &new);
	if (k->epoch != s->epoch)
		*k = new;
	k->ms ^= e->ms;
	k->n = (uint8_t)(k->n + (k->n < UINT8_MAX));
}

static void
discount_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key *k = table_find(&s->keys, &(struct seen_key){ .key = e->key });

	if (k == NULL || k->epoch != e->epoch)
		return;
	k->ms ^= e->ms;
	k->n = (uint8_t)(k->n - (k->n < UINT8_MAX));
	if (k->n == 0)
		table_remove(&s->keys, k);
}

/* Fills the table by key from the other one. It gets its size at once. */
static void
recount_keys(struct seen *s)
{
	const struct seen_entry *e = NULL;

	table_reserve(&s->keys, s->events.n + 1);
	while ((e = table_next(&s->events, e)) != NULL)
		count_key(s, e);
}

/* The table by key is freed first: there are never more than three tables in memory. */
static void
grow(struct seen *s)
{
	table_free(&s->keys);
	table_reserve(&s->events, s->events.n + 1);
	recount_keys(s);
}

bool
seen_has(const struct seen *s, int32_t key, int64_t created_us)
{
	return find(s, key, created_us) != NULL;
}

bool
seen_add(struct seen *s, int32_t key, int64_t created_us)
{
	struct seen_entry e = {
		.ms = seen_ms(created_us), .key = key, .epoch = s->epoch, .used = true
	};
	size_t before = s->events.n;

	if (table_is_full(&s->events))
		grow(s);
	table_add(&s->events, &e);
	if (s->events.n == before)
		return false;
	count_key(s, &e);
	return true;
}

bool
seen_reused(const struct seen *s, int32_t key, int64_t created_us)
{
	const struct seen_key *k = table_find(&s->keys, &(struct seen_key){ .key = key });

	return k != NULL && k->epoch == s->epoch && (k->n > 1 || k->ms != seen_ms(created_us));
}

void
seen_remove(struct seen *s, int32_t key, int64_t created_us)
{
	struct seen_entry *e = find(s, key, created_us);

	if (e == NULL)
		return;
	discount_key(s, e);
	table_remove(&s->events, e);
}

struct limit {
	int64_t before_ms;
	int32_t last_key;
};

static bool
is_kept(const void *entry, void *ctx)
{
	const struct seen_entry *e = entry;
	const struct limit *limit = ctx;

	return e->ms >= limit->before_ms ||
		(uint32_t)limit->last_key - (uint32_t)e->key < SEEN_KEYS_KEPT;
}

void
seen_prune(struct seen *s, int64_t before_us, int32_t last_key)
{
	struct limit limit = { .before_ms = seen_ms(before_us), .last_key = last_key };

	table_free(
		&s->keys); /* first, so that there are never more than three tables in memory */
	table_keep(&s->events, is_kept, &limit);
	recount_keys(s);
	s->kept = s->events.n;
}

bool
seen_is_large(const struct seen *s)
{
	return s->events.n > LARGE && s->events.n / 2 > s->kept;
}
