// SPDX-License-Identifier: Apache-2.0
/* The heap against a search of all nodes, over random operations. */
#include "test.h"

#include <stdbool.h>

#include "hash.h"
#include "heap.h"

enum { NODES = 300, STEPS = 100000 };

static void
the_smallest_is_first(void **state)
{
	struct heap_node node[NODES];
	bool in[NODES] = { false };
	struct heap heap = { .n = 0 };
	uint64_t random = 42;
	size_t n = 0;

	(void)state;
	assert_null(heap_first(&heap));
	for (int i = 0; i < STEPS; i++) {
		uint64_t r = hash_splitmix64(&random);
		size_t k = (size_t)(r % NODES);
		int64_t least = INT64_MAX;

		if (in[k])
			heap_remove(&heap, &node[k]);
		else
			heap_add(&heap, &node[k], (int64_t)(r >> 32) % 1000 - 500);
		n += in[k] ? (size_t)-1 : 1;
		in[k] = !in[k];
		assert_int_equal(heap.n, n);
		for (size_t j = 0; j < NODES; j++)
			if (in[j] && node[j].key < least)
				least = node[j].key;
		if (n > 0)
			assert_true(heap_first(&heap)->key == least);
		else
			assert_null(heap_first(&heap));
	}
	heap_free(&heap);
	assert_null(heap_first(&heap));
}

/* Removed one by one from the front, nodes come in the order of their keys. */
static void
in_order(void **state)
{
	struct heap_node node[NODES];
	struct heap heap = { .n = 0 };
	int64_t last = INT64_MIN;

	(void)state;
	for (int i = 0; i < NODES; i++)
		heap_add(&heap, &node[i], (i * 7919) % NODES);
	for (int i = 0; i < NODES; i++) {
		struct heap_node *first = heap_first(&heap);

		assert_true(first->key >= last);
		last = first->key;
		heap_remove(&heap, first);
	}
	assert_int_equal(heap.n, 0);
	heap_free(&heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_smallest_is_first),
		cmocka_unit_test(in_order) };

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
