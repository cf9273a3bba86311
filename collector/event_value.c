// SPDX-License-Identifier: Apache-2.0
/* Where a value begins: what an element is, by the field it is declared as and its xsi:type. */
#include "event_writer.h"

#include <string.h>

#include "json.h"
#include "scalar.h"

static void
add_type_name(struct event_writer *w, const char *name, size_t len)
{
	members_add(&w->out, ",\"_typeName\":", 13);
	json_add_string(&w->out, name, len);
}

void
event_writer_begin_object(
	struct event_writer *w, struct event_frame *f, const struct schema_class *class)
{
	f->mode = MODE_OBJECT;
	f->class = class;
	f->field = schema_class_fields(class);
	f->next = 0;
	f->array = SCHEMA_NONE;
	buf_add_char(&w->out, '{');
}

static void
begin_moref(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	f->mode = MODE_MOREF;
	buf_add_char(&w->out, '{');
	if (tag->type != NULL && f->kind == SCHEMA_ANY)
		add_type_name(w, tag->type, tag->type_len);
	members_add(&w->out, ",\"Type\":", 8);
	json_add_string(&w->out, tag->moref, tag->moref_len);
	buf_add(&w->out, ",\"Value\":", 9);
}

static void
begin_light(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	if (tag->type == NULL && tag->moref != NULL) {
		begin_moref(w, f, tag);
		return;
	}
	f->mode = MODE_LIGHT;
	if (tag->type == NULL || tag->xsd)
		return;
	buf_add_char(&w->out, '{'); /* taken back if it turns out to be text */
	add_type_name(w, tag->type, tag->type_len);
}

/* Whether event_writer.c looks at the text of this member, and not just writes it. */
static bool
is_looked_at(const struct event_writer *w, const struct event_frame *f)
{
	if (w->depth == 2)
		return f->name_id == w->event_type_id || f->name_id == w->severity;
	return w->depth == 3 && f->name_id == w->name;
}

static void
begin_scalar(struct event_writer *w, struct event_frame *f, enum schema_kind kind)
{
	f->mode = MODE_SCALAR;
	f->kind = (uint8_t)kind;
	if (kind != SCHEMA_STRING || (w->depth <= 3 && is_looked_at(w, f)))
		return;
	w->direct = true;
	buf_add_char(&w->out, '"');
}

/* xsd:anyType, and members that no class knows: what xsi:type says. */
static void
begin_any(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	const struct schema_class *class = NULL;

	if (tag->type != NULL && tag->xsd) {
		enum schema_kind kind = scalar_kind(tag->type, tag->type_len);

		begin_scalar(w, f, kind == SCHEMA_ANY ? SCHEMA_STRING : kind);
		w->facts.schema_unknown |= kind == SCHEMA_ANY;
		return;
	}
	if (tag->type != NULL) {
		class = schema_find(tag->type, tag->type_len);
		w->facts.schema_unknown |= class == NULL;
	}
	if (class == NULL) {
		begin_light(w, f, tag);
	} else if (class->kind == SCHEMA_MOREF) {
		begin_moref(w, f, tag);
	} else if (class->kind == SCHEMA_OBJECT) {
		event_writer_begin_object(w, f, class);
		add_type_name(w, tag->type, tag->type_len);
	} else {
		begin_scalar(w, f, SCHEMA_STRING); /* an enumeration */
	}
}

static void
begin_declared_object(struct event_writer *w, struct event_frame *f,
	const struct schema_class *declared, const struct start_tag *tag)
{
	const struct schema_class *class = declared;
	const char *name = schema_class_name(declared);

	if (tag->type != NULL &&
		(strncmp(name, tag->type, tag->type_len) != 0 || name[tag->type_len] != '\0')) {
		class = schema_find(tag->type, tag->type_len);
		if (class == NULL || class->kind != SCHEMA_OBJECT) {
			w->facts.schema_unknown = true;
			class = declared;
		}
		event_writer_begin_object(w, f, class);
		add_type_name(w, tag->type, tag->type_len);
	} else {
		event_writer_begin_object(w, f, class);
	}
}

void
event_writer_begin_value(
	struct event_writer *w, const struct schema_field *field, const struct start_tag *tag)
{
	enum schema_kind kind = field == NULL ? SCHEMA_ANY : (enum schema_kind)field->kind;
	struct event_frame *f = &w->frame[w->depth++];

	f->start = w->out.len;
	f->name_id = tag->name_id;
	f->class = NULL;
	f->disordered = false;
	f->unknown = 0;
	f->kind = (uint8_t)kind;
	w->direct = false;
	buf_truncate(&w->text, 0);
	if (kind == SCHEMA_OBJECT)
		begin_declared_object(w, f, &schema_classes[field->class], tag);
	else if (kind == SCHEMA_ANY)
		begin_any(w, f, tag);
	else if (kind == SCHEMA_MOREF)
		begin_moref(w, f, tag);
	else
		begin_scalar(w, f, kind);
}
