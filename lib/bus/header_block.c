// SPDX-License-Identifier: Apache-2.0
#include "header_block.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* s[0..len) is a line. */
static bool
split(const char *s, size_t len, struct header_line *line)
{
	const char *colon = memchr(s, ':', len), *value, *end = s + len;

	if (colon == NULL || colon == s || is_blank(*s))
		return false;
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	*line = (struct header_line){ .name = s,
		.name_len = (size_t)(colon - s),
		.value = value,
		.value_len = (size_t)(end - value) };
	return true;
}

bool
header_block_next(const char **p, struct header_line *line)
{
	while (**p != '\0') {
		const char *s = *p, *end = strstr(s, "\r\n");
		size_t len = end != NULL ? (size_t)(end - s) : strlen(s);

		*p = s + len + (end != NULL ? 2 : 0);
		if (split(s, len, line))
			return true;
	}
	return false;
}
