// SPDX-License-Identifier: Apache-2.0
/* Writes JSON strings, byte for byte as Go does. */
#include "json.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

/*
 * 0: as it is; 'u': \u00XX; 'x': part of a multi-byte character; else the letter after the
 * backslash
 */
static const char escape_of[256] = {
	['\0'] = 'u',
	[1] = 'u',
	[2] = 'u',
	[3] = 'u',
	[4] = 'u',
	[5] = 'u',
	[6] = 'u',
	[7] = 'u',
	['\b'] = 'u',
	['\t'] = 't',
	['\n'] = 'n',
	[11] = 'u',
	['\f'] = 'u',
	['\r'] = 'r',
	[14] = 'u',
	[15] = 'u',
	[16] = 'u',
	[17] = 'u',
	[18] = 'u',
	[19] = 'u',
	[20] = 'u',
	[21] = 'u',
	[22] = 'u',
	[23] = 'u',
	[24] = 'u',
	[25] = 'u',
	[26] = 'u',
	[27] = 'u',
	[28] = 'u',
	[29] = 'u',
	[30] = 'u',
	[31] = 'u',
	['"'] = '"',
	['\\'] = '\\',
	['<'] = 'u',
	['>'] = 'u',
	['&'] = 'u',
};

typedef unsigned char bytes16 __attribute__((vector_size(16), may_alias));

/*
 * Whether these sixteen bytes are copied unchanged: ASCII without " & < > \ and control
 * characters.
 */
static bool
is_plain(const unsigned char *s)
{
	bytes16 v;
	uint64_t half[2];

	memcpy(&v, s, sizeof(v));
	v = (bytes16)((v < 0x20) | (v >= 0x80) | (v == '"') | (v == '&') | (v == '<') |
		(v == '>') | (v == '\\'));
	memcpy(half, &v, sizeof(half));
	return (half[0] | half[1]) == 0;
}

/* How many bytes from s on are copied unchanged. */
static size_t
plain_run(const unsigned char *s, size_t len)
{
	const size_t step = sizeof(bytes16);
	size_t n = 0;

	while (len - n >= step && is_plain(s + n))
		n += step;
	/* the last sixteen bytes; some were counted already */
	if (len >= step && len - n < step && is_plain(s + len - step))
		return len;
	while (n < len && s[n] < 0x80 && escape_of[s[n]] == 0)
		n++;
	return n;
}

/* One multi-byte character, or one invalid byte. Returns how many bytes of s it has. */
static size_t
add_multibyte(struct buf *b, const unsigned char *s, size_t len)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (n > len || text_utf8_valid((const char *)s, n) != n) {
		buf_add(b, "\\ufffd", 6);
		return 1;
	}
	if (n == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] & 0xfe) == 0xa8)
		buf_add(b, s[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
	else
		buf_add(b, s, n);
	return n;
}

void
json_add_escaped(struct buf *b, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)text;

	while (len != 0) {
		size_t n = plain_run(s, len);

		if (n != 0) {
			buf_add(b, s, n);
		} else if (*s >= 0x80) {
			n = add_multibyte(b, s, len);
		} else if (escape_of[*s] == 'u') {
			char u[6] = { '\\', 'u', '0', '0', hex[*s >> 4], hex[*s & 15] };

			buf_add(b, u, sizeof(u));
			n = 1;
		} else {
			char two[2] = { '\\', escape_of[*s] };

			buf_add(b, two, sizeof(two));
			n = 1;
		}
		s += n;
		len -= n;
	}
}

void
json_add_string(struct buf *b, const char *s, size_t len)
{
	char *to;

	if (plain_run((const unsigned char *)s, len) == len &&
		(to = buf_room(b, len + 2)) != NULL) {
		to[0] = '"';
		if (len != 0)
			memcpy(to + 1, s, len);
		to[len + 1] = '"';
		buf_grew(b, len + 2);
		return;
	}
	buf_add_char(b, '"');
	json_add_escaped(b, s, len);
	buf_add_char(b, '"');
}

void
json_add_member(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, "\"%s\":", name);
	json_add_string(b, text, strlen(text));
}

bool
json_needs_escape(const char *s, size_t len)
{
	return plain_run((const unsigned char *)s, len) != len;
}
