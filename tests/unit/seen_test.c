// SPDX-License-Identifier: Apache-2.0
/* The set of identities against a naive list, over random operations. */
#include "test.h"

#include <string.h>
#include <time.h>

#include "hash.h"
#include "seen.h"

enum { KEYS = 200, TIMES = 50, STEPS = 200000 };

static void
as_a_list_would_say(void **state)
{
	static bool there[KEYS][TIMES];
	uint64_t random = 42;
	struct seen s;
	size_t n = 0;

	(void)state;
	memset(there, 0, sizeof(there));
	seen_init(&s);
	for (int i = 0; i < STEPS; i++) {
		uint64_t r = hash_splitmix64(&random);
		int key = (int)(r % KEYS), t = (int)(r >> 16) % TIMES;
		bool *is;

		t = t < 0 ? -t : t;
		is = &there[key][t];
		assert_int_equal(
			seen_has(&s, key - KEYS / 2, (int64_t)t * 1000 + (int64_t)(r >> 60)),
			*is);
		if (r >> 63) {
			assert_int_equal(
				seen_add(&s, key - KEYS / 2, (int64_t)t * 1000 + 999), !*is);
			n += !*is;
			*is = true;
		} else {
			seen_remove(&s, key - KEYS / 2, (int64_t)t * 1000);
			n -= *is;
			*is = false;
		}
		assert_int_equal(s.events.n, n);
		if (i % 50000 == 49999) {
			seen_prune(&s, 20 * 1000, INT32_MAX);
			for (int k = 0; k < KEYS; k++)
				for (int u = 0; u < 20; u++) {
					n -= there[k][u];
					there[k][u] = false;
				}
			assert_int_equal(s.events.n, n);
		}
	}
	seen_free(&s);
}

static void
a_key_with_another_time(void **state)
{
	struct seen s;

	(void)state;
	seen_init(&s);
	assert_false(seen_reused(&s, 7, 5000));
	for (int key = 0; key < 5000; key++)
		seen_add(&s, key, 1000 * (int64_t)key);
	assert_false(seen_reused(&s, 7, 7000 + 999)); /* the same millisecond: the same event */
	assert_true(seen_reused(&s, 7, 9000));
	assert_false(seen_reused(&s, 5000, 9000));
	s.epoch++;
	assert_false(seen_reused(&s, 7, 9000));
	seen_add(&s, 7, 9000);
	assert_true(seen_reused(&s, 7, 9999000));
	assert_true(seen_has(&s, 7, 7000) && seen_has(&s, 7, 9000));
	seen_free(&s);
}

/* Whether a key has another time, against a list; some of its events are removed again. */
static void
reused_as_a_list_would_say(void **state)
{
	bool there[8][4] = { { false } };
	uint64_t random = 43;
	struct seen s;

	(void)state;
	seen_init(&s);
	for (int i = 0; i < STEPS; i++) {
		uint64_t r = hash_splitmix64(&random);
		int key = (int)(r % 8), t = (int)((r >> 16) % 4);
		bool others = false;

		for (int u = 0; u < 4; u++)
			others |= u != t && there[key][u];
		assert_int_equal(seen_reused(&s, key, t * 1000), others);
		there[key][t] = (r >> 20) % 2 == 0;
		if (there[key][t])
			seen_add(&s, key, t * 1000);
		else
			seen_remove(&s, key, t * 1000);
		if (r % 1000 == 0) {
			s.epoch++;
			seen_prune(&s, INT64_MAX, INT32_MAX / 2);
			memset(there, 0, sizeof(there));
			assert_int_equal(s.events.n, 0);
		}
	}
	/* keys that come and go: no slot is lost to them */
	for (int key = 0; key < STEPS; key++) {
		assert_true(seen_add(&s, key, 9000));
		seen_remove(&s, key, 9000);
	}
	assert_true(s.keys.slots <= 2048 && s.events.slots <= 2048);
	seen_free(&s);
}

static double
cpu_of(int n, bool same_key)
{
	clock_t start = clock();
	struct seen s;

	seen_init(&s);
	for (int i = 0; i < n; i++) {
		seen_reused(&s, same_key ? 7 : i, (int64_t)i * 1000);
		assert_true(seen_add(&s, same_key ? 7 : i, (int64_t)i * 1000));
	}
	assert_int_equal(s.events.n, n);
	seen_free(&s);
	return (double)(clock() - start);
}

/* Of one key there may be very many: they cost no more than as many different ones. */
static void
one_key_very_often(void **state)
{
	(void)state;
	assert_true(
		cpu_of(100000, true) <= 20 * (cpu_of(100000, false) + CLOCKS_PER_SEC / 100));
}

/* A long history: what is kept takes no more memory at its end than soon after its start. */
static void
memory_of_a_long_history(void **state)
{
	const size_t max = 2 << 20, page = 1000, needed = 3000;
	struct seen s;
	size_t prunes = 0;

	(void)state;
	seen_init(&s);
	for (int32_t key = 0; key < 300000; key++) {
		seen_add(&s, key, key * INT64_C(1000000));
		if ((size_t)key % page == 0 && seen_is_large(&s)) {
			seen_prune(&s, (key - (int32_t)needed) * INT64_C(1000000), key);
			prunes++;
		}
		assert_true(s.events.slots * sizeof(struct seen_entry) +
				s.keys.slots * sizeof(struct seen_key) <=
			max);
	}
	assert_in_range(prunes, 5, 20);
	/* everything is needed: it is looked through no more often than it doubles */
	for (int32_t key = 300000; key < 600000; key++) {
		seen_add(&s, key, key * INT64_C(1000000));
		if ((size_t)key % page == 0 && seen_is_large(&s)) {
			seen_prune(&s, 0, key);
			prunes++;
		}
	}
	assert_in_range(prunes, 5, 25);
	seen_free(&s);
}

static void
milliseconds(void **state)
{
	(void)state;
	assert_int_equal(seen_ms(1999), 1);
	assert_int_equal(seen_ms(-1), -1);
	assert_int_equal(seen_ms(-1000), -1);
	assert_int_equal(seen_ms(-1001), -2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_a_list_would_say),
		cmocka_unit_test(a_key_with_another_time),
		cmocka_unit_test(reused_as_a_list_would_say),
		cmocka_unit_test(one_key_very_often),
		cmocka_unit_test(memory_of_a_long_history), cmocka_unit_test(milliseconds) };

	return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
