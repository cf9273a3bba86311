// SPDX-License-Identifier: Apache-2.0
/* The files of a function: a reader sees the old or the new one, never a part. */
#ifndef VCOURIER_FUNCTION_FILES_H
#define VCOURIER_FUNCTION_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

struct function_file {
	const char *path; /* with the root */
	const char *text; /* NULL: there must be no such file */
	mode_t mode;      /* 0600: a secret, which is never printed */
};

/*
 * Writes or removes the file, if it is not as it should be; its directory is made, mode 0700
 * for a secret, else 0755. *changed becomes true when something was changed.
 */
int function_file_write(const struct function_file *file, bool *changed, struct err *err);

/* Whether the file has another text, or does not exist. */
bool function_file_differs(const struct function_file *file);

/* Somebody else's file is at this place: it does not begin with FUNCTION_WRITTEN. */
bool function_file_is_foreign(const char *path);

/* What would be written, for --dry-run: values of secrets as ***. */
void function_file_print(const struct function_file *file);

/* 0 when there is no such file. removed becomes true when there was one. */
int function_file_remove(const char *path, bool *removed, struct err *err);

#endif
