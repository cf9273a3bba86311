// SPDX-License-Identifier: Apache-2.0
/* YAML to JSON text, for values that are JSON: event patterns. */
#include "config_tree.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

enum { JSON_TEXT_MAX = 256 * 1024 };

/*
 * A plain scalar that is a JSON number or literal stays one; every other scalar becomes a
 * string.
 */
static void
add_scalar(struct buf *out, const struct config_node *node)
{
	const char *p = node->text, *end = p + strlen(p);
	bool literal = node->plain && *p != '"' && *p != '[' && *p != '{' && *p != ' ';

	if (literal && json_skip_value(&p, end) && p == end)
		buf_add_str(out, node->text);
	else
		json_add_string(out, node->text, strlen(node->text));
}

static void
add_open(struct buf *out, const struct config_node *node)
{
	if (node->index != 0)
		buf_add_char(out, ',');
	if (node->key != NULL) {
		json_add_string(out, node->key, strlen(node->key));
		buf_add_char(out, ':');
	}
}

static void
add_value(struct buf *out, const struct config_node *node)
{
	switch (node->kind) {
	case NODE_NULL:
		buf_add_str(out, "null");
		break;
	case NODE_SCALAR:
		add_scalar(out, node);
		break;
	case NODE_LIST:
		buf_add_char(out, '[');
		break;
	case NODE_MAP:
		buf_add_char(out, '{');
		break;
	}
}

static void
add_close(struct buf *out, const struct config_node *node)
{
	if (node->kind == NODE_LIST)
		buf_add_char(out, ']');
	else if (node->kind == NODE_MAP)
		buf_add_char(out, '}');
}

static void
add_tree(struct buf *out, const struct config_node *root)
{
	const struct config_node *node = root;

	add_value(out, root);
	for (;;) {
		if (!STAILQ_EMPTY(&node->children)) {
			node = STAILQ_FIRST(&node->children);
		} else {
			add_close(out, node);
			while (node != root && STAILQ_NEXT(node, link) == NULL) {
				node = node->parent;
				add_close(out, node);
			}
			if (node == root)
				return;
			node = STAILQ_NEXT(node, link);
		}
		add_open(out, node);
		add_value(out, node);
	}
}

int
config_json(const struct config_node *node, char **out, struct config_errors *errors)
{
	struct buf b;

	buf_init(&b, JSON_TEXT_MAX);
	if (node->kind == NODE_SCALAR && (node->text[0] == '{' || node->text[0] == '[')) {
		const char *p = node->text, *end = p + strlen(p);

		buf_add_str(&b, node->text); /* a string that contains JSON */
		if (!json_skip_value(&p, end) || p + strspn(p, " \t\r\n") != end) {
			config_error(errors, node, "not valid JSON at character %zu",
				(size_t)(p - node->text) + 1);
			goto fail;
		}
	} else {
		add_tree(&b, node);
	}
	if (!buf_ok(&b)) {
		config_error(errors, node, "larger than 256 KiB as JSON");
		goto fail;
	}
	*out = buf_take(&b, NULL);
	return 0;
fail:
	buf_free(&b);
	return -1;
}
