// SPDX-License-Identifier: Apache-2.0
#include "heap.h"

#include <stdlib.h>

#include "mem.h"

void
heap_free(struct heap *heap)
{
	free(heap->node);
	*heap = (struct heap){ .n = 0 };
}

static void
put(struct heap *heap, size_t at, struct heap_node *node)
{
	heap->node[at] = node;
	node->at = at;
}

static void
move_up(struct heap *heap, size_t at, struct heap_node *node)
{
	for (; at > 0 && heap->node[(at - 1) / 2]->key > node->key; at = (at - 1) / 2)
		put(heap, at, heap->node[(at - 1) / 2]);
	put(heap, at, node);
}

static void
move_down(struct heap *heap, size_t at, struct heap_node *node)
{
	for (size_t child = 2 * at + 1; child < heap->n; child = 2 * at + 1) {
		if (child + 1 < heap->n && heap->node[child + 1]->key < heap->node[child]->key)
			child++;
		if (heap->node[child]->key >= node->key)
			break;
		put(heap, at, heap->node[child]);
		at = child;
	}
	put(heap, at, node);
}

void
heap_add(struct heap *heap, struct heap_node *node, int64_t key)
{
	node->key = key;
	heap->node = mem_grow_for(heap->node, heap->n, &heap->cap, sizeof(struct heap_node *));
	move_up(heap, heap->n++, node);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
	struct heap_node *last = heap->node[--heap->n];
	size_t at = node->at;

	if (last == node)
		return;
	if (at > 0 && heap->node[(at - 1) / 2]->key > last->key)
		move_up(heap, at, last);
	else
		move_down(heap, at, last);
}
