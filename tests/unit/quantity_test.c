// SPDX-License-Identifier: Apache-2.0
/* Expected values: the examples of Kubernetes' page on quantities, and arithmetic by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quantity.h"

static void
reads(void **state)
{
	static const struct {
		const char *text;
		int64_t thousandths;
	} cases[] = {
		{ "1", 1000 },
		{ "0.5", 500 },
		{ "500m", 500 },
		{ "100m", 100 },
		{ "128974848", INT64_C(128974848000) },
		{ "129M", INT64_C(129000000000) },
		{ "123Mi", INT64_C(128974848000) },
		{ "128974848000m", INT64_C(128974848000) },
		{ "1.5Gi", INT64_C(1610612736000) },
		{ "0.1Ki", 102400 },
		{ "1k", 1000000 },
		{ "2T", INT64_C(2000000000000000) },
		{ "1Ti", INT64_C(1099511627776000) },
		{ "0.0001", 1 }, /* rounded up */
		{ "1.0005m", 2 },
		{ "007", 7000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t value = -1;

		assert_true(quantity_read(cases[i].text, &value));
		assert_int_equal(value, cases[i].thousandths);
	}
}

static void
refuses(void **state)
{
	static const char *const cases[] = { "", "0", "0Mi", "0.0", "-1", "+1", "m", "Mi", ".5",
		"1.", "1.Mi", "1 Mi", "1mi", "1MB", "1e3", "1E", "512MiB", "0x10", "1,5",
		"9223372036854775808", "9223372036854775807", "99999999Ti", "1\n", NULL };
	int64_t value = 7;

	(void)state;
	for (size_t i = 0; cases[i] != NULL; i++)
		assert_false(quantity_read(cases[i], &value));
	assert_int_equal(value, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
