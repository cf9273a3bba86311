// SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <string.h>

/* Moves *p over a member name and its colon: whether it is this one. -1: that is no member. */
static int
skip_name(const char **p, const char *end, const char *name)
{
	size_t len = strlen(name);
	const char *key;
	bool same;

	json_skip_blanks(p, end);
	key = *p;
	if (*p == end || **p != '"' || !json_skip_value(p, end))
		return -1;
	same = (size_t)(*p - key) == len + 2 && memcmp(key + 1, name, len) == 0;
	json_skip_blanks(p, end);
	if (*p == end || *(*p)++ != ':')
		return -1;
	json_skip_blanks(p, end);
	return same;
}

bool
json_find_member(const char *text, size_t len, const char *name, struct buf *value)
{
	const char *p = text, *end = text + len, *at;
	int same;

	json_skip_blanks(&p, end);
	if (p == end || *p++ != '{')
		return false;
	do {
		same = skip_name(&p, end, name);
		at = p;
		if (same < 0 || !json_skip_value(&p, end))
			return false;
		if (same) {
			buf_add(value, at, (size_t)(p - at));
			return true;
		}
		json_skip_blanks(&p, end);
	} while (p < end && *p++ == ',');
	return false;
}
