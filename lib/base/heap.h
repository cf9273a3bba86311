// SPDX-License-Identifier: Apache-2.0
/*
 * A binary heap: it gives the node with the smallest key. A node is a member of the caller's
 * struct and stores its position, so any node can be removed.
 */
#ifndef VCOURIER_HEAP_H
#define VCOURIER_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key; /* the smallest is first */
	size_t at;   /* position in heap->node */
};

struct heap { /* { .n = 0 } is an empty one */
	struct heap_node **node;
	size_t n, cap;
};

void heap_free(struct heap *heap); /* not the nodes */
void heap_add(struct heap *heap, struct heap_node *node, int64_t key);
void heap_remove(struct heap *heap, struct heap_node *node); /* it is in the heap */

/* The node with the smallest key; NULL when the heap is empty. */
static inline struct heap_node *
heap_first(const struct heap *heap)
{
	return heap->n > 0 ? heap->node[0] : NULL;
}

#endif
