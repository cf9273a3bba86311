// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "provider_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory.h"
#include "err.h"
#include "mem.h"

enum { FILES_MAX = 10000 };

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

static void
read_directory(struct provider_files *files, const char *path, struct config_errors *errors)
{
	static const char *const suffixes[] = { ".yaml", ".yml", NULL };
	struct directory d;
	struct err err;

	if (directory_read(&d, path, suffixes, FILES_MAX, &err) != 0) {
		config_error(errors, NULL, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		size_t size = strlen(path) + strlen(d.name[i]) + 2;
		char *one = mem_alloc(size);

		snprintf(one, size, "%s/%s", path, d.name[i]);
		add_path(files, one);
		read_file(files, one, errors);
	}
	directory_free(&d);
}

void
provider_files_load(struct provider_files *files, const char *config_path, char *const *from,
	struct config_errors *errors)
{
	struct stat st;

	*files = (struct provider_files){ .n = 0 };
	for (; from != NULL && *from != NULL; from++) {
		char *path = directory_beside(config_path, *from);

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
