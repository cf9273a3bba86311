// SPDX-License-Identifier: Apache-2.0
/* The hash table against a plain array, over random operations. */
#include "test.h"

#include <string.h>

#include "hash.h"
#include "table.h"

enum { KEYS = 500, STEPS = 200000 };

struct pair {
	uint32_t key, value; /* value: 1 or more */
};

/* Few home slots, all of them close together: most entries are not in their own. */
static uint64_t
bad_hash(const void *entry, uint64_t seed)
{
	return ((const struct pair *)entry)->key % 7 + seed;
}

static uint64_t
good_hash(const void *entry, uint64_t seed)
{
	return table_hash_numbers(((const struct pair *)entry)->key, 1, seed);
}

static bool
same(const void *a, const void *b)
{
	return ((const struct pair *)a)->key == ((const struct pair *)b)->key;
}

static bool
is_even(const void *entry, void *ctx)
{
	(void)ctx;
	return ((const struct pair *)entry)->key % 2 == 0;
}

static void
check_all(const struct table *t, const uint32_t value[KEYS], size_t n)
{
	const struct pair *p = NULL;
	size_t met = 0;

	assert_int_equal(t->n, n);
	while ((p = table_next(t, p)) != NULL) {
		assert_int_equal(p->value, value[p->key]);
		met++;
	}
	assert_int_equal(met, n);
	for (uint32_t key = 0; key < KEYS; key++)
		assert_int_equal(
			table_find(t, &(struct pair){ .key = key }) != NULL, value[key] != 0);
}

static void
compare(const struct table_type *type, int steps)
{
	uint32_t value[KEYS] = { 0 };
	uint64_t random = 42;
	struct table t;
	size_t n = 0;

	table_init(&t, type);
	for (int i = 0; i < steps; i++) {
		uint64_t r = hash_splitmix64(&random);
		struct pair new = { (uint32_t)(r % KEYS), (uint32_t)i + 1 }, *p;

		p = table_find(&t, &new);
		assert_int_equal(p != NULL ? p->value : 0, value[new.key]);
		if (r >> 63) {
			p = table_add(&t, &new);
			n += value[new.key] == 0;
			value[new.key] = value[new.key] != 0 ? value[new.key] : new.value;
			assert_int_equal(p->value, value[new.key]);
		} else if (p != NULL) {
			table_remove(&t, p);
			n--;
			value[new.key] = 0;
		}
		if (i % (steps / 4) == steps / 5) {
			table_keep(&t, is_even, NULL);
			for (size_t key = 1; key < KEYS; key += 2) {
				n -= value[key] != 0;
				value[key] = 0;
			}
			check_all(&t, value, n);
		}
	}
	check_all(&t, value, n);
	table_free(&t);
	assert_int_equal(t.n, 0);
	assert_null(table_find(&t, &(struct pair){ .key = 1 }));
	assert_null(table_next(&t, NULL));
}

static void
as_an_array_would_say(void **state)
{
	static const struct table_type good = { sizeof(struct pair), good_hash, same };
	static const struct table_type bad = { sizeof(struct pair), bad_hash, same };

	(void)state;
	compare(&good, STEPS);
	compare(&bad, STEPS / 50);
}

static void
memory_follows_the_entries(void **state)
{
	static const struct table_type type = { sizeof(struct pair), good_hash, same };
	struct table t;

	(void)state;
	table_init(&t, &type);
	for (uint32_t i = 0; i < 100000; i++) { /* entries that come and go take no memory */
		struct pair *p = table_add(&t, &(struct pair){ i, 1 });

		assert_true(t.slots <= 16);
		table_remove(&t, p);
	}
	for (uint32_t i = 0; i < 1000; i++)
		table_add(&t, &(struct pair){ 2 * i + 1, 1 });
	assert_true(t.slots >= 1500 && t.slots <= 3000);
	table_keep(&t, is_even, NULL);
	assert_int_equal(t.n, 0);
	assert_int_equal(t.slots, 16);
	table_free(&t);
}

struct word {
	const char *text;
};

static void
strings(void **state)
{
	static const struct table_type type = { sizeof(struct word), table_hash_name,
		table_same_name };
	char copy[] = "VmPoweredOnEvent";
	struct table t;

	(void)state;
	table_init(&t, &type);
	table_add(&t, &(struct word){ "VmPoweredOnEvent" });
	table_add(&t, &(struct word){ "" });
	assert_non_null(table_find(&t, &(struct word){ copy }));
	assert_non_null(table_find(&t, &(struct word){ "" }));
	assert_null(table_find(&t, &(struct word){ "VmPoweredOffEvent" }));
	assert_int_equal(t.n, 2);
	table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_an_array_would_say),
		cmocka_unit_test(memory_follows_the_entries), cmocka_unit_test(strings) };

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
