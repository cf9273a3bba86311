// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

#include <stdlib.h>

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
}

void
seen_free(struct seen *s)
{
	free(s->slot);
	seen_init(s);
}

/* By the key alone, so that seen_reused finds it with any time. */
static size_t
home(const struct seen *s, int32_t key)
{
	uint64_t h = (uint32_t)key * UINT64_C(0xd6e8feb86659fd93);

	return (size_t)(h ^ (h >> 32)) & (s->slots - 1);
}

/* Where the event is, or the free slot where it would go. */
static size_t
find(const struct seen *s, int32_t key, int64_t ms)
{
	size_t i = home(s, key);

	while (s->slot[i].used && (s->slot[i].key != key || s->slot[i].ms != ms))
		i = (i + 1) & (s->slots - 1);
	return i;
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

/* A table of `slots`, with those events that the limit lets stay; NULL: all. */
static void
rebuild(struct seen *s, size_t slots, const struct limit *limit)
{
	struct seen old = *s;
	size_t i;

	s->slot = mem_array(slots, sizeof(*s->slot));
	s->slots = slots;
	s->n = 0;
	for (i = 0; i < old.slots; i++) {
		if (is_kept(&old.slot[i], limit)) {
			s->slot[find(s, old.slot[i].key, old.slot[i].ms)] = old.slot[i];
			s->n++;
		}
	}
	free(old.slot);
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
	i = find(s, key, ms);
	if (s->slot[i].used)
		return false;
	s->slot[i] = (struct seen_entry){
		.ms = ms, .key = key, .epoch = s->epoch, .used = true
	};
	s->n++;
	return true;
}

bool
seen_reused(const struct seen *s, int32_t key, int64_t created_us)
{
	size_t i;

	if (s->slots == 0)
		return false;
	for (i = home(s, key); s->slot[i].used; i = (i + 1) & (s->slots - 1))
		if (s->slot[i].key == key && s->slot[i].ms != seen_ms(created_us) &&
			s->slot[i].epoch == s->epoch)
			return true;
	return false;
}

void
seen_remove(struct seen *s, int32_t key, int64_t created_us)
{
	size_t hole, i;

	if (!seen_has(s, key, created_us))
		return;
	hole = i = find(s, key, seen_ms(created_us));
	for (;;) { /* close the gap: move up what would no longer be found */
		size_t want;

		i = (i + 1) & (s->slots - 1);
		if (!s->slot[i].used)
			break;
		want = home(s, s->slot[i].key);
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
