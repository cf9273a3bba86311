// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "function_secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory.h"
#include "mem.h"
#include "secret.h"
#include "text.h"

enum { KEYS_MAX = 1000, NAME_MAX_BYTES = 253 };

/* Of a Secret or of a key: it becomes a part of a path. */
static bool
is_part_of_path(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0 &&
		strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
		n;
}

static char *
in_directory(const char *directory, const char *name)
{
	struct buf path;

	buf_init(&path, 16 * 1024);
	buf_printf(&path, "%s/%s", directory, name);
	return buf_take(&path, NULL);
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
function_secret_open(struct function_secret *secret, const struct function_sources *sources,
	bool optional, struct config_errors *errors)
{
	secret->directory = NULL;
	secret->node = manifest_find(sources->objects,
		&(struct manifest_query){ secret->kind, secret->name, secret->where });
	if (secret->node != NULL)
		return true;
	if (!is_part_of_path(secret->name)) {
		config_error(errors, secret->where, "\"%.64s\" is no name of a %s",
			secret->name, secret->kind);
		return false;
	}
	if (strcmp(secret->kind, "Secret") == 0)
		secret->directory = in_directory(sources->secrets, secret->name);
	if (secret->directory != NULL && is_directory(secret->directory))
		return true;
	if (!optional && secret->directory != NULL)
		config_error(errors, secret->where,
			"the Secret \"%.64s\" is in none of the files, and there is no directory %.200s",
			secret->name, secret->directory);
	else if (!optional)
		config_error(errors, secret->where, "the %s \"%.64s\" is in none of the files",
			secret->kind, secret->name);
	free(secret->directory);
	secret->directory = NULL;
	return false;
}

void
function_secret_close(struct function_secret *secret)
{
	free(secret->directory);
	secret->directory = NULL;
}

static char *
value_in_file(
	const struct function_secret *secret, const char *key, struct config_errors *errors)
{
	struct secret file = { .value = NULL };
	char *value = NULL;
	struct err err;

	if (!is_part_of_path(key))
		return NULL;
	file.file = in_directory(secret->directory, key);
	if (secret_read(&file, &value, &err) != 0 && err.code != ERR_NOT_FOUND)
		config_error(errors, secret->where, "%s", err.text);
	free(file.file);
	return value;
}

char *
function_secret_value(
	const struct function_secret *secret, const char *key, struct config_errors *errors)
{
	const struct config_node *data = config_get(secret->node, "data");
	char *value;

	if (secret->node == NULL)
		return value_in_file(secret, key, errors);
	if (strcmp(secret->kind, "Secret") != 0)
		return mem_strdup(config_text(config_get(data, key)));
	value = manifest_secret_value(secret->node, key);
	if (value == NULL && config_get(data, key) != NULL)
		config_error(errors, config_get(data, key),
			"must be base64 of a text without NUL bytes");
	return value;
}

/* ---- all keys */

static void
each_of(const struct function_secret *secret, const char *member, struct config_errors *errors,
	function_secret_fn *fn, void *ctx)
{
	const struct config_field row[] = { { member, CONFIG_MAP, 0 }, { NULL } };
	struct config_errors other; /* about the other members of the document */
	char **map = NULL, *value;

	config_errors_init(&other);
	config_bind(secret->node, row, &map, sizeof(map), &other);
	for (char **pair = map; pair != NULL && *pair != NULL; pair += 2) {
		value = function_secret_value(secret, pair[0], errors);
		if (value != NULL)
			fn(ctx, pair[0], value);
		mem_free_secret(value);
		mem_wipe(pair[1], strlen(pair[1]));
	}
	config_release(row, &map);
	config_errors_free(&other);
}

void
function_secret_each(const struct function_secret *secret, struct config_errors *errors,
	function_secret_fn *fn, void *ctx)
{
	static const char *const all[] = { "", NULL };
	struct directory keys;
	struct err err;

	if (secret->node != NULL) {
		each_of(secret, "data", errors, fn, ctx);
		if (strcmp(secret->kind, "Secret") == 0)
			each_of(secret, "stringData", errors, fn, ctx);
		return;
	}
	if (directory_read(&keys, secret->directory, all, KEYS_MAX, &err) != 0) {
		config_error(errors, secret->where, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < keys.n; i++) {
		char *value = value_in_file(secret, keys.name[i], errors);

		if (value != NULL)
			fn(ctx, keys.name[i], value);
		mem_free_secret(value);
	}
	directory_free(&keys);
}
