// SPDX-License-Identifier: Apache-2.0
/* Whole files: what is read, and what is refused without blocking. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "files.h"
#include "mem.h"

static char dir[] = "/tmp/file_test.XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[sizeof(dir) + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
prepare(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	write_file(path_of("text"), "one\ntwo\n", 8, 0600);
	write_file(path_of("empty"), "", 0, 0600);
	write_file(path_of("open"), "x", 1, 0666);
	return mkfifo(path_of("fifo"), 0600);
}

static int
clean(void **state)
{
	static const char *const names[] = { "text", "empty", "open", "fifo", "large" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void
a_file_is_appended(void **state)
{
	struct file_info info;
	struct err err;
	struct buf out;

	(void)state;
	buf_init(&out, 9);
	buf_add_str(&out, "<");
	assert_int_equal(file_read(path_of("text"), &out, &info, &err), 0);
	assert_int_equal(file_read(path_of("empty"), &out, NULL, &err), 0);
	assert_string_equal(buf_str(&out), "<one\ntwo\n");
	assert_false(info.world_writable);
	buf_clear(&out);
	assert_int_equal(file_read(path_of("open"), &out, &info, &err), 0);
	assert_true(info.world_writable);
	buf_free(&out);
}

/* A buffer that grows while it reads a key would leave copies of it in freed memory. */
static void
the_room_is_made_at_once(void **state)
{
	enum { SIZE = 100 * 1000 };
	char *text = mem_alloc(SIZE);
	struct err err;
	struct buf out;

	(void)state;
	memset(text, 'k', SIZE);
	write_file(path_of("large"), text, SIZE, 0600);
	buf_init(&out, 2 * SIZE);
	assert_int_equal(file_read(path_of("large"), &out, NULL, &err), 0);
	assert_int_equal(out.len, SIZE);
	assert_int_equal(out.cap, SIZE + 1);
	buf_free(&out);
	free(text);
}

static void
what_is_no_file_is_refused(void **state)
{
	static const struct {
		const char *name;
		enum err_code code;
		const char *text;
	} rows[] = { { "missing", ERR_NOT_FOUND, "No such file" },
		{ "text/below", ERR_NOT_FOUND, "Not a directory" },
		{ "fifo", ERR_CONFIG, "is not a regular file" },
		{ ".", ERR_CONFIG, "is a directory" },
		{ "text", ERR_LIMIT, "larger than 7 bytes" } };
	struct err err;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&out, 7);
		assert_int_equal(file_read(path_of(rows[i].name), &out, NULL, &err), -1);
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_non_null(strstr(err.text, dir));
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_file_is_appended),
		cmocka_unit_test(the_room_is_made_at_once),
		cmocka_unit_test(what_is_no_file_is_refused) };

	return cmocka_run_group_tests(tests, prepare, clean);
}
