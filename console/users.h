// SPDX-License-Identifier: Apache-2.0
/*
 * The users file: one user a line, `name:role:hash`. Empty lines and lines that begin with #
 * do not count. The hash is that of crypt(5): yescrypt, scrypt or bcrypt; "*" for a user whom
 * only a proxy authenticates.
 */
#ifndef VCOURIER_USERS_H
#define VCOURIER_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR };

enum { USER_NAME_MAX = 64, USER_HASH_MAX = 256, USERS_BYTES_MAX = 256 * 1024 };

struct console_user {
	enum role role;
	char name[USER_NAME_MAX + 1];
	char hash[USER_HASH_MAX + 1];
};

const char *users_role_name(enum role role);

/*
 * Looks a user up in the text of the file. 1: found, 0: not there. -1: a line is not valid; the
 * error names its number, never its content.
 */
int users_find(const char *text, size_t len, const char *name, struct console_user *user,
	struct err *err);

/* The same of a file, which is read at each call. */
int users_read(const char *path, const char *name, struct console_user *user, struct err *err);

/*
 * Whether it is the user's password. Takes a tenth of a second or so, also when user is NULL:
 * an unknown name is not noticed by the time.
 */
bool users_verify(const struct console_user *user, const char *password);

/* The hash of a password, for the users file. -1: the password is empty or too long. */
int users_hash(const char *password, char hash[USER_HASH_MAX + 1], struct err *err);

#endif
