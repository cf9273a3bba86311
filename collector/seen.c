// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

enum { LARGE = 32768, TIME_SHIFT = 14, EPOCH_MASK = 0x1fff };

int64_t
seen_ms(int64_t us)
{
	return us >= 0 ? us / 1000 : (us - 999) / 1000;
}

static uint64_t
pack(int64_t ms, uint16_t epoch)
{
	return ((uint64_t)ms << TIME_SHIFT) | ((uint64_t)(epoch & EPOCH_MASK) << 1) | 1;
}

static int64_t
entry_ms(const struct seen_entry *e)
{
	static const uint64_t sign = UINT64_C(1) << (63 - TIME_SHIFT);

	return (int64_t)((e->packed >> TIME_SHIFT) ^ sign) - (int64_t)sign;
}

static uint16_t
entry_epoch(const struct seen_entry *e)
{
	return (uint16_t)((e->packed >> 1) & EPOCH_MASK);
}

static uint64_t
hash_entry(const void *entry, uint64_t seed)
{
	const struct seen_entry *e = entry;

	return table_hash_numbers((uint64_t)e->key, e->packed >> TIME_SHIFT, seed);
}

static bool
same_entry(const void *a, const void *b)
{
	const struct seen_entry *x = a, *y = b;

	return x->key == y->key && x->packed >> TIME_SHIFT == y->packed >> TIME_SHIFT;
}

static uint64_t
hash_key(const void *entry, uint64_t seed)
{
	const struct seen_key *k = entry;

	return table_hash_numbers(k->key, 0, seed);
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
find(const struct seen *s, int64_t key, int64_t created_us)
{
	return table_find(
		&s->events, &(struct seen_entry){ key, pack(seen_ms(created_us), 0) });
}

static void
count_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key new = { .key = (uint32_t)e->key, .epoch = s->epoch, .used = true }, *k;

	if (entry_epoch(e) != (s->epoch & EPOCH_MASK))
		return;
	k = table_add(&s->keys, &new);
	if (k->epoch != s->epoch)
		*k = new;
	k->ms ^= entry_ms(e);
	k->n = (uint8_t)(k->n + (k->n < UINT8_MAX));
}

static void
discount_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key *k = table_find(
		&s->keys, &(struct seen_key){ .key = (uint32_t)e->key });

	if (k == NULL || (k->epoch & EPOCH_MASK) != entry_epoch(e))
		return;
	k->ms ^= entry_ms(e);
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
seen_has(const struct seen *s, int64_t key, int64_t created_us)
{
	return find(s, key, created_us) != NULL;
}

bool
seen_add(struct seen *s, int64_t key, int64_t created_us)
{
	struct seen_entry e = { key, pack(seen_ms(created_us), s->epoch) };
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
seen_reused(const struct seen *s, int64_t key, int64_t created_us)
{
	const struct seen_key *k = table_find(
		&s->keys, &(struct seen_key){ .key = (uint32_t)key });

	return k != NULL && k->epoch == s->epoch && (k->n > 1 || k->ms != seen_ms(created_us));
}

void
seen_remove(struct seen *s, int64_t key, int64_t created_us)
{
	struct seen_entry *e = find(s, key, created_us);

	if (e == NULL)
		return;
	discount_key(s, e);
	table_remove(&s->events, e);
}

struct limit {
	int64_t before_ms;
	int64_t last_key;
};

static bool
is_kept(const void *entry, void *ctx)
{
	const struct seen_entry *e = entry;
	const struct limit *limit = ctx;

	return entry_ms(e) >= limit->before_ms ||
		(uint32_t)limit->last_key - (uint32_t)e->key < SEEN_KEYS_KEPT;
}

void
seen_prune(struct seen *s, int64_t before_us, int64_t last_key)
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
