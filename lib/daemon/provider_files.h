// SPDX-License-Identifier: Apache-2.0
/*
 * The files that `eventProvidersFrom` names: eventProviders beside those in the configuration
 * file itself, one small file for each vCenter. A path is a file, or a directory of which each
 * *.yaml and *.yml is read, in the order of their names, hidden ones left out. A file holds one
 * eventProvider, a list of them, or the key eventProviders with a list.
 */
#ifndef VCOURIER_PROVIDER_FILES_H
#define VCOURIER_PROVIDER_FILES_H

#include <stddef.h>

#include "config.h"

struct provider_files {
	struct config **file; /* those that could be read */
	size_t n;
	char **paths; /* NULL-terminated, to watch: directories, and all files in them */
	size_t n_paths;
};

/*
 * config_path: the configuration file; a path that is not absolute is relative to its
 * directory. from: NULL-terminated, or NULL. Errors are added to `errors`; the other files are
 * read all the same.
 */
void provider_files_load(struct provider_files *files, const char *config_path,
	char *const *from, struct config_errors *errors);
void provider_files_free(struct provider_files *files);

/* Calls fn for each eventProvider; file: where it is from. */
typedef void provider_files_fn(void *ctx, const struct config_node *entry, const char *file);
void provider_files_each(const struct provider_files *files, provider_files_fn *fn, void *ctx);

#endif
