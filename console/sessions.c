// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"

struct session_entry {
	char token[TOKEN_SIZE]; /* "": free */
	char csrf[TOKEN_SIZE];
	struct console_user user;
	int64_t ends_ms;
};

struct sessions {
	pthread_mutex_t lock;
	struct session_entry entry[SESSIONS_MAX];
};

struct sessions *
sessions_open(void)
{
	struct sessions *s = mem_alloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void
sessions_close(struct sessions *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	mem_wipe(s->entry, sizeof(s->entry));
	free(s);
}

static bool
new_token(char token[TOKEN_SIZE])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[TOKEN_SIZE - 1];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		token[i] = digits[bytes[i] % 64];
	token[sizeof(bytes)] = '\0';
	return true;
}

bool
sessions_same_token(const char *a, const char *b)
{
	unsigned char differs = 0;

	if (strlen(a) != TOKEN_SIZE - 1 || strlen(b) != TOKEN_SIZE - 1)
		return false;
	for (size_t i = 0; i < TOKEN_SIZE - 1; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

int
sessions_begin(struct sessions *s, const struct console_user *user, int64_t now_ms,
	int64_t lifetime_ms, char token[TOKEN_SIZE])
{
	struct session_entry *free_one = &s->entry[0];
	char csrf[TOKEN_SIZE];

	if (!new_token(token) || !new_token(csrf))
		return -1;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 1; i < SESSIONS_MAX && free_one->token[0] != '\0'; i++)
		if (s->entry[i].token[0] == '\0' || s->entry[i].ends_ms < free_one->ends_ms)
			free_one = &s->entry[i];
	memcpy(free_one->token, token, TOKEN_SIZE);
	memcpy(free_one->csrf, csrf, TOKEN_SIZE);
	free_one->user = *user;
	free_one->ends_ms = now_ms + lifetime_ms;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* Compares with all of them, so that the time says nothing. */
static struct session_entry *
entry_of(struct sessions *s, const char *token)
{
	struct session_entry *found = NULL;

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (s->entry[i].token[0] != '\0' &&
			sessions_same_token(s->entry[i].token, token))
			found = &s->entry[i];
	return found;
}

bool
sessions_find(struct sessions *s, const char *token, int64_t now_ms, struct login *login)
{
	struct session_entry *e;

	if (strlen(token) != TOKEN_SIZE - 1)
		return false;
	pthread_mutex_lock(&s->lock);
	e = entry_of(s, token);
	if (e != NULL && e->ends_ms <= now_ms) {
		mem_wipe(e, sizeof(*e));
		e = NULL;
	}
	if (e != NULL) {
		memcpy(login->user, e->user.name, sizeof(login->user));
		memcpy(login->csrf, e->csrf, TOKEN_SIZE);
		login->role = e->user.role;
		login->ends_ms = e->ends_ms;
	}
	pthread_mutex_unlock(&s->lock);
	return e != NULL;
}

void
sessions_end(struct sessions *s, const char *token)
{
	struct session_entry *e;

	pthread_mutex_lock(&s->lock);
	e = entry_of(s, token);
	if (e != NULL)
		mem_wipe(e, sizeof(*e));
	pthread_mutex_unlock(&s->lock);
}

void
sessions_keep(
	struct sessions *s, bool (*same)(const struct console_user *user, void *ctx), void *ctx)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (s->entry[i].token[0] != '\0' && !same(&s->entry[i].user, ctx))
			mem_wipe(&s->entry[i], sizeof(s->entry[i]));
	pthread_mutex_unlock(&s->lock);
}
