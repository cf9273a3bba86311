// SPDX-License-Identifier: Apache-2.0
#include "schema.h"

#include <string.h>

static int
compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : a_len < b_len ? -1 : a_len > b_len;
}

const struct schema_class *
schema_find(const char *name, size_t len)
{
	uint32_t h = 5381;

	for (size_t i = 0; i < len; i++)
		h = h * 33 + (unsigned char)name[i];
	for (h %= SCHEMA_SLOTS; schema_slots[h] != SCHEMA_NONE; h = (h + 1) % SCHEMA_SLOTS) {
		const struct schema_class *c = &schema_classes[schema_slots[h]];
		const char *text = schema_class_name(c);

		if (strncmp(text, name, len) == 0 && text[len] == '\0')
			return c;
	}
	return NULL;
}

uint16_t
schema_find_name(const char *xml_name, size_t len)
{
	char name[64]; /* the longest in the table has 50 */
	size_t low = 0, high = schema_n_names;

	if (len == 0 || len > sizeof(name))
		return SCHEMA_NONE;
	memcpy(name, xml_name, len);
	if (name[0] >= 'a' && name[0] <= 'z')
		name[0] = (char)(name[0] - 'a' + 'A');
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_name *n = &schema_names[middle];
		int c = compare(name, len, schema_member_text + n->at + 2, n->len - 4U);

		if (c == 0)
			return (uint16_t)middle;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SCHEMA_NONE;
}

bool
schema_is_a(const struct schema_class *c, const struct schema_class *ancestor)
{
	while (c != ancestor && c->base != SCHEMA_NONE)
		c = &schema_classes[c->base];
	return c == ancestor;
}
