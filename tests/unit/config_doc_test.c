// SPDX-License-Identifier: Apache-2.0
/*
 * What the configuration reader takes and refuses before it looks for options: YAML, files,
 * bombs.
 */
#define _GNU_SOURCE /* mkdtemp */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "files.h"
#include "mem.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1 /* its shadow memory is not ours to count */
#endif
#endif

static char dir[] = "/tmp/config_doc_test.XXXXXX";
static char file[64];

static const struct {
	const char *text;
	size_t len;       /* 0: strlen */
	const char *want; /* part of the errors; NULL: loads */
} documents[] = {
	{ "a: 1\n", 0, NULL },
	{ "\xef\xbb\xbf"
	  "a: 1\r\nb: 2\r\n",
		0, NULL },
	{ "%YAML 1.1\n---\na: 1\n...\n", 0, NULL },
	{ "", 0, "has no content" },
	{ "# nothing\n\n", 0, "has no content" },
	{ "a: 1\na: 2\n", 0, ":2:1: a: duplicate key, first at line 1" },
	{ "x:\n  b: {c: 1, c: 2}\n", 0, ":2:13: x.b.c: duplicate key, first at line 2" },
	{ "a: 1\n---\nb: 2\n", 0, ":2:1: a second document" },
	{ "a: &x 1\nb: *x\n", 0, ":1:4: anchors are not supported" },
	{ "a: &x 1\nb: *x\n", 0, ":2:4: aliases are not supported" },
	{ "a: !!python/object 1\n", 0, ":1:4: tags are not supported" },
	{ "a: !x [1]\n", 0, ":1:4: tags are not supported" },
	{ "? [a, b]\n: 1\n", 0, ":1:3: a key must be a word" },
	{ "a:\n\tb: 1\n", 0, ":2:1: a tab where YAML needs spaces" },
	{ "a: 1\nb: \"x\n", 0, ":3:1: " },
	{ "a: 1\n b: 2\n", 0, ":2:" },
	{ "a: 1\nb: caf\xe9\n", 0, ":2:7: not UTF-8" },
	{ "a: 1\nb: \0x\n", 11, ":2:4: a NUL byte" },
	{ "a: 1\nb: \x01\n", 0, ":2:4: control characters are not allowed" },
	{ "\xff\xfe"
	  "a\0:\0",
		6, ":1:1: not UTF-8" },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]", 0, ":1:33: nested too deeply" },
	{ "- ]\n", 0, ":1:3: " },
};

static void
yaml_is_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		struct config_errors errors;
		struct config *config;
		int rc;

		config_errors_init(&errors);
		write_file(file, documents[i].text,
			documents[i].len ? documents[i].len : strlen(documents[i].text), 0600);
		rc = config_load(&config, file, &errors);
		if (documents[i].want == NULL
				? rc != 0
				: strstr(buf_str(&errors.text), documents[i].want) == NULL)
			fail_msg("document %zu: want \"%s\", got \"%s\"", i, documents[i].want,
				buf_str(&errors.text));
		assert_true((rc == 0) == (config != NULL));
		config_free(config);
		config_errors_free(&errors);
	}
}

static void
odd_files_are_refused(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = { { "none", "No such file" }, { "dir", "is a directory" },
		{ "fifo", "not a regular file" }, { "big", "larger than 1 MiB" } };
	char path[96], *big = mem_alloc(CONFIG_FILE_MAX + 1);

	(void)state;
	snprintf(path, sizeof(path), "%s/dir", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/big", dir);
	memset(big, '#', CONFIG_FILE_MAX + 1);
	write_file(path, big, CONFIG_FILE_MAX + 1, 0600);
	free(big);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_errors errors;
		struct config *config;

		config_errors_init(&errors);
		snprintf(path, sizeof(path), "%s/%s", dir, cases[i].name);
		assert_int_equal(config_load(&config, path, &errors), -1);
		assert_null(config);
		assert_int_equal(errors.n, 1);
		assert_non_null(strstr(buf_str(&errors.text), cases[i].want));
		unlink(path);
		rmdir(path);
		config_errors_free(&errors);
	}
}

/* One unit of text many times, up to the size limit: what a bomb looks like. */
static const char *const bombs[] = { "[", "{", "{a: ", "- ", "? ", "a: ", "&a [", "*a ", "!!a ",
	"'", "\"", "\"\\", "|\n ", "a: [b,\n", "a\n", "- - - - \n", ": ", "%", "#\n", "-\n",
	"k: v\n", "[],", "\n", " ", "---\n", "a: \"\\u0041\"\n" };

static void
bombs_cost_little(void **state)
{
	char *text = mem_alloc(CONFIG_FILE_MAX);
	struct rusage usage;

	(void)state;
	for (size_t i = 0; i < COUNT(bombs); i++) {
		size_t n = strlen(bombs[i]), len = 0;
		struct config_errors errors;
		struct config *config;
		clock_t start = clock();

		for (; len + n <= CONFIG_FILE_MAX; len += n)
			memcpy(text + len, bombs[i], n);
		write_file(file, text, len, 0600);
		config_errors_init(&errors);
		config_load(&config, file, &errors);
		assert_true(errors.text.len < 16 * 1024);
		config_free(config);
		config_errors_free(&errors);
		if (clock() - start >
			CLOCKS_PER_SEC) /* CPU time: the bound that is promised, not a race */
			fail_msg("bomb \"%s\" took more than a second of CPU", bombs[i]);
	}
	free(text);
	getrusage(RUSAGE_SELF, &usage);
#ifndef SANITIZED
	assert_true(usage.ru_maxrss < 32 * 1024);
#endif
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/config.yaml", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_is_read_strictly),
		cmocka_unit_test(odd_files_are_refused),
		cmocka_unit_test(bombs_cost_little),
	};

	return cmocka_run_group_tests_name("config_doc", tests, setup, teardown);
}
