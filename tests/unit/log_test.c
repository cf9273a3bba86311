// SPDX-License-Identifier: Apache-2.0
/* Lines of one kind are limited, each is counted, and other kinds are not touched. */
#define _GNU_SOURCE /* memfd_create */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "log_limit.h"

static void
intervals_and_sums(void **state)
{
	struct log_limit limit = { 0 };
	struct log_kind sum;
	unsigned written = 0;

	(void)state;
	for (int i = 0; i < 40000; i++)
		written += log_limit_take(&limit, i == 777 ? LOG_ERROR : LOG_WARN, "a", i);
	assert_int_equal(written, LOG_LIMIT_LINES);
	assert_true(log_limit_take(&limit, LOG_INFO, "b", 40000));
	assert_false(log_limit_sum(&limit, false, LOG_LIMIT_MS - 1, &sum));
	assert_true(log_limit_sum(&limit, false, LOG_LIMIT_MS, &sum));
	assert_string_equal(sum.msg, "a");
	assert_int_equal(sum.left_out, 40000 - LOG_LIMIT_LINES);
	assert_int_equal(sum.level, LOG_ERROR);
	assert_false(log_limit_sum(&limit, true, LOG_LIMIT_MS, &sum));
	/* the next interval begins with the next line */
	written = 0;
	for (int i = 0; i < 200; i++)
		written += log_limit_take(&limit, LOG_WARN, "a", 3 * LOG_LIMIT_MS);
	assert_int_equal(written, LOG_LIMIT_LINES);
	assert_true(log_limit_sum(&limit, true, 3 * LOG_LIMIT_MS, &sum));
	assert_int_equal(sum.left_out, 200 - LOG_LIMIT_LINES);
	assert_int_equal(sum.level, LOG_WARN);
	log_limit_free(&limit);
}

/* One line a second never reaches the limit; the interval moves on with them. */
static void
a_slow_kind_is_written_whole(void **state)
{
	struct log_limit limit = { 0 };
	struct log_kind sum;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(log_limit_take(&limit, LOG_INFO, "a", i * 1000));
	assert_false(log_limit_sum(&limit, true, 2000 * 1000, &sum));
	log_limit_free(&limit);
}

static void
more_kinds_than_are_kept(void **state)
{
	struct log_limit limit = { 0 };
	char msg[16];

	(void)state;
	for (int i = 0; i < 2 * LOG_LIMIT_KINDS; i++) {
		snprintf(msg, sizeof(msg), "%d", i);
		for (int n = 0; n < LOG_LIMIT_LINES; n++)
			assert_true(log_limit_take(&limit, LOG_INFO, msg, 0));
		assert_int_equal(
			log_limit_take(&limit, LOG_INFO, msg, 0), i >= LOG_LIMIT_KINDS);
	}
	log_limit_free(&limit);
}

/* What is written to standard error from now on goes into a file in memory. */
static int
divert(int *old)
{
	int file = memfd_create("log", 0);

	assert_true(file >= 0);
	*old = dup(STDERR_FILENO);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	return file;
}

static void
take_back(int file, int old, struct buf *text)
{
	off_t size = lseek(file, 0, SEEK_END);

	dup2(old, STDERR_FILENO);
	close(old);
	buf_init(text, 1 << 20);
	assert_int_equal(pread(file, buf_room(text, (size_t)size), (size_t)size, 0), size);
	buf_grew(text, (size_t)size);
	close(file);
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void
the_log_keeps_the_limit(void **state)
{
	uint64_t before = log_count(LOG_WARN), debug = log_count(LOG_DEBUG);
	struct buf text;
	int old, file;

	(void)state;
	log_init(LOG_DEBUG, LOG_LOGFMT, "test", NULL);
	file = divert(&old);
	for (int i = 0; i < 5000; i++) {
		log_warn("flood", L_INT("i", i));
		log_debug("detail", L_INT("i", i));
		if (i % 100 == 0)
			log_warn("another", L_INT("i", i));
	}
	log_sums(true);
	log_sums(true);
	take_back(file, old, &text);
	assert_int_equal(count(buf_str(&text), " msg=flood "), LOG_LIMIT_LINES);
	assert_int_equal(count(buf_str(&text), " msg=another "), 50);
	assert_int_equal(count(buf_str(&text), " msg=detail "), 5000);
	assert_int_equal(count(buf_str(&text), " kind=flood left_out=4900 "), 1);
	assert_int_equal(count(buf_str(&text), " kind="), 1);
	assert_int_equal(count(buf_str(&text), "level=warn "), LOG_LIMIT_LINES + 50 + 1);
	assert_int_equal(log_count(LOG_WARN) - before, 5050);
	assert_int_equal(log_count(LOG_DEBUG) - debug, 5000);
	assert_int_equal(log_left_out(), 4900);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(intervals_and_sums),
		cmocka_unit_test(a_slow_kind_is_written_whole),
		cmocka_unit_test(more_kinds_than_are_kept),
		cmocka_unit_test(the_log_keeps_the_limit) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
