// SPDX-License-Identifier: Apache-2.0
/* Directories: the files of one that is read again when it changes, and paths in one. */
#ifndef VCOURIER_DIRECTORY_H
#define VCOURIER_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct directory {
	char **name; /* sorted */
	size_t n;
	uint64_t bytes; /* of all files together */
	/*
	 * Changes when a file is added, removed, renamed, replaced or written. Kubernetes
	 * replaces a symbolic link, editors replace the file.
	 */
	uint64_t signature;
};

/*
 * Reads the names that end in one of `suffixes` (NULL-terminated) and do not begin with a dot.
 * ERR_LIMIT: there are more than `max`. On failure *d is empty.
 */
int directory_read(struct directory *d, const char *path, const char *const *suffixes,
	size_t max, struct err *err);
void directory_free(struct directory *d);

/* A path that is relative to the directory of a file, to be freed by the caller. */
char *directory_beside(const char *file, const char *path);

#endif
