// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* scandir */
#include "provider_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "mem.h"
#include "text.h"

enum { FILES_MAX = 10000 };

/* A path that is relative to the directory of the file `beside`. */
static char *
resolve(const char *beside, const char *path)
{
	const char *slash = strrchr(beside, '/');
	size_t dir = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - beside) + 1;
	size_t size = dir + strlen(path) + 1;
	char *full = mem_alloc(size);

	snprintf(full, size, "%.*s%s", (int)dir, beside, path);
	return full;
}

/* Takes over the path. */
static void
add_path(struct provider_files *files, char *path)
{
	files->paths = mem_grow(files->paths, files->n_paths + 2, sizeof(*files->paths));
	files->paths[files->n_paths++] = path;
	files->paths[files->n_paths] = NULL;
}

static void
read_file(struct provider_files *files, const char *path, struct config_errors *errors)
{
	struct config *config;

	if (files->n == FILES_MAX) {
		config_error(errors, NULL, "%s: more than %d files", path, FILES_MAX);
		return;
	}
	if (config_load(&config, path, errors) != 0)
		return;
	config_set_beside(config);
	files->file = mem_grow(files->file, files->n + 1, sizeof(struct config *));
	files->file[files->n++] = config;
}

static int
is_wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
		(text_ends(entry->d_name, ".yaml") || text_ends(entry->d_name, ".yml"));
}

static void
read_directory(struct provider_files *files, const char *path, struct config_errors *errors)
{
	struct dirent **entry;
	int n = scandir(path, &entry, is_wanted, alphasort);

	if (n < 0) {
		config_error(errors, NULL, "%s: %s", path, err_strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		size_t size = strlen(path) + strlen(entry[i]->d_name) + 2;
		char *one = mem_alloc(size);

		snprintf(one, size, "%s/%s", path, entry[i]->d_name);
		add_path(files, one);
		read_file(files, one, errors);
		free(entry[i]);
	}
	free(entry);
}

void
provider_files_load(struct provider_files *files, const char *config_path, char *const *from,
	struct config_errors *errors)
{
	struct stat st;

	*files = (struct provider_files){ .n = 0 };
	for (; from != NULL && *from != NULL; from++) {
		char *path = resolve(config_path, *from);

		add_path(files, path);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			read_directory(files, path, errors);
		else
			read_file(files, path, errors);
	}
}

void
provider_files_free(struct provider_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		config_free(files->file[i]);
	for (size_t i = 0; i < files->n_paths; i++)
		free(files->paths[i]);
	free(files->file);
	free(files->paths);
	*files = (struct provider_files){ .n = 0 };
}

void
provider_files_each(const struct provider_files *files, provider_files_fn *fn, void *ctx)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct config_node *root = config_root(files->file[i]), *item;
		const struct config_node *list = config_get(root, "eventProviders");
		const char *path = config_file_path(files->file[i]);

		if (list == NULL)
			list = root;
		if (config_item(list, 0) == NULL)
			fn(ctx, list, path);
		for (size_t k = 0; (item = config_item(list, k)) != NULL; k++)
			fn(ctx, item, path);
	}
}
