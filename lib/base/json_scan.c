// SPDX-License-Identifier: Apache-2.0
/* Scans JSON text strictly, and decodes its strings. */
#include "json.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

enum { JSON_DEPTH_MAX = 512 };

void
json_skip_blanks(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r'))
		(*p)++;
}

static int
hex4(const char *s, const char *end)
{
	int v = 0, i;

	if (end - s < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return -1;
		v = v * 16 +
			(isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
	}
	return v;
}

/* After a backslash; leaves *p at the last byte of the escape. */
static bool
skip_escape(const char **p, const char *end)
{
	if (*p == end)
		return false;
	if (**p != 'u')
		return **p != '\0' && strchr("\"\\/bfnrt", **p) != NULL;
	if (hex4(*p + 1, end) < 0)
		return false;
	*p += 4;
	return true;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/*
 * Whether one of 8 bytes is a control character, a quote or a backslash. A byte is 0 if and
 * only if subtracting 1 borrows into its highest bit:
 * https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
 */
static bool
ends_run(uint64_t bytes)
{
	uint64_t quote = bytes ^ (EACH_BYTE * '"'), backslash = bytes ^ (EACH_BYTE * '\\'),
		 found = ((bytes - EACH_BYTE * 0x20) & ~bytes) |
		((quote - EACH_BYTE) & ~quote) | ((backslash - EACH_BYTE) & ~backslash);

	return (found & (EACH_BYTE * 0x80)) != 0;
}

/* The end of a run of ordinary characters; *all collects their bits. */
static const unsigned char *
skip_run(const unsigned char *c, const unsigned char *stop, uint64_t *all)
{
	uint64_t bytes;

	for (; stop - c >= (ptrdiff_t)sizeof(bytes); c += sizeof(bytes)) {
		memcpy(&bytes, c, sizeof(bytes));
		if (ends_run(bytes))
			break;
		*all |= bytes;
	}
	for (; c < stop && *c >= 0x20 && *c != '"' && *c != '\\'; c++)
		*all |= *c;
	return c;
}

static bool
skip_string(const char **p, const char *end)
{
	const unsigned char *c = (const unsigned char *)*p + 1, *start = c,
			    *stop = (const unsigned char *)end;
	uint64_t all = 0;

	for (;; c++) {
		c = skip_run(c, stop, &all);
		if (c == stop || *c < 0x20)
			return false;
		if (*c == '"')
			break;
		if (*c == '\\') {
			*p = (const char *)c + 1;
			if (!skip_escape(p, end))
				return false;
			c = (const unsigned char *)*p;
		}
	}
	*p = (const char *)c + 1;
	return (all & (EACH_BYTE * 0x80)) == 0 ||
		text_utf8_valid((const char *)start, (size_t)(c - start)) ==
		(size_t)(c - start);
}

static bool
skip_digits(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end && isdigit((unsigned char)**p))
		(*p)++;
	return *p != start;
}

static bool
skip_number(const char **p, const char *end)
{
	if (**p == '-')
		(*p)++;
	if (*p < end && **p == '0')
		(*p)++;
	else if (!skip_digits(p, end))
		return false;
	if (*p < end && **p == '.') {
		(*p)++;
		if (!skip_digits(p, end))
			return false;
	}
	if (*p < end && (**p | 32) == 'e') {
		(*p)++;
		if (*p < end && (**p == '+' || **p == '-'))
			(*p)++;
		return skip_digits(p, end);
	}
	return true;
}

static bool
skip_word(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool
skip_scalar(const char **p, const char *end)
{
	switch (**p) {
	case '"':
		return skip_string(p, end);
	case 't':
		return skip_word(p, end, "true");
	case 'f':
		return skip_word(p, end, "false");
	case 'n':
		return skip_word(p, end, "null");
	default:
		return skip_number(p, end);
	}
}

/* After "{" or ",": the name and the colon of the next member. */
static bool
skip_name(const char **p, const char *end)
{
	json_skip_blanks(p, end);
	if (*p == end || **p != '"' || !skip_string(p, end))
		return false;
	json_skip_blanks(p, end);
	if (*p == end || **p != ':')
		return false;
	(*p)++;
	return true;
}

/* An object or an array. */
static bool
skip_nested(const char **p, const char *end)
{
	char closer[JSON_DEPTH_MAX];
	size_t depth = 0;

	for (;;) {
		json_skip_blanks(p, end);
		if (*p == end)
			return false;
		if (**p == '{' || **p == '[') {
			char close = **p == '{' ? '}' : ']';

			if (depth == JSON_DEPTH_MAX)
				return false;
			closer[depth++] = close;
			(*p)++;
			json_skip_blanks(p, end);
			if (*p == end)
				return false;
			if (**p != close) {
				if (close == '}' && !skip_name(p, end))
					return false;
				continue;
			}
		} else if (!skip_scalar(p, end)) {
			return false;
		} else {
			json_skip_blanks(p, end);
		}
		/*
		 * after a value: close the objects and arrays that end here, then start the
		 * next value
		 */
		while (*p < end && depth != 0 && **p == closer[depth - 1]) {
			(*p)++;
			if (--depth == 0)
				return true;
			json_skip_blanks(p, end);
		}
		if (*p == end || **p != ',')
			return false;
		(*p)++;
		if (closer[depth - 1] == '}' && !skip_name(p, end))
			return false;
	}
}

bool
json_skip_value(const char **p, const char *end)
{
	json_skip_blanks(p, end);
	if (*p == end)
		return false;
	return **p == '{' || **p == '[' ? skip_nested(p, end) : skip_scalar(p, end);
}

static void
add_utf8(struct buf *b, unsigned c)
{
	char out[4];

	buf_add(b, out, text_utf8_encode(c, out));
}

/*
 * The \uXXXX at s (after the backslash); a surrogate pair counts as one. Returns the bytes
 * read, or 0.
 */
static size_t
add_unicode_escape(struct buf *b, const char *s, const char *end)
{
	int high = hex4(s + 1, end), low;

	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	if (high < 0xd800 || high > 0xdbff) {
		add_utf8(b, (unsigned)high);
		return 5;
	}
	if (end - s < 11 || s[5] != '\\' || s[6] != 'u')
		return 0;
	low = hex4(s + 7, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	add_utf8(b, 0x10000U + (((unsigned)high - 0xd800U) << 10) + ((unsigned)low - 0xdc00U));
	return 11;
}

bool
json_decode_string(const char *s, size_t len, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *end = s + len - 1, *known;

	if (len < 2 || s[0] != '"' || *end != '"')
		return false;
	for (s++; s < end;) {
		size_t run = 0;

		while (s + run < end && s[run] != '\\' && (unsigned char)s[run] >= 0x20)
			run++;
		buf_add(b, s, run);
		s += run;
		if (s == end)
			break;
		if (*s != '\\' || ++s == end)
			return false;
		if (*s == 'u') {
			size_t n = add_unicode_escape(b, s, end);

			if (n == 0)
				return false;
			s += n;
			continue;
		}
		if (*s == '\0' || (known = strchr(from, *s)) == NULL)
			return false;
		buf_add_char(b, to[known - from]);
		s++;
	}
	return buf_ok(b);
}
