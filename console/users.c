// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* crypt_r */
#include "users.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "file.h"
#include "mem.h"
#include "text.h"

enum { PASSWORD_MAX = 256 };

/* Of a random text: it costs as much as a yescrypt hash of users_hash. */
static const char nobody[] =
	"$y$j9T$uCeVkxaVvvQUUXnV2/.nC/$I.QiU3sYU0Oeo1r8X9NzW/RbxxyQCmVlQAbVHYSHhy/";

const char *
users_role_name(enum role role)
{
	return role == ROLE_OPERATOR ? "operator" : role == ROLE_VIEWER ? "viewer" : "none";
}

static bool
is_hash(const char *hash)
{
	static const char *const kinds[] = { "$y$", "$gy$", "$7$", "$2b$", "$2y$", "$2a$" };

	if (strcmp(hash, "*") == 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_starts(hash, kinds[i]))
			return strlen(hash) >= 40;
	return false;
}

/* Copies up to the separator; false: there is none, or the text is empty or too long. */
static bool
cut(const char **p, const char *end, char separator, char *out, size_t size)
{
	const char *stop = memchr(*p, separator, (size_t)(end - *p));
	size_t len;

	if (stop == NULL)
		stop = separator == '\n' ? end : NULL;
	if (stop == NULL)
		return false;
	len = (size_t)(stop - *p);
	if (len == 0 || len >= size || text_has_control(*p, len) ||
		text_utf8_valid(*p, len) != len)
		return false;
	memcpy(out, *p, len);
	out[len] = '\0';
	*p = stop < end ? stop + 1 : end;
	return true;
}

static bool
parse_line(const char *line, const char *end, struct console_user *user)
{
	char role[16];

	if (!cut(&line, end, ':', user->name, sizeof(user->name)) ||
		!cut(&line, end, ':', role, sizeof(role)) ||
		!cut(&line, end, '\n', user->hash, sizeof(user->hash)) || line != end)
		return false;
	user->role = strcmp(role, "operator") == 0 ? ROLE_OPERATOR
		: strcmp(role, "viewer") == 0      ? ROLE_VIEWER
						   : ROLE_NONE;
	return user->role != ROLE_NONE && is_hash(user->hash);
}

int
users_find(const char *text, size_t len, const char *name, struct console_user *user,
	struct err *err)
{
	const char *p = text, *end = text + len;
	struct console_user one, chosen;
	int found = 0;

	for (unsigned line = 1; p < end; line++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		const char *last = stop != NULL ? stop : end;

		if (last > p && last[-1] == '\r')
			last--;
		if (last > p && *p != '#') {
			if (!parse_line(p, last, &one))
				return err_set(err, ERR_CONFIG,
					"line %u: not name:role:hash with role viewer or operator and a "
					"hash of yescrypt, scrypt or bcrypt",
					line);
			if (!found && strcmp(one.name, name) == 0) {
				chosen = one;
				found = 1;
			}
		}
		p = stop != NULL ? stop + 1 : end;
	}
	if (found)
		*user = chosen;
	return found;
}

int
users_read(const char *path, const char *name, struct console_user *user, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, USERS_BYTES_MAX);
	rc = file_read(path, &text, NULL, err);
	if (rc == 0) {
		rc = users_find(buf_str(&text), text.len, name, user, err);
		if (rc < 0)
			err_wrap(err, "%s", path);
	}
	if (text.data != NULL)
		mem_wipe(text.data, text.cap);
	buf_free(&text);
	return rc;
}

static bool
same_bytes(const char *a, const char *b, size_t n)
{
	unsigned char differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

bool
users_verify(const struct console_user *user, const char *password)
{
	bool usable = user != NULL && strcmp(user->hash, "*") != 0 &&
		strlen(password) <= PASSWORD_MAX;
	const char *hash = usable ? user->hash : nobody;
	struct crypt_data *data = mem_alloc(sizeof(*data));
	const char *got = crypt_r(usable ? password : "no password", hash, data);
	bool same = got != NULL && got[0] == '$' && strlen(got) == strlen(hash) &&
		same_bytes(got, hash, strlen(hash));

	mem_wipe(data, sizeof(*data));
	free(data);
	return same && usable;
}

int
users_hash(const char *password, char hash[USER_HASH_MAX + 1], struct err *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data;
	const char *got;
	size_t len = strlen(password);

	if (len == 0 || len > PASSWORD_MAX || text_has_control(password, len))
		return err_set(err, ERR_USAGE,
			"a password has 1 to %d bytes without control characters",
			PASSWORD_MAX);
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return err_set(err, ERR_SYSTEM, "libcrypt has no yescrypt");
	data = mem_alloc(sizeof(*data));
	got = crypt_r(password, setting, data);
	if (got != NULL && got[0] == '$')
		snprintf(hash, USER_HASH_MAX + 1, "%s", got);
	else
		err_set(err, ERR_SYSTEM, "libcrypt cannot hash the password");
	len = got != NULL && got[0] == '$';
	mem_wipe(data, sizeof(*data));
	free(data);
	return len ? 0 : -1;
}
