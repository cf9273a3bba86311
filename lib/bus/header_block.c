// SPDX-License-Identifier: Apache-2.0
#include "header_block.h"

#include <string.h>

#include "bus.h"
#include "mem.h"

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

struct bus_header *
header_block_list(char *block, size_t *n)
{
	struct header_line line;
	struct bus_header *list;
	size_t all = 0;

	for (const char *p = block; header_block_next(&p, &line);)
		all++;
	list = mem_array(all + 1, sizeof(*list));
	*n = 0;
	/* the search for the next line is done before line ends are overwritten */
	for (const char *p = block; *n < all && header_block_next(&p, &line); (*n)++) {
		char *name = block + (line.name - block), *value = block + (line.value - block);

		list[*n] = (struct bus_header){ name, value };
		name[line.name_len] = '\0';
		value[line.value_len] = '\0';
	}
	return list;
}
