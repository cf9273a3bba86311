// SPDX-License-Identifier: Apache-2.0
#include "manifest_objects.h"

#include <string.h>

#include "base64.h"
#include "mem.h"

static void
add_object(struct manifest_objects *objects, const struct config_node *node)
{
	if (objects->n < MANIFEST_OBJECTS_MAX)
		objects->node[objects->n++] = node;
}

void
manifest_objects_add(struct manifest_objects *objects, const struct config *config)
{
	const struct config_node *document = NULL, *item;

	while ((document = config_next_document(config, document)) != NULL) {
		bool list = manifest_is_kind(document, "List");

		if (!list)
			add_object(objects, document);
		for (size_t i = 0; list && i < MANIFEST_OBJECTS_MAX &&
			(item = config_item(config_get(document, "items"), i)) != NULL;
			i++)
			add_object(objects, item);
	}
}

const char *
manifest_text(const struct config_node *node, const char *key)
{
	return config_text(config_get(node, key));
}

bool
manifest_is_kind(const struct config_node *node, const char *kind)
{
	const char *text = manifest_text(node, "kind");

	return text != NULL && strcmp(text, kind) == 0;
}

const char *
manifest_name(const struct config_node *node)
{
	const char *name = manifest_text(config_get(node, "metadata"), "name");

	return name != NULL ? name : "";
}

/* NULL: not given, so it is the one of the command that applies the file. */
static const char *
namespace_of(const struct config_node *node)
{
	return manifest_text(config_get(node, "metadata"), "namespace");
}

const struct config_node *
manifest_find(const struct manifest_objects *objects, const struct manifest_query *query)
{
	const char *namespace = namespace_of(query->near), *other;
	const struct config_node *found = NULL;

	for (size_t i = 0; i < objects->n; i++) {
		other = namespace_of(objects->node[i]);
		if (manifest_is_kind(objects->node[i], query->kind) &&
			strcmp(manifest_name(objects->node[i]), query->name) == 0 &&
			(namespace == NULL || other == NULL || strcmp(namespace, other) == 0))
			found = objects->node[i];
	}
	return found;
}

void
manifest_use(struct manifest_objects *objects, const struct config_node *node)
{
	for (size_t i = 0; i < objects->n; i++)
		if (objects->node[i] == node)
			objects->used[i] = true;
}

char *
manifest_secret_value(const struct config_node *secret, const char *key)
{
	const char *plain = manifest_text(config_get(secret, "stringData"), key),
		   *encoded = manifest_text(config_get(secret, "data"), key);
	struct buf out;
	bool ok;

	if (plain != NULL)
		return mem_strdup(plain);
	if (encoded == NULL)
		return NULL;
	buf_init(&out, MANIFEST_SECRET_MAX);
	ok = base64_decode(&out, encoded, strlen(encoded)) && strlen(buf_str(&out)) == out.len;
	if (ok && out.len > 0)
		return buf_take(&out, NULL);
	mem_wipe(out.data, out.len);
	buf_free(&out);
	return ok ? mem_strdup("") : NULL;
}
