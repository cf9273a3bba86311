// SPDX-License-Identifier: Apache-2.0
#include "url_mask.h"

#include <stdbool.h>
#include <string.h>

/* What ends a URL within a text, and is in none (RFC 3986, 2). */
#define NOT_IN_URLS " \t\r\n\"<>\\`"

/* The last character of a scheme, or of what is masked. */
static bool
is_scheme(char c)
{
	return c == '*' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

/* The length of the URL's rest, up to a URL that follows in a list or within this one. */
static size_t
length(const char *rest)
{
	size_t n = strcspn(rest, NOT_IN_URLS);
	const char *next = rest;

	while ((next = strstr(next, "://")) != NULL && (size_t)(next - rest) < n) {
		if (next > rest && is_scheme(next[-1]))
			return (size_t)(next - rest);
		next++;
	}
	return n;
}

static const char *
last_at(const char *s, size_t n)
{
	while (n > 0 && s[n - 1] != '@')
		n--;
	return n > 0 ? s + n - 1 : NULL;
}

/* What follows "://", of n bytes. */
static void
add_rest(struct buf *to, const char *rest, size_t n)
{
	const char *end = rest + n, *at;
	size_t authority = strcspn(rest, "/?#"), path = strcspn(rest, "?#"), shown;

	authority = authority < n ? authority : n;
	path = path < n ? path : n;
	at = last_at(rest, n);
	/* An @ behind ? or # may end a password with one of these, if a : is before it. */
	if (at != NULL && at >= rest + path && memchr(rest, ':', path) == NULL)
		at = last_at(rest, path);
	if (at != NULL && at >= rest + authority) {
		buf_add_str(to, "***");
		return;
	}
	if (at != NULL) {
		buf_add_str(to, "***@");
		rest = at + 1;
	}
	shown = strcspn(rest, "?#");
	if (rest + shown + 1 >= end) {
		buf_add(to, rest, (size_t)(end - rest));
		return;
	}
	buf_add(to, rest, shown + 1);
	buf_add_str(to, "***");
	if (strchr(":,;.)", end[-1]) != NULL) /* of the sentence */
		buf_add_char(to, end[-1]);
}

void
url_mask_add(struct buf *to, const char *s)
{
	const char *scheme;

	while ((scheme = strstr(s, "://")) != NULL) {
		const char *rest = scheme + 3;
		size_t n = length(rest);

		buf_add(to, s, (size_t)(rest - s));
		add_rest(to, rest, n);
		s = rest + n;
	}
	buf_add_str(to, s);
}
