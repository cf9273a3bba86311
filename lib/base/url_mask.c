// SPDX-License-Identifier: Apache-2.0
#include "url_mask.h"

#include <string.h>

/* What ends a URL within a text, and is in none (RFC 3986, 2). */
#define NOT_IN_URLS " \t\r\n\"<>\\`"

/* The length of the URL's rest, up to a URL that follows in a list or within this one. */
static size_t
length(const char *host)
{
	size_t n = strcspn(host, NOT_IN_URLS);
	const char *next = strstr(host, "://");

	return next != NULL && (size_t)(next - host) < n ? (size_t)(next - host) : n;
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
	size_t authority = strcspn(rest, "/?#"), shown;

	authority = authority < n ? authority : n;
	at = last_at(rest, authority);
	if (at == NULL && memchr(rest, ':', authority) != NULL && last_at(rest, n) != NULL) {
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
		/* libcurl skips more slashes */
		const char *rest = scheme + 3 + strspn(scheme + 3, "/");
		size_t n = length(rest);

		buf_add(to, s, (size_t)(rest - s));
		add_rest(to, rest, n);
		s = rest + n;
	}
	buf_add_str(to, s);
}
