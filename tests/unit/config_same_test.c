// SPDX-License-Identifier: Apache-2.0
/* Whether two files have the same values. */
#define _GNU_SOURCE /* unsetenv */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "files.h"

static struct config *
load(const char *text)
{
	struct config_errors errors;
	struct config *config;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/config_same_test.%ld.yaml", (long)getpid());
	write_file(path, text, strlen(text), 0600);
	config_errors_init(&errors);
	assert_int_equal(config_load(&config, path, &errors), 0);
	config_errors_free(&errors);
	unlink(path);
	return config;
}

static void
values_are_compared(void **state)
{
	static const char *const except[] = { "list", "map", NULL };
	static const struct {
		const char *a, *b;
		bool same, same_but;
	} rows[] = {
		{ "x: 1", "x: 1", true, true },
		{ "x: 1", "# comment\nx:   1", true, true },
		{ "{x: {y: [1, 2]}}", "x:\n  y:\n  - 1\n  - 2\n", true, true },
		{ "x: 1", "x: 2", false, false },
		{ "x: 1", "x: '1'", false, false },
		{ "x: 1", "y: 1", false, false },
		{ "x: 1", "x: 1\ny: 2", false, false },
		{ "x: 1\ny: 2", "x: 1", false, false },
		{ "x: [1, 2]", "x: [1]", false, false },
		{ "x: [[1], 2]", "x: [[1, 2]]", false, false },
		{ "x: {y: 1}", "x: {y: 1, z: 1}", false, false },
		{ "x: 1\nlist: [1]", "x: 1\nlist: [1, 2]", false, true },
		{ "list: [1]\nx: 1", "x: 1\nmap: {y: 2}", false, true },
		{ "list: [1]\nx: 1", "list: [1]\nx: 2", false, false },
		{ "x: {list: 1}", "x: {list: 2}", false, false },
		{ "list: 1", "map: 1", false, true },
		{ "[1, 2]", "[1, 2]", true, true },
		{ "[1, 2]", "[1, 3]", false, false },
		{ "[1]", "x: 1", false, false },
		{ "text", "text", true, true },
		{ "x: ${CONFIG_SAME_TEST}", "x: ${CONFIG_SAME_TEST_2}", false, false },
		{ "x: ${CONFIG_SAME_TEST:-v}", "x: ${CONFIG_SAME_TEST:-w}", false, false },
	};

	(void)state;
	unsetenv("CONFIG_SAME_TEST");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *a = load(rows[i].a), *b = load(rows[i].b);

		if (config_same(a, b, NULL) != rows[i].same ||
			config_same(b, a, NULL) != rows[i].same ||
			config_same(a, b, except) != rows[i].same_but ||
			config_same(b, a, except) != rows[i].same_but)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
		config_free(a);
		config_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_compared),
	};

	return cmocka_run_group_tests_name("config_same", tests, NULL, NULL);
}
