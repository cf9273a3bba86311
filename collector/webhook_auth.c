// SPDX-License-Identifier: Apache-2.0
#include "webhook_auth.h"

#include <string.h>
#include <strings.h>

#include "base64.h"
#include "mem.h"

enum { CREDENTIALS_MAX = 128 * 1024, MAY = 0, MAY_NOT = 401, UNKNOWN = 503 };

/* The text after the scheme; NULL: another scheme. */
static const char *
after_scheme(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);

	if (authorization == NULL || strncasecmp(authorization, scheme, len) != 0 ||
		authorization[len] != ' ')
		return NULL;
	return authorization + len + strspn(authorization + len, " ");
}

static bool
is_user(const struct webhook_path *path, const char *encoded, const char *password)
{
	struct buf text;
	char *colon;
	bool same = false;

	buf_init(&text, CREDENTIALS_MAX);
	/* the whole size at once: a buffer that grows leaves copies in freed memory */
	buf_room(&text, strlen(encoded) < CREDENTIALS_MAX ? strlen(encoded) : CREDENTIALS_MAX);
	if (base64_decode(&text, encoded, strlen(encoded)) &&
		memchr(text.data, '\0', text.len) == NULL &&
		(colon = strchr(text.data, ':')) != NULL) {
		bool same_password = secret_is_same(colon + 1, password);

		*colon = '\0';
		same = secret_is_same(text.data, path->user) && same_password;
	}
	if (text.data != NULL)
		mem_wipe(text.data, text.cap);
	buf_free(&text);
	return same;
}

unsigned
webhook_auth_check(const struct webhook_path *path, const char *authorization, struct err *err)
{
	bool basic = path->user != NULL, same;
	const char *given;
	char *secret;

	if (!basic && !secret_is_set(&path->token))
		return MAY;
	given = after_scheme(authorization, basic ? "Basic" : "Bearer");
	if (given == NULL)
		return MAY_NOT;
	if (secret_read(basic ? &path->password : &path->token, &secret, err) != 0)
		return UNKNOWN;
	same = basic ? is_user(path, given, secret) : secret_is_same(given, secret);
	mem_free_secret(secret);
	return same ? MAY : MAY_NOT;
}

const char *
webhook_auth_challenge(const struct webhook_path *path)
{
	return path->user != NULL ? "Basic realm=\"restricted\", charset=\"UTF-8\""
				  : "Bearer realm=\"restricted\"";
}
