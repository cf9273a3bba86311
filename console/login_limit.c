// SPDX-License-Identifier: Apache-2.0
#include "login_limit.h"

#include "table.h"

static uint64_t
key_of(char kind, const char *text)
{
	uint64_t key = table_hash_string(text, (uint64_t)kind);

	return key != 0 ? key : 1;
}

/* The entry of a key; NULL: it has not failed. */
static struct login_entry *
find(struct login_limit *limit, uint64_t key, int64_t now_ms)
{
	for (size_t i = 0; i < LOGIN_KEYS_MAX; i++) {
		struct login_entry *e = &limit->entry[i];

		if (e->key == key)
			return now_ms - e->last_ms < LOGIN_FORGET_MS ? e : NULL;
	}
	return NULL;
}

static int64_t
wait_of(const struct login_entry *e, int64_t now_ms)
{
	int64_t wait = LOGIN_WAIT_MIN_MS;

	if (e == NULL || e->failures < LOGIN_FREE)
		return 0;
	for (unsigned i = LOGIN_FREE; i < e->failures && wait < LOGIN_WAIT_MAX_MS; i++)
		wait *= 2;
	wait = wait > LOGIN_WAIT_MAX_MS ? LOGIN_WAIT_MAX_MS : wait;
	wait = e->last_ms + wait - now_ms;
	return wait > 0 ? wait : 0;
}

int64_t
login_limit_wait(struct login_limit *limit, const char *peer, const char *name, int64_t now_ms)
{
	int64_t by_peer = wait_of(find(limit, key_of('p', peer), now_ms), now_ms);
	int64_t by_name = wait_of(find(limit, key_of('n', name), now_ms), now_ms);
	int64_t minute = limit->minute_ms + 60 * 1000 - now_ms;

	by_peer = by_peer > by_name ? by_peer : by_name;
	if (limit->in_all >= LOGIN_FREE_IN_ALL && minute > by_peer)
		by_peer = minute;
	return by_peer;
}

static void
count(struct login_limit *limit, uint64_t key, bool ok, int64_t now_ms)
{
	struct login_entry *oldest = &limit->entry[0], *e = NULL;

	for (size_t i = 0; i < LOGIN_KEYS_MAX && e == NULL; i++) {
		struct login_entry *at = &limit->entry[i];

		if (at->key == key)
			e = at;
		else if (oldest->key != 0 && (at->key == 0 || at->last_ms < oldest->last_ms))
			oldest = at;
	}
	if (ok) {
		if (e != NULL)
			*e = (struct login_entry){ .key = 0 };
		return;
	}
	if (e == NULL || now_ms - e->last_ms >= LOGIN_FORGET_MS) {
		e = e != NULL ? e : oldest;
		*e = (struct login_entry){ .key = key };
	}
	e->failures += e->failures < 1000;
	e->last_ms = now_ms;
}

void
login_limit_ended(
	struct login_limit *limit, const char *peer, const char *name, bool ok, int64_t now_ms)
{
	count(limit, key_of('p', peer), ok, now_ms);
	count(limit, key_of('n', name), ok, now_ms);
	if (now_ms - limit->minute_ms >= 60 * 1000) {
		limit->minute_ms = now_ms;
		limit->in_all = 0;
	}
	limit->in_all += !ok;
}
