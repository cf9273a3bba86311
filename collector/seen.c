// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

#include <stdlib.h>
#include <sys/random.h>

#include "clock.h"
#include "hash.h"
#include "mem.h"

enum { SLOTS_MIN = 1024 };

int64_t
seen_ms(int64_t us)
{
	return us >= 0 ? us / 1000 : (us - 999) / 1000;
}

void
seen_init(struct seen *s)
{
	*s = (struct seen){ .slot = NULL };
	if (getrandom(&s->seed, sizeof(s->seed), 0) != (ssize_t)sizeof(s->seed))
		s->seed = (uint64_t)clock_wall_us();
}

void
seen_free(struct seen *s)
{
	free(s->slot);
	free(s->of_key);
	seen_init(s);
}

/* With ms 0 the home of a key. */
static size_t
home(const struct seen *s, int32_t key, int64_t ms)
{
	uint64_t state = s->seed ^ (uint32_t)key;

	state = hash_splitmix64(&state) ^ (uint64_t)ms;
	return (size_t)hash_splitmix64(&state) & (s->slots - 1);
}

/* Where the event is, or the free slot where it would go. */
static size_t
find(const struct seen *s, int32_t key, int64_t ms)
{
	size_t i = home(s, key, ms);

	while (s->slot[i].used && (s->slot[i].key != key || s->slot[i].ms != ms))
		i = (i + 1) & (s->slots - 1);
	return i;
}

static struct seen_key *
find_key(const struct seen *s, int32_t key)
{
	size_t i = home(s, key, 0);

	while (s->of_key[i].used && s->of_key[i].key != key)
		i = (i + 1) & (s->slots - 1);
	return &s->of_key[i];
}

static void
count_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key *k = find_key(s, e->key);

	if (e->epoch != s->epoch)
		return;
	s->n_keys += !k->used;
	if (!k->used || k->epoch != s->epoch)
		*k = (struct seen_key){ .key = e->key, .epoch = s->epoch, .used = true };
	k->ms ^= e->ms;
	k->n = (uint8_t)(k->n + (k->n < UINT8_MAX));
}

static void
discount_key(struct seen *s, const struct seen_entry *e)
{
	struct seen_key *k = find_key(s, e->key);

	if (!k->used || k->epoch != e->epoch)
		return;
	k->ms ^= e->ms;
	k->n = (uint8_t)(k->n - (k->n < UINT8_MAX));
}

struct limit {
	int64_t before_ms;
	int32_t last_key;
};

static bool
is_kept(const struct seen_entry *e, const struct limit *limit)
{
	return e->used &&
		(limit == NULL || e->ms >= limit->before_ms ||
			(uint32_t)limit->last_key - (uint32_t)e->key < SEEN_KEYS_KEPT);
}

/*
 * Tables of `slots`, with those events that the limit lets stay; NULL: all. The table by key is
 * made from the other one when the old tables are freed: there are never four at once.
 */
static void
rebuild(struct seen *s, size_t slots, const struct limit *limit)
{
	struct seen old = *s;
	size_t i;

	free(old.of_key);
	s->slot = mem_array(slots, sizeof(*s->slot));
	s->slots = slots;
	s->n = s->n_keys = 0;
	for (i = 0; i < old.slots; i++) {
		if (is_kept(&old.slot[i], limit)) {
			s->slot[find(s, old.slot[i].key, old.slot[i].ms)] = old.slot[i];
			s->n++;
		}
	}
	free(old.slot);
	s->of_key = mem_array(slots, sizeof(*s->of_key));
	for (i = 0; i < slots; i++)
		if (s->slot[i].used)
			count_key(s, &s->slot[i]);
}

bool
seen_has(const struct seen *s, int32_t key, int64_t created_us)
{
	return s->slots != 0 && s->slot[find(s, key, seen_ms(created_us))].used;
}

bool
seen_add(struct seen *s, int32_t key, int64_t created_us)
{
	int64_t ms = seen_ms(created_us);
	size_t i;

	if ((s->n + 1) * 3 > s->slots * 2)
		rebuild(s, s->slots ? s->slots * 2 : SLOTS_MIN, NULL);
	if ((s->n_keys + 1) * 3 >
		s->slots * 2) /* of events that were removed, or of old epochs */
		rebuild(s, s->n * 3 > s->slots ? s->slots * 2 : s->slots, NULL);
	i = find(s, key, ms);
	if (s->slot[i].used)
		return false;
	s->slot[i] = (struct seen_entry){
		.ms = ms, .key = key, .epoch = s->epoch, .used = true
	};
	count_key(s, &s->slot[i]);
	s->n++;
	return true;
}

bool
seen_reused(const struct seen *s, int32_t key, int64_t created_us)
{
	const struct seen_key *k = s->slots == 0 ? NULL : find_key(s, key);

	return k != NULL && k->used && k->epoch == s->epoch &&
		(k->n > 1 || (k->n == 1 && k->ms != seen_ms(created_us)));
}

void
seen_remove(struct seen *s, int32_t key, int64_t created_us)
{
	size_t hole, i;

	if (!seen_has(s, key, created_us))
		return;
	hole = i = find(s, key, seen_ms(created_us));
	discount_key(s, &s->slot[i]);
	for (;;) { /* close the gap: move up what would no longer be found */
		size_t want;

		i = (i + 1) & (s->slots - 1);
		if (!s->slot[i].used)
			break;
		want = home(s, s->slot[i].key, s->slot[i].ms);
		if (((i - want) & (s->slots - 1)) >= ((i - hole) & (s->slots - 1))) {
			s->slot[hole] = s->slot[i];
			hole = i;
		}
	}
	s->slot[hole].used = false;
	s->n--;
}

void
seen_prune(struct seen *s, int64_t before_us, int32_t last_key)
{
	const struct limit limit = { .before_ms = seen_ms(before_us), .last_key = last_key };
	size_t kept = 0, slots = SLOTS_MIN, i;

	for (i = 0; i < s->slots; i++)
		kept += is_kept(&s->slot[i], &limit);
	while (kept * 2 > slots)
		slots *= 2;
	rebuild(s, slots, &limit);
}
