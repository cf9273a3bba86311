// SPDX-License-Identifier: Apache-2.0
/* Fills structs from trees, by table. */
#define _DEFAULT_SOURCE /* statfs */
#include "config_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "mem.h"

#define FIELD(out, f) ((void *)((char *)(out) + (f)->offset))

enum { KEY_MAX = 64, RAMFS = (int)0x858458f6, TMPFS = 0x01021994 };

/* "password" -> "passwordFile": the key of the secret's file. */
static const char *
twin(const char *key, char buf[KEY_MAX])
{
	snprintf(buf, KEY_MAX, "%sFile", key);
	return buf;
}

static bool
given(const struct config_node *node)
{
	return node != NULL && node->kind != NODE_NULL;
}

void
config_check_keys(const struct config_node *map, const struct config_field *fields,
	struct config_errors *errors)
{
	const struct config_node *node;
	const struct config_field *f;
	char other[KEY_MAX];

	STAILQ_FOREACH(node, &map->children, link) {
		struct config_suggestion near = { .text = node->key };
		bool secret;

		for (f = fields; f->key != NULL; f++) {
			secret = f->type == CONFIG_SECRET;
			if (strcmp(node->key, f->key) == 0 ||
				(secret && strcmp(node->key, twin(f->key, other)) == 0))
				break;
			config_suggest(&near, f->key);
		}
		if (f->key == NULL && near.best != NULL)
			config_error(
				errors, node, "unknown key (did you mean \"%s\"?)", near.best);
		else if (f->key == NULL)
			config_error(errors, node, "unknown key");
	}
}

static int
bind_strings(const struct config_node *node, const struct config_field *f, void *out,
	struct config_errors *errors)
{
	struct config_field one = { .type = CONFIG_STRING, .flags = f->flags };
	bool map = f->type == CONFIG_MAP, single = node->kind == NODE_SCALAR && !map;
	const struct config_node *item = single ? node : STAILQ_FIRST(&node->children);
	char **list;
	size_t n = 0;
	int rc = 0;

	if (!single && node->kind != (map ? NODE_MAP : NODE_LIST)) {
		config_error(errors, node, "must be a %s", map ? "mapping" : "list");
		return -1;
	}
	list = mem_array(2 * node->n + 2, sizeof(*list));
	for (; item != NULL; item = single ? NULL : STAILQ_NEXT(item, link)) {
		if (map)
			list[n++] = mem_strdup(item->key);
		if (item->kind == NODE_NULL)
			list[n] = mem_strdup("");
		else if (config_value(item, &one, &list[n], errors) != 0)
			rc = -1;
		if (list[n] == NULL)
			list[n] = mem_strdup("");
		n++;
	}
	*(char ***)out = list;
	return rc;
}

/*
 * True for a file that users other than its owner may read; memory file systems (Kubernetes,
 * systemd) are protected otherwise.
 */
static void
check_secret_file(
	const struct config_node *node, const char *path, struct config_errors *errors)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) != 0)
		config_warning(errors, node, "this file cannot be read here");
	else if ((st.st_mode & (S_IROTH | S_IWOTH)) && statfs(path, &fs) == 0 &&
		fs.f_type != TMPFS && (int)fs.f_type != RAMFS)
		config_warning(errors, node,
			"every user of this machine may read this file: chmod o-rw");
}

/*
 * A file name without a slash is a systemd credential, if credentials are in use
 * (LoadCredential=, systemd.exec(5)).
 */
static char *
secret_path(const struct config_node *node, const char *text)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t size;
	char *path;

	if (dir == NULL || *dir == '\0' || strchr(text, '/') != NULL)
		return config_resolve(node, text);
	size = strlen(dir) + strlen(text) + 2;
	path = mem_alloc(size);
	snprintf(path, size, "%s/%s", dir, text);
	return path;
}

static int
bind_secret(const struct config_node *map, const struct config_field *f, struct secret *out,
	struct config_errors *errors)
{
	struct config_field text = { .type = CONFIG_STRING };
	char key[KEY_MAX], *path;
	const struct config_node *inl = config_get(map, f->key),
				 *file = config_get(map, twin(f->key, key));

	if (given(inl) && given(file)) {
		config_error(errors, file, "both %s and %s are given: keep one", f->key, key);
		return -1;
	}
	if (given(file)) {
		text.flags = CONFIG_REQUIRED;
		if (config_value(file, &text, &path, errors) != 0)
			return -1;
		out->file = secret_path(file, path);
		free(path);
		check_secret_file(file, out->file, errors);
	} else if (given(inl)) {
		struct config_node value = *inl;

		/* a password may have any characters: only a whole ${NAME} is a variable */
		if (inl->literal != NULL) {
			value.text = inl->literal;
			value.from_env = false;
			value.env_unset = NULL;
		}
		if (config_value(&value, &text, &out->value, errors) != 0)
			return -1;
		if (!value.from_env && !(f->flags & CONFIG_INLINE))
			config_warning(errors, inl,
				"the secret is in the file itself: with %s it is not, and can change without a restart",
				key);
	} else if (f->flags & CONFIG_REQUIRED) {
		config_error(errors, map, "%s or %s is missing", f->key, key);
		return -1;
	}
	return 0;
}

static int bind_fields(const struct config_node *map, const struct config_field *fields,
	void *out, struct config_errors *errors);

