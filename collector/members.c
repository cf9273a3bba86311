// SPDX-License-Identifier: Apache-2.0
#include "members.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "scalar.h"

void
members_init(struct members *m, size_t max)
{
	*m = (struct members){ .unset = mem_array(schema_n_classes, sizeof(*m->unset)) };
	buf_init(&m->text, max);
}

void
members_free(struct members *m)
{
	for (size_t i = 0; i < schema_n_classes; i++) {
		free(m->unset[i].text);
		free(m->unset[i].at);
	}
	free(m->unset);
	free(m->member);
	buf_free(&m->text);
}

static void
add_zero(struct members *m, struct buf *out, const struct schema_field *field)
{
	members_add_name(out, field);
	if ((field->flags & SCHEMA_NULLABLE) != 0) {
		buf_add(out, "null", 4);
	} else if (field->kind == SCHEMA_OBJECT) {
		const struct schema_class *class = &schema_classes[field->class];

		buf_add_char(out, '{'); /* structs embed by value, at most 3 deep */
		members_add_unset(m, out, class, 0, class->n);
		buf_add_char(out, '}');
	} else {
		scalar_add_zero(out, (enum schema_kind)field->kind);
	}
}

static void
make_unset(struct members *m, struct unset *unset, const struct schema_class *class)
{
	struct buf text;

	buf_init(&text, 64 * 1024);
	buf_add_char(&text, ' '); /* so that the first comma does not follow a brace */
	unset->at = mem_array(class->n + 1U, sizeof(*unset->at));
	for (size_t i = 0; i < class->n; i++) {
		const struct schema_field *field = &schema_class_fields(class)[i];

		unset->at[i] = (uint32_t)text.len;
		if ((field->flags & SCHEMA_NEW) == 0)
			add_zero(m, &text, field);
	}
	unset->at[class->n] = (uint32_t)text.len;
	unset->text = buf_take(&text, NULL);
}

void
members_add_unset(struct members *m, struct buf *out, const struct schema_class *class,
	size_t from, size_t to)
{
	struct unset *unset = &m->unset[class - schema_classes];

	if (from == to)
		return;
	if (unset->text == NULL)
		make_unset(m, unset, class);
	if (unset->at[from] != unset->at[to])
		members_add(
			out, unset->text + unset->at[from], unset->at[to] - unset->at[from]);
}

/* Then the fields, then the unknown. */
static const size_t ORDER_TYPE_NAME = 0, ORDER_FIELDS = 1;
static const size_t UNSET_MAX = 64; /* bytes of the value that replaces a removed member */

static size_t
order_of(const struct schema_class *class, const char *name, size_t len)
{
	size_t n = class == NULL ? 0 : class->n;

	if (len == strlen("\"_typeName\"") && memcmp(name, "\"_typeName\"", len) == 0)
		return ORDER_TYPE_NAME;
	for (size_t i = 0; i < n; i++) {
		const struct schema_name *known =
			&schema_names[schema_class_fields(class)[i].name];

		if (known->len == len + 2U &&
			memcmp(schema_member_text + known->at + 1, name, len) == 0)
			return ORDER_FIELDS + i;
	}
	return ORDER_FIELDS + n;
}

static const struct schema_field *
field_of(const struct schema_class *class, const struct member *member)
{
	if (class == NULL || member->order == ORDER_TYPE_NAME ||
		member->order >= ORDER_FIELDS + class->n)
		return NULL;
	return &schema_class_fields(class)[member->order - ORDER_FIELDS];
}

/* Lists the members of the object at p. This program wrote the object, so it is valid. */
static void
list(struct members *m, const char *p, const char *end, const struct schema_class *class)
{
	m->n = 0;
	for (p++; p < end && *p != '}'; p += *p == ',' ? 1 : 0) {
		struct member *member;

		m->member = mem_grow_for(m->member, m->n, &m->cap, sizeof(*m->member));
		member = &m->member[m->n++];
		member->name = p;
		json_skip_value(&p, end);
		member->name_len = (size_t)(p - member->name);
		member->value = ++p;
		if (!json_skip_value(&p, end))
			p = end;
		member->value_len = (size_t)(p - member->value);
		member->order = order_of(class, member->name, member->name_len);
	}
}

