// SPDX-License-Identifier: Apache-2.0
/*
 * The environment of a function's container, as two files. A line of podman's --env-file is
 * NAME=VALUE, as it is, so it cannot have a value with a line feed. Such a value is in a file
 * of systemd, in quotes, and podman passes it on by its name.
 */
#ifndef VCOURIER_FUNCTION_ENV_H
#define VCOURIER_FUNCTION_ENV_H

#include <stddef.h>

#include "buf.h"
#include "function_spec.h"
#include "manifest_objects.h"

struct function_sources {
	const struct manifest_objects *objects; /* of the manifests that were given */
	const char *secrets; /* a directory: SECRET/KEY, for Secrets that are in no manifest */
};

struct function_env_files {
	struct buf lines;  /* for podman; secret */
	struct buf quoted; /* for systemd; secret */
	char **name;       /* of the variables in `quoted`, n of them */
	size_t n;
};

/* -1: errors has the reasons. Free the files in both cases. */
int function_env_read(struct function_env_files *files, const struct function_spec *spec,
	const struct function_sources *sources, struct config_errors *errors);
void function_env_free(struct function_env_files *files);

/*
 * The login to a registry, of the first imagePullSecret that there is, as Docker's config.json.
 * To be freed with mem_free_secret. NULL: none is named, or errors has the reason.
 */
char *function_env_login(const struct function_spec *spec,
	const struct function_sources *sources, struct config_errors *errors);

#endif
