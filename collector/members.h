// SPDX-License-Identifier: Apache-2.0
/*
 * Corrects a JSON object after it was written. This is the slow path of event_writer.c, for
 * elements that arrive in another order than the schema's, for members that are in no table and
 * may repeat, and for events that are too large.
 */
#ifndef VCOURIER_MEMBERS_H
#define VCOURIER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "schema.h"

struct member {
	const char *name, *value; /* slices of the object's text, quotes included */
	size_t name_len, value_len, order;
};

struct unset { /* the text ,"Name":null for each field of a class, and where each begins */
	char *text;
	uint32_t *at; /* n + 1 */
};

struct members { /* working memory, kept between events */
	struct member *member;
	size_t n, cap;
	struct buf text;
	struct unset *unset; /* one for each class, built at its first use */
};
void members_init(struct members *m, size_t max); /* max: bytes of an object */
void members_free(struct members *m);

/*
 * Rewrites the object that begins at out's byte `start`: "_typeName" first, then the members of
 * the class in the class's order (class NULL: none), then the others sorted by name. Members
 * with the same name become one: if the class declares an array, the arrays are joined; if it
 * declares another kind, the last value is used; if it does not have the member, the values
 * become an array.
 */
void members_merge(
	struct members *m, struct buf *out, size_t start, const struct schema_class *class);

/*
 * Removes the largest members of the object until it has at most max bytes. A member of the
 * class becomes null or its zero value instead. MEMBERS_STUB: the object was still too large
 * because it has very many small members, so all members that are not in the class were removed
 * too; the rest is bounded, because each member of the class has at most 64 bytes.
 * MEMBERS_TOO_LARGE: that rest is larger than max.
 */
enum members_trimmed { MEMBERS_FIT, MEMBERS_STUB, MEMBERS_TOO_LARGE };
enum members_trimmed members_trim(struct members *m, struct buf *out, size_t start,
	const struct schema_class *class, size_t max);

/* Appends the fields [from, to) of a class as unset members: null, or the zero value. */
void members_add_unset(struct members *m, struct buf *out, const struct schema_class *class,
	size_t from, size_t to);

/*
 * Appends text that starts with a comma and contains members. The comma is omitted directly
 * after the opening brace of the object.
 */
static inline void
members_add(struct buf *out, const char *text, size_t len)
{
	size_t first = out->len != 0 && out->data[out->len - 1] == '{' ? 1 : 0;

	buf_add(out, text + first, len - first);
}

static inline void
members_add_name(struct buf *out, const struct schema_field *field)
{
	const struct schema_name *name = &schema_names[field->name];
	size_t first = out->len != 0 && out->data[out->len - 1] == '{' ? 1 : 0;
	char *to = out->cap - out->len > SCHEMA_MEMBER_PAD ? out->data + out->len
							   : buf_room(out, SCHEMA_MEMBER_PAD);

	if (to == NULL || out->overflow)
		return;
	/* copies more than the name, because a copy of a constant size is fastest */
	memcpy(to, schema_member_text + name->at + first, SCHEMA_MEMBER_PAD - 1);
	buf_grew(out, name->len - first);
}

#endif
