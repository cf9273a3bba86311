// SPDX-License-Identifier: Apache-2.0
#include "printable.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "text.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The code point of a valid UTF-8 sequence and its length. */
static uint32_t
code_point(const char *text, size_t *len)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80) {
		*len = 1;
		return s[0];
	}
	if (s[0] < 0xe0) {
		*len = 2;
		return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
	}
	if (s[0] < 0xf0) {
		*len = 3;
		return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 |
			(s[2] & 0x3f);
	}
	*len = 4; /* contains none of the code points in question */
	return 0x10000;
}

static bool
has_effect(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e ||
		c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool
printable_is(const char *text, size_t len)
{
	size_t n;

	if (text_utf8_valid(text, len) != len)
		return false;
	for (size_t i = 0; i < len; i += n)
		if (has_effect(code_point(text + i, &n)))
			return false;
	return true;
}

static void
add(struct buf *out, const char *text, size_t len, bool lines)
{
	size_t valid = text_utf8_valid(text, len), n;

	for (size_t i = 0; i < len; i += n) {
		uint32_t c;

		if (i >= valid) {
			valid = i + text_utf8_valid(text + i, len - i);
			if (valid == i) { /* one byte that is not UTF-8 */
				buf_add_str(out, replacement);
				n = 1;
				continue;
			}
		}
		c = code_point(text + i, &n);
		if (c == '\n' || c == '\r' || c == '\t')
			buf_add_char(out, lines && c != '\r' ? (char)c : ' ');
		else if (has_effect(c))
			buf_add_str(out, replacement);
		else
			buf_add(out, text + i, n);
	}
}

void
printable_add(struct buf *out, const char *text, size_t len)
{
	add(out, text, len, false);
}

void
printable_add_lines(struct buf *out, const char *text, size_t len)
{
	add(out, text, len, true);
}

static void
print(FILE *to, const char *text, size_t len,
	void (*append)(struct buf *, const char *, size_t))
{
	struct buf out;

	buf_init(&out, (sizeof(replacement) - 1) * len + 1); /* for each byte at most that */
	append(&out, text, len);
	fwrite(buf_str(&out), 1, out.len, to);
	buf_free(&out);
}

void
printable_line(FILE *to, const char *fmt, ...)
{
	char *text = mem_alloc(LINE_MAX_BYTES);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, LINE_MAX_BYTES, fmt, ap);
	va_end(ap);
	printable_text(to, text, strlen(text));
	fputc('\n', to);
	free(text);
}

void
printable_text(FILE *to, const char *text, size_t len)
{
	print(to, text, len, printable_add);
}

void
printable_lines(FILE *to, const char *text, size_t len)
{
	print(to, text, len, printable_add_lines);
}

bool
printable_json(FILE *to, const char *text, size_t len)
{
	struct buf line;
	bool valid;

	buf_init(&line, JSON_ESCAPED_MAX * len + 1);
	valid = printable_add_json(&line, text, len);
	if (valid) {
		fwrite(buf_str(&line), 1, line.len, to);
		fputc('\n', to);
	}
	buf_free(&line);
	return valid;
}

/*
 * Writes valid JSON as one line. Line breaks occur between values only, the other code points
 * in strings only.
 */
static void
add_json(struct buf *out, const char *json, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		uint32_t c = code_point(json + i, &n);

		if (c == '\n' || c == '\r' || c == '\t')
			buf_add_char(out, ' ');
		else if (has_effect(c))
			buf_printf(out, "\\u%04x", (unsigned)c);
		else
			buf_add(out, json + i, n);
	}
}

void
printable_add_json_string(struct buf *out, const char *text, size_t len)
{
	struct buf plain;

	buf_init(&plain, 6 * len + 2); /* the longest escape of a byte has six characters */
	json_add_string(&plain, text, len);
	add_json(out, buf_str(&plain), plain.len);
	buf_free(&plain);
}

bool
printable_add_json(struct buf *out, const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	if (!json_skip_value(&p, end))
		return false;
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	if (p != end)
		return false;
	add_json(out, text, len);
	return true;
}
