// SPDX-License-Identifier: Apache-2.0
#include "url.h"

#include <string.h>

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		strchr("-._~", c) != NULL;
}

void
url_add_escaped(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (is_unreserved(*s))
			buf_add_char(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

bool
url_is_dot_segment(const char *s)
{
	return strcmp(s, ".") == 0 || strcmp(s, "..") == 0;
}
