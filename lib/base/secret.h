// SPDX-License-Identifier: Apache-2.0
/*
 * A secret is a value in the configuration or the path of a file. The file is read again at
 * each use, so a rotated secret needs no restart.
 */
#ifndef VCOURIER_SECRET_H
#define VCOURIER_SECRET_H

#include <stdbool.h>

#include "err.h"

struct secret {
	char *value; /* inline; NULL when it comes from a file */
	/* path; NULL when inline. The config parser resolves names without a slash. */
	char *file;
};

/* True when a value or a file is configured. The file may still be missing. */
bool secret_is_set(const struct secret *s);

/*
 * Copies the secret's current value to *out, without one trailing line end. The caller frees it
 * with mem_free_secret. Fails when no secret is configured, and when the file cannot be read,
 * is no regular file, is empty, is larger than 64 KiB or holds a NUL byte.
 */
int secret_read(const struct secret *s, char **out, struct err *err);

/* Takes the same time for a wrong guess, whatever part of it is right. */
bool secret_is_same(const char *guess, const char *want);

#endif