static int
compare_names(const struct member *a, const struct member *b)
{
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int c = memcmp(a->name, b->name, n);

	return c != 0 ? c : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int
by_order(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	int c;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	c = compare_names(a, b);
	return c != 0 ? c : (a->value > b->value) - (a->value < b->value);
}

static int
by_size(const void *x, const void *y)
{
	const struct member *a = x, *b = y;

	if (a->value_len != b->value_len)
		return a->value_len > b->value_len ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

/* The items of all arrays. A value of null has none. */
static void
add_joined(struct buf *out, const struct member *member, size_t n)
{
	size_t opened = out->len;

	for (size_t i = 0; i < n; i++) {
		if (member[i].value_len <= 2 || member[i].value[0] != '[')
			continue;
		buf_add_char(out, out->len == opened ? '[' : ',');
		buf_add(out, member[i].value + 1, member[i].value_len - 2);
	}
	buf_add_str(out, out->len == opened ? "null" : "]");
}

static void
add_array(struct buf *out, const struct member *member, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_add_char(out, i == 0 ? '[' : ',');
		buf_add(out, member[i].value, member[i].value_len);
	}
	buf_add_char(out, ']');
}

/* Replaces n members of the same name by one. */
static void
add_group(struct buf *out, const struct member *member, size_t n,
	const struct schema_class *class)
{
	const struct schema_field *field = field_of(class, member);

	members_add(out, ",", 1);
	buf_add(out, member->name, member->name_len);
	buf_add_char(out, ':');
	if (n == 1 || member->order == ORDER_TYPE_NAME)
		buf_add(out, member->value, member->value_len);
	else if (field == NULL)
		add_array(out, member, n);
	else if ((field->flags & SCHEMA_ARRAY) != 0)
		add_joined(out, member, n);
	else
		buf_add(out, member[n - 1].value, member[n - 1].value_len);
}

static void
replace(struct members *m, struct buf *out, size_t start)
{
	buf_add_char(&m->text, '}');
	buf_truncate(out, start);
	buf_add(out, m->text.data, m->text.len);
	out->overflow |= m->text.overflow;
}

void
members_merge(
	struct members *m, struct buf *out, size_t start, const struct schema_class *class)
{
	size_t i, n;

	if (!buf_ok(out))
		return;
	list(m, out->data + start, out->data + out->len, class);
	qsort(m->member, m->n, sizeof(*m->member), by_order);
	buf_clear(&m->text);
	buf_add_char(&m->text, '{');
	for (i = 0; i < m->n; i += n) {
		for (n = 1; i + n < m->n; n++) {
			if (m->member[i].order != m->member[i + n].order ||
				compare_names(&m->member[i], &m->member[i + n]) != 0)
				break;
		}
		add_group(&m->text, &m->member[i], n, class);
	}
	replace(m, out, start);
}

enum members_trimmed
members_trim(struct members *m, struct buf *out, size_t start, const struct schema_class *class,
	size_t max)
{
	size_t left, n;
	bool stub;

	if (!buf_ok(out))
		return MEMBERS_TOO_LARGE;
	left = out->len - start;
	list(m, out->data + start, out->data + out->len, class);
	qsort(m->member, m->n, sizeof(*m->member), by_size);
	for (n = 0; n < m->n && left > max && m->member[n].value_len > UNSET_MAX; n++) {
		left -= m->member[n].value_len - UNSET_MAX;
		m->member[n].value = NULL;
	}
	stub = left > max;
	qsort(m->member, m->n, sizeof(*m->member), by_order);
	buf_clear(&m->text);
	buf_add_char(&m->text, '{');
	for (size_t i = 0; i < m->n; i++) {
		const struct schema_field *field = field_of(class, &m->member[i]);

		if (stub && field == NULL)
			continue;
		if (m->member[i].value != NULL)
			add_group(&m->text, &m->member[i], 1, class);
		else if (field != NULL)
			add_zero(m, &m->text, field);
	}
	replace(m, out, start);
	if (out->len - start > max)
		return MEMBERS_TOO_LARGE;
	return stub ? MEMBERS_STUB : MEMBERS_FIT;
}
