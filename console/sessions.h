// SPDX-License-Identifier: Apache-2.0
/*
 * Logins, in memory. A session is a random token in the browser's cookie, and a second one, the
 * CSRF token, which the page sends with each request that changes something. Safe from any
 * thread.
 */
#ifndef VCOURIER_SESSIONS_H
#define VCOURIER_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "users.h"

enum {
	SESSIONS_MAX = 1024, /* the one that ends first makes room */
	TOKEN_SIZE = 44,     /* 32 random bytes as base64url, and NUL */
};

struct sessions;

struct login { /* what a request knows of its session */
	char user[USER_NAME_MAX + 1];
	enum role role;
	char csrf[TOKEN_SIZE];
	int64_t ends_ms; /* monotonic */
};

struct sessions *sessions_open(void);
void sessions_close(struct sessions *sessions);

/* Begins a session; token is for the cookie. -1: no random numbers. */
int sessions_begin(struct sessions *sessions, const struct console_user *user, int64_t now_ms,
	int64_t lifetime_ms, char token[TOKEN_SIZE]);

/* False: there is no such session, or it is over. */
bool sessions_find(
	struct sessions *sessions, const char *token, int64_t now_ms, struct login *login);
void sessions_end(struct sessions *sessions, const char *token);

/*
 * Ends the sessions of users who are no longer in the users file, or have another hash or role
 * there. same: whether the user is as at the login.
 */
void sessions_keep(struct sessions *sessions,
	bool (*same)(const struct console_user *user, void *ctx), void *ctx);

/* Takes the same time for every token of this length. */
bool sessions_same_token(const char *a, const char *b);

#endif