static int
bind_objects(const struct config_node *node, const struct config_field *f,
	struct config_list *out, struct config_errors *errors)
{
	const struct config_node *item;
	int rc = 0;

	if (node->kind != NODE_LIST) {
		config_error(errors, node, "must be a list");
		return -1;
	}
	out->items = mem_array(node->n, f->item_size);
	STAILQ_FOREACH(item, &node->children, link)
		if (bind_fields(item, f->fields, (char *)out->items + out->n++ * f->item_size,
			    errors) != 0)
			rc = -1;
	return rc;
}

/* The default, parsed like a value in a file. A test checks that every default is valid. */
static int
bind_default(const struct config_field *f, void *out, struct config_errors *errors)
{
	struct config_node node = {
		.kind = NODE_SCALAR, .text = mem_strdup(f->def), .plain = true
	};
	static const struct config nowhere = { .path = (char *)"default" };
	struct config_field quiet = *f;
	int rc;

	node.config = &nowhere;
	quiet.flags &= ~(unsigned)(CONFIG_INSECURE | CONFIG_FILE);
	rc = f->type == CONFIG_STRINGS   ? bind_strings(&node, &quiet, out, errors)
		: f->type == CONFIG_JSON ? config_json(&node, out, errors)
					 : config_value(&node, &quiet, out, errors);
	free(node.text);
	return rc;
}

static int
bind_missing(const struct config_node *map, const struct config_field *f, void *out,
	struct config_errors *errors)
{
	/*
	 * in an absent block every option has its default; its required options are required
	 * only when it is present
	 */
	if ((f->flags & CONFIG_REQUIRED) && map != NULL) {
		config_error(errors, map, "%s is missing", f->key);
		return -1;
	}
	if (f->type == CONFIG_OBJECT)
		return bind_fields(NULL, f->fields, out, errors);
	return f->def != NULL ? bind_default(f, out, errors) : 0;
}

static int
bind_present(const struct config_node *node, const struct config_field *f, void *out,
	struct config_errors *errors)
{
	if (node->env_unset != NULL) {
		config_error(errors, node, "the environment variable %s is not set",
			node->env_unset);
		return -1;
	}
	switch (f->type) {
	case CONFIG_STRINGS:
	case CONFIG_MAP:
		return bind_strings(node, f, out, errors);
	case CONFIG_OBJECT:
		return bind_fields(node, f->fields, out, errors);
	case CONFIG_OBJECTS:
		return bind_objects(node, f, out, errors);
	case CONFIG_JSON:
		return config_json(node, out, errors);
	case CONFIG_NODE:
		*(const struct config_node **)out = node;
		return 0;
	case CONFIG_CUSTOM:
		return f->custom(node, out, errors);
	default:
		return config_value(node, f, out, errors);
	}
}

/* map NULL: the block is absent. */
static int
bind_fields(const struct config_node *map, const struct config_field *fields, void *out,
	struct config_errors *errors)
{
	const struct config_field *f;
	size_t before = errors->n;

	if (map != NULL && map->kind != NODE_MAP) {
		config_error(errors, map, "must be a mapping (key: value lines)");
		return -1;
	}
	if (map != NULL)
		config_check_keys(map, fields, errors);
	for (f = fields; f->key != NULL; f++) {
		const struct config_node *node = config_get(map, f->key);

		if (given(node) && (f->flags & CONFIG_IGNORED))
			config_warning(errors, node, "is ignored: %s", f->help);
		else if (f->flags & CONFIG_IGNORED)
			continue;
		else if (f->type == CONFIG_SECRET && map != NULL)
			bind_secret(map, f, FIELD(out, f), errors);
		else if (given(node))
			bind_present(node, f, FIELD(out, f), errors);
		else
			bind_missing(map, f, FIELD(out, f), errors);
	}
	return errors->n == before ? 0 : -1;
}

int
config_bind(const struct config_node *map, const struct config_field *fields, void *out,
	size_t out_size, struct config_errors *errors)
{
	memset(out, 0, out_size);
	return bind_fields(given(map) ? map : NULL, fields, out, errors);
}

static void
release_strings(char ***list)
{
	char **s;

	for (s = *list; s != NULL && *s != NULL; s++)
		free(*s);
	free(*list);
	*list = NULL;
}

static void
release_objects(const struct config_field *f, struct config_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		config_release(f->fields, (char *)list->items + i * f->item_size);
	free(list->items);
	*list = (struct config_list){ 0 };
}

static void
release_secret(struct secret *secret)
{
	mem_free_secret(secret->value);
	free(secret->file);
	*secret = (struct secret){ 0 };
}

void
config_release(const struct config_field *fields, void *out)
{
	const struct config_field *f;

	for (f = fields; f->key != NULL; f++) {
		if (f->flags & CONFIG_IGNORED)
			continue;
		switch (f->type) {
		case CONFIG_STRING:
		case CONFIG_JSON:
		case CONFIG_CUSTOM:
			free(*(char **)FIELD(out, f));
			*(char **)FIELD(out, f) = NULL;
			break;
		case CONFIG_STRINGS:
		case CONFIG_MAP:
			release_strings(FIELD(out, f));
			break;
		case CONFIG_SECRET:
			release_secret(FIELD(out, f));
			break;
		case CONFIG_OBJECT:
			config_release(f->fields, FIELD(out, f));
			break;
		case CONFIG_OBJECTS:
			release_objects(f, FIELD(out, f));
			break;
		default:
			break;
		}
	}
}
