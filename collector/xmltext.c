// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memmem */
#include "xmltext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define REPLACEMENT "\xef\xbf\xbd"

static bool
is_forbidden(unsigned char c)
{
	return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

typedef unsigned char bytes16 __attribute__((vector_size(16), may_alias));

/* How many bytes from s on are ASCII that XML allows; looks at 32 of them at a time. */
static size_t
plain_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len) {
		if (len - n >= 2 * sizeof(bytes16)) {
			bytes16 a, b;
			uint64_t half[2];

			memcpy(&a, s + n, sizeof(a));
			memcpy(&b, s + n + sizeof(a), sizeof(b));
			a = (bytes16)((a < 0x20) | (a >= 0x80) | (b < 0x20) | (b >= 0x80));
			memcpy(half, &a, sizeof(half));
			if ((half[0] | half[1]) == 0) {
				n += 2 * sizeof(bytes16);
				continue;
			}
		}
		if ((unsigned char)s[n] >= 0x80 || is_forbidden((unsigned char)s[n]))
			break;
		n++;
	}
	return n;
}

/* The length of the valid character at s; 0 when it is none. */
static size_t
character(const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > len || is_forbidden(c) || text_utf8_valid(s, n) != n)
		return 0;
	if (n == 3 && memcmp(s, "\xef\xbf", 2) == 0 && (unsigned char)s[2] >= 0xbe)
		return 0; /* U+FFFE, U+FFFF */
	return n;
}

/* Whether s[0..len), less than a character, may be the beginning of one. */
static bool
is_cut(const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c > 0xf4 || len >= n)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

size_t
xmltext_scrub(struct buf *out, const char *s, size_t len, bool last, size_t *n_bad)
{
	size_t i = 0;

	while (i < len) {
		size_t n = plain_run(s + i, len - i);

		buf_add(out, s + i, n);
		i += n;
		if (i == len)
			break;
		n = character(s + i, len - i);
		if (n == 0 && !last && is_cut(s + i, len - i))
			break;
		if (n != 0) {
			buf_add(out, s + i, n);
		} else {
			buf_add_str(out, REPLACEMENT);
			++*n_bad;
			n = 1;
		}
		i += n;
	}
	return i;
}

/*
 * The reference at p: its length, 0 when it is no numeric one; *forbidden when XML has no such
 * character.
 */
static size_t
reference(const char *p, const char *end, bool *forbidden)
{
	const char *digits = p + 2, *s;
	bool hex = digits < end && *digits == 'x';
	unsigned long c = 0;

	if (end - p < 4 || p[1] != '#')
		return 0;
	for (s = digits += hex ? 1 : 0; s < end && *s != ';'; s++) {
		char lower = (char)(*s | 32);
		int digit = *s >= '0' && *s <= '9'            ? *s - '0'
			: hex && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
							      : -1;

		if (digit < 0)
			return 0;
		if (c <= 0x10ffff)
			c = c * (hex ? 16 : 10) + (unsigned long)digit;
	}
	if (s == end || s == digits)
		return 0;
	*forbidden = c > 0x10ffff || (c < 0x20 && is_forbidden((unsigned char)c)) ||
		(c >= 0xd800 && c <= 0xdfff) || c == 0xfffe || c == 0xffff;
	return (size_t)(s + 1 - p);
}

void
xmltext_scrub_references(struct buf *out, const char *s, size_t len, size_t *n_bad)
{
	const char *end = s + len, *p;

	while ((p = memchr(s, '&', (size_t)(end - s))) != NULL) {
		bool forbidden = false;
		size_t n = reference(p, end, &forbidden);

		buf_add(out, s, (size_t)(p - s));
		if (forbidden) {
			buf_add_str(out, REPLACEMENT);
			++*n_bad;
		} else {
			buf_add(out, p, n == 0 ? 1 : n);
		}
		s = p + (n == 0 ? 1 : n);
	}
	buf_add(out, s, (size_t)(end - s));
}

/*
 * Whether the name at p, somewhere behind `from`, is a tag's local name; the tag's `<` is left
 * in *tag.
 */
static bool
begins_tag(const char *from, const char *p, bool end_tag, const char **tag)
{
	const char *s = p;

	if (s > from && s[-1] == ':') {
		for (s--; s > from && strchr("<>/ \t\r\n\"'=:", s[-1]) == NULL; s--)
			;
	}
	if (end_tag && s > from && s[-1] == '/')
		s--;
	else if (end_tag)
		return false;
	if (s == from || s[-1] != '<')
		return false;
	*tag = s - 1;
	return true;
}

const char *
xmltext_find_tag(const char *p, const char *end, const char *name, bool end_tag)
{
	const char *from = p, *tag;
	size_t len = strlen(name);

	while ((p = memmem(p, (size_t)(end - p), name, len)) != NULL) {
		const char *behind = p + len;

		if (behind < end && strchr(" \t\r\n/>", *behind) != NULL &&
			begins_tag(from, p, end_tag, &tag))
			return tag;
		p = behind;
	}
	return NULL;
}
