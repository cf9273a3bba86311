// SPDX-License-Identifier: Apache-2.0
/*
 * Input: text from outside on its way to a terminal, to a log line and to JSON. None of it
 * steers the reader, a log line is one line, JSON says what it said before, and a password in
 * a URL is masked.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "fuzz.h"
#include "json.h"
#include "log.h"
#include "printable.h"
#include "session_open.h"
#include "text.h"

ssize_t __real_writev(int fd, const struct iovec *parts, int n);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int n);

static bool logging;
static struct buf logged;

ssize_t
__wrap_writev(int fd, const struct iovec *parts, int n)
{
	size_t before = logged.len;

	if (!logging)
		return __real_writev(fd, parts, n);
	for (int i = 0; i < n; i++)
		buf_add(&logged, parts[i].iov_base, parts[i].iov_len);
	return (ssize_t)(logged.len - before);
}

static void
check_log(enum log_format format, const char *text)
{
	const char *line, *p;

	log_init(LOG_DEBUG, format, "cli", "fuzz");
	buf_init(&logged, 1 << 20);
	logging = true;
	log_debug("constant", L_STR("value", text), L_INT("n", 7), L_MS("ms", 90000),
		L_BOOL("yes", true));
	logging = false;
	line = buf_str(&logged);
	assert(logged.len > 0 && line[logged.len - 1] == '\n');
	assert(printable_is(line, logged.len - 1));
	p = line;
	if (format == LOG_JSON)
		assert(json_skip_value(&p, line + logged.len) && *p == '\n');
	assert(strstr(line, "://fuzz:secret@") == NULL);
	buf_free(&logged);
}

static void
check_terminal(const char *text, size_t size)
{
	struct buf out;
	char *printed;
	size_t len;

	buf_init(&out, 3 * size + 1);
	printable_add(&out, text, size);
	assert(buf_ok(&out) && printable_is(buf_str(&out), out.len));
	assert(!printable_is(text, size) ||
		(out.len == size && (size == 0 || memcmp(out.data, text, size) == 0)));
	buf_clear(&out);
	printable_add_lines(&out, text, size);
	assert(buf_ok(&out));
	for (size_t at = 0, line; at < out.len; at += line + 1) {
		line = strcspn(buf_str(&out) + at, "\n\t");
		assert(printable_is(buf_str(&out) + at, line));
	}
	buf_free(&out);
	fuzz_print_begin();
	session_print_safe(stdout, text, 20);
	printed = fuzz_printed(&len);
	assert(len <= 60 && printable_is(printed, len));
	free(printed);
	fuzz_print_begin();
	printable_line(stdout, "%.*s", (int)size, text);
	printed = fuzz_printed(&len);
	assert(len > 0 && printed[len - 1] == '\n' && printable_is(printed, len - 1));
	free(printed);
	fuzz_print_begin();
	printable_lines(stdout, text, size);
	printed = fuzz_printed(&len);
	for (size_t i = 0; i < len; i++)
		assert(printed[i] != '\x1b' && printed[i] != '\x7f' && printed[i] != '\r');
	free(printed);
}

static void
check_json(const char *text, size_t size)
{
	struct buf out, again;
	const char *p;

	buf_init(&out, 8 * size + 2);
	buf_init(&again, 8 * size + 2);
	printable_add_json_string(&out, text, size);
	p = buf_str(&out);
	assert(json_skip_value(&p, buf_str(&out) + out.len) && *p == '\0');
	assert(buf_ok(&out) && printable_is(buf_str(&out), out.len));
	buf_clear(&out);
	if (printable_add_json(&out, text, size)) {
		assert(buf_ok(&out) && printable_is(buf_str(&out), out.len));
		/* it is one JSON value, and as printable as it can be */
		assert(printable_add_json(&again, buf_str(&out), out.len));
		assert(again.len == out.len && memcmp(again.data, out.data, out.len) == 0);
	} else {
		assert(out.len == 0);
	}
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_parts parts;
	const char *text;

	fuzz_parts_init(&parts, data, size);
	text = fuzz_part(&parts);
	check_log(LOG_LOGFMT, text);
	check_log(LOG_JSON, text);
	check_terminal(text, strlen(text));
	check_json(text, strlen(text));
	check_terminal(parts.text, size);
	check_json(parts.text, size);
	fuzz_parts_free(&parts);
	return 0;
}
