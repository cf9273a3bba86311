// SPDX-License-Identifier: Apache-2.0
/*
 * How often logins may fail: by the peer's address, by the user's name, and in all. After
 * LOGIN_FREE failures each further one doubles the time until the next attempt, up to
 * LOGIN_WAIT_MAX_MS; a quiet time of LOGIN_FORGET_MS forgets them. A success forgets those of
 * its name and address. Pure: the time is an argument. One thread at a time.
 */
#ifndef VCOURIER_LOGIN_LIMIT_H
#define VCOURIER_LOGIN_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOGIN_KEYS_MAX = 512, /* the oldest entry makes room */
	LOGIN_FREE = 5,
	LOGIN_WAIT_MIN_MS = 1000,
	LOGIN_WAIT_MAX_MS = 60 * 1000,
	LOGIN_FORGET_MS = 15 * 60 * 1000,
	LOGIN_FREE_IN_ALL = 100, /* failures of all names and addresses in a minute */
};

struct login_entry {
	uint64_t key; /* of a name or an address; 0: free */
	unsigned failures;
	int64_t last_ms;
};

struct login_limit {
	struct login_entry entry[LOGIN_KEYS_MAX];
	unsigned in_all;
	int64_t minute_ms;
};

/* How long this peer must wait before it may try this name; 0: now. */
int64_t login_limit_wait(
	struct login_limit *limit, const char *peer, const char *name, int64_t now_ms);

/* An attempt ended. */
void login_limit_ended(
	struct login_limit *limit, const char *peer, const char *name, bool ok, int64_t now_ms);

#endif
