// SPDX-License-Identifier: Apache-2.0
/* Compares two files. */
#include <string.h>

#include "config_tree.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The nodes of a tree follow each other: a node, then the trees of its children. */
static bool
same_tree(const struct config_node *a, const struct config_node *b)
{
	for (size_t left = 1; left > 0; left--, a++, b++) {
		if (a->kind != b->kind || a->n != b->n || a->plain != b->plain ||
			!same_text(a->key, b->key) || !same_text(a->text, b->text) ||
			!same_text(a->env_unset, b->env_unset))
			return false;
		left += a->n;
	}
	return true;
}

/* The node, or the first one after it that counts. */
static const struct config_node *
next_that_counts(const struct config_node *node, const char *const *except)
{
	while (node != NULL) {
		const char *const *key = except;

		while (*key != NULL && !same_text(*key, node->key))
			key++;
		if (*key == NULL)
			return node;
		node = STAILQ_NEXT(node, link);
	}
	return NULL;
}

bool
config_same(const struct config *a, const struct config *b, const char *const *except)
{
	static const char *const none[] = { NULL };
	const struct config_node *x = config_root(a), *y = config_root(b);

	if (x == NULL || y == NULL || x->kind != y->kind)
		return x == y;
	if (x->kind != NODE_MAP)
		return same_tree(x, y);
	if (except == NULL)
		except = none;
	x = next_that_counts(STAILQ_FIRST(&x->children), except);
	y = next_that_counts(STAILQ_FIRST(&y->children), except);
	while (x != NULL && y != NULL && same_tree(x, y)) {
		x = next_that_counts(STAILQ_NEXT(x, link), except);
		y = next_that_counts(STAILQ_NEXT(y, link), except);
	}
	return x == NULL && y == NULL;
}
