// SPDX-License-Identifier: Apache-2.0
/*
 * The members of a finished JSON object, put right after the fact. The cold path of
 * event_writer.c: elements that came in no schema order, members that no table knows and that
 * may repeat, events that are too large.
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

struct unset { /* of a class: ,"Name":null for each field, and where each begins */
	char *text;
	uint32_t *at; /* n + 1 */
};

struct members { /* memory that is used again and again */
	struct member *member;
	size_t n, cap;
	struct buf text;
	struct unset *unset; /* of each class, made when it is first needed */
};
void members_init(struct members *m, size_t max); /* max: bytes of an object */
void members_free(struct members *m);

/*
 * Rewrites the object that is out's text from `start` on: "_typeName" first, then the members
 * of the class in its order (NULL: no class), then the others by name. Of members of the same
 * name, arrays of the class are joined, of others of the class the last stands, and those that
 * no class knows become an array.
 */
void members_merge(
	struct members *m, struct buf *out, size_t start, const struct schema_class *class);

/*
 * Takes the largest members out of the object until it has at most max bytes; a member of the
 * class becomes null or its zero value. MEMBERS_STUB: that was not enough, because the event
 * has very many small members; those that the class does not know are gone too. What remains
 * has a bound: the members of the class, each of at most 64 bytes. MEMBERS_TOO_LARGE: even that
 * is more than max.
 */
enum members_trimmed { MEMBERS_FIT, MEMBERS_STUB, MEMBERS_TOO_LARGE };
enum members_trimmed members_trim(struct members *m, struct buf *out, size_t start,
	const struct schema_class *class, size_t max);

/*
 * Appends all of a class's fields from index `from` to below `to` as unset: null, or the zero
 * value.
 */
void members_add_unset(struct members *m, struct buf *out, const struct schema_class *class,
	size_t from, size_t to);

/*
 * Appends members that start with a comma; right behind the brace that opens their object it
 * is left out.
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
	/* more than the name: a known size is copied fastest */
	memcpy(to, schema_member_text + name->at + first, SCHEMA_MEMBER_PAD - 1);
	buf_grew(out, name->len - first);
}

#endif
