// SPDX-License-Identifier: Apache-2.0
/*
 * Input: the headers Host, Origin and Cookie, a name that the console answers for, a user's
 * name ("": the first one of the file), each ended by a NUL byte; the users file. A host, an
 * origin or a cookie is taken exactly when a slow reading by the rules takes it. A user who is
 * found is in the file and is found again when the line is written anew.
 */
#define _GNU_SOURCE /* memmem, strsep */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "request_check.h"
#include "users.h"

enum { COOKIE_MAX = 44 };

/* "NAME" or "NAME:PORT" */
static bool
names(const char *host, const char *name)
{
	size_t len = strlen(name);
	const char *port = host + len;

	if (strncasecmp(host, name, len) != 0)
		return false;
	return *port == '\0' ||
		(*port == ':' && strlen(port + 1) >= 1 && strlen(port + 1) <= 5 &&
			strspn(port + 1, "0123456789") == strlen(port + 1));
}

static void
check_host(const char *host, const char *own)
{
	char *const hosts[] = { (char *)own, NULL };
	bool local = names(host, "localhost") || names(host, "127.0.0.1") ||
		names(host, "[::1]");

	assert(request_host_is_ours(host, NULL) == local);
	if (request_host_is_ours(host, hosts))
		assert(local || (own[0] != '\0' && names(host, own)));
	else
		assert(!local &&
			(strpbrk(own, ":[]") != NULL || own[0] == '\0' || !names(host, own)));
}

static void
check_origin(const char *origin, const char *host)
{
	bool secure = strncmp(origin, "https://", 8) == 0, plain;

	plain = !secure && strncmp(origin, "http://", 7) == 0;
	secure = secure && strcasecmp(origin + 8, host) == 0;
	plain = plain && strcasecmp(origin + 7, host) == 0;
	assert(request_origin_is_ours(origin, host, true) == secure);
	assert(request_origin_is_ours(origin, host, false) == (secure || plain));
	assert(request_origin_is_ours(NULL, host, true));
}

/* The value of the first cookie of this name, to be freed; NULL: there is none. */
static char *
cookie(const char *cookies, const char *name)
{
	char *copy = strdup(cookies), *value = NULL, *rest = copy, *one;

	while (value == NULL && (one = strsep(&rest, ";")) != NULL) {
		one += strspn(one, " ");
		if (strncmp(one, name, strlen(name)) == 0 && one[strlen(name)] == '=')
			value = strdup(one + strlen(name) + 1);
	}
	free(copy);
	return value;
}

static void
check_cookie(const char *cookies)
{
	char out[COOKIE_MAX], *value = cookie(cookies, "session");
	bool found = request_cookie(cookies, "session", out, sizeof(out));

	assert(found == (value != NULL && strlen(value) < sizeof(out)));
	assert(!found || strcmp(out, value) == 0);
	free(value);
}

static void
check_again(const struct console_user *user)
{
	struct console_user again;
	struct err err;
	char line[USER_NAME_MAX + USER_HASH_MAX + 32];

	snprintf(line, sizeof(line), "%s:%s:%s\r\n", user->name, users_role_name(user->role),
		user->hash);
	if (user->name[0] == '#')
		return; /* a comment: never found */
	assert(users_find(line, strlen(line), user->name, &again, &err) == 1);
	assert(again.role == user->role && strcmp(again.hash, user->hash) == 0);
}

static void
check_users(const char *text, size_t len, const char *name)
{
	struct console_user user = { .role = ROLE_NONE };
	struct err err = { .code = ERR_NONE };
	char first[USER_NAME_MAX + 1] = "";
	int found;

	if (*name == '\0') {
		size_t n = 0;

		while (n < len && n < USER_NAME_MAX && text[n] != ':' && text[n] != '\0')
			n++;
		memcpy(first, text, n);
		name = first;
	}
	found = users_find(text, len, name, &user, &err);
	assert(found >= -1 && found <= 1);
	if (found < 0) {
		assert(err.code == ERR_CONFIG && strncmp(err.text, "line ", 5) == 0);
	} else if (found > 0) {
		assert(strcmp(user.name, name) == 0 && user.role != ROLE_NONE);
		assert(memmem(text, len, user.hash, strlen(user.hash)) != NULL);
		check_again(&user);
	}
	assert(found > 0 || user.role == ROLE_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *host, *origin, *cookies, *own, *name, *text;
	struct fuzz_parts parts;
	size_t len;

	fuzz_parts_init(&parts, data, size);
	host = fuzz_part(&parts);
	origin = fuzz_part(&parts);
	cookies = fuzz_part(&parts);
	own = fuzz_part(&parts);
	name = fuzz_part(&parts);
	text = fuzz_rest(&parts, &len);
	check_host(host, own);
	check_origin(origin, host);
	check_cookie(cookies);
	assert(!request_is_json(origin) || strncasecmp(origin, "application/json", 16) == 0);
	check_users(text, len, name);
	fuzz_parts_free(&parts);
	return 0;
}
