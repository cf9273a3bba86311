// SPDX-License-Identifier: Apache-2.0
/* The passwords of `vcourier import`, each in a file of its own. */
#ifndef VCOURIER_IMPORT_SECRETS_H
#define VCOURIER_IMPORT_SECRETS_H

#include <stddef.h>

#include "err.h"

struct import_secret {
	char *name, *value; /* the name of the file; its content */
};

/* Creates the directory; mode 0600, and no file may exist yet. ERR_SYSTEM names the file. */
int import_secrets_write(
	const char *directory, const struct import_secret *secret, size_t n, struct err *err);

#endif
