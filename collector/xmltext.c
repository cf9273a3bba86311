// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memmem, memrchr */
#include "xmltext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { ENTITY_MAX = 32 }; /* letters of a name in &name; */

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

/* Whether an entity's name and a ; are behind the & at p. */
static bool
is_entity(const char *p, const char *end)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *s = p + 1;

	while (s < end && s - p <= ENTITY_MAX && *s != '\0' && strchr(letters, *s) != NULL)
		s++;
	while (s < end && s - p > 1 && s - p <= ENTITY_MAX && *s != '\0' &&
		(strchr(letters, *s) != NULL || strchr("0123456789._-", *s) != NULL))
		s++;
	return s < end && s - p > 1 && *s == ';';
}

/*
 * The length of the CDATA section, comment or processing instruction at p; 0 when it is none,
 * or has no end.
 */
static size_t
verbatim(const char *p, const char *end)
{
	static const struct {
		const char *start, *end;
	} kinds[] = { { "<![CDATA[", "]]>" }, { "<!--", "-->" }, { "<?", "?>" } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].start);
		const char *close;

		if ((size_t)(end - p) < n || memcmp(p, kinds[i].start, n) != 0)
			continue;
		close = memmem(
			p + n, (size_t)(end - p) - n, kinds[i].end, strlen(kinds[i].end));
		return close == NULL ? 0 : (size_t)(close - p) + strlen(kinds[i].end);
	}
	return 0;
}

/* The & at p; returns the bytes taken. */
static size_t
scrub_reference(struct buf *out, const char *p, const char *end, bool *forbidden, bool *lone)
{
	size_t n = reference(p, end, forbidden);

	*lone = n == 0 && !is_entity(p, end);
	n = n == 0 ? 1 : n;
	if (*forbidden)
		buf_add_str(out, REPLACEMENT);
	else if (*lone)
		buf_add_str(out, "&amp;");
	else
		buf_add(out, p, n);
	return n;
}

bool
xmltext_scrub_references(struct buf *out, const char *s, size_t len, size_t *n_bad)
{
	const char *end = s + len, *p = s;
	bool changed = false, unclosed = false;

	while (p < end) {
		bool forbidden = false, lone = false;

		if (*p == '&') {
			buf_add(out, s, (size_t)(p - s));
			s = p += scrub_reference(out, p, end, &forbidden, &lone);
		} else if (*p == '<' && !unclosed && p + 1 < end &&
			(p[1] == '!' || p[1] == '?')) {
			size_t n = verbatim(p, end);

			unclosed = n == 0; /* do not look for an end again and again */
			p += n == 0 ? 1 : n;
		} else {
			p++;
		}
		*n_bad += forbidden;
		changed |= forbidden || lone;
	}
	buf_add(out, s, (size_t)(end - s));
	return changed;
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

enum { TAG_SHORT = 512 }; /* an attribute has at least 5 bytes: a shorter tag has 102 */

/*
 * Takes a long tag apart up to the next <, which no attribute may contain: libxml2 gives up the
 * tag there.
 */
static bool
long_tag_fits(struct xmltext_tags *t, const char *s, size_t len)
{
	const char *next = memchr(s + t->at, '<', len - t->at);
	size_t end = next == NULL ? len : (size_t)(next - s);

	for (; t->at < end && !t->ended; t->at++) {
		char c = s[t->at];

		if (t->quote != '\0')
			t->quote = c == t->quote ? '\0' : t->quote;
		else if (c == '"' || c == '\'')
			t->quote = c;
		else if (c == '>')
			t->ended = true;
		else if (c == '=')
			t->attributes++;
		if (t->attributes > XMLTEXT_ATTRIBUTES_MAX || t->at - t->open > XMLTEXT_TAG_MAX)
			return false;
	}
	t->at = end;
	return true;
}

bool
xmltext_check_tags(struct xmltext_tags *t, const char *s, size_t len)
{
	while (t->at < len) {
		size_t n = len - t->at < TAG_SHORT ? len - t->at : TAG_SHORT;
		const char *last = t->is_long ? NULL : memrchr(s + t->at, '<', n);

		if (last == NULL && !t->is_long && n < TAG_SHORT)
			return true; /* whether it is long the next call will see */
		if (last == NULL && !t->is_long) {
			t->is_long = true;
			t->attributes = 0;
			t->quote = '\0';
			t->ended = s[t->at] == '!' || s[t->at] == '?' || s[t->at] == '/';
		}
		if (last == NULL && !long_tag_fits(t, s, len))
			return false;
		if (last == NULL && t->at == len)
			return true;
		t->open = last == NULL ? t->at : (size_t)(last - s);
		t->at = t->open + 1;
		t->is_long = false;
	}
	return true;
}
