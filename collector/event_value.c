// SPDX-License-Identifier: Apache-2.0
/* Where a value begins: what an element is, by the field it is declared as and its xsi:type. */
#include "event_writer.h"

#include <string.h>

#include "json.h"
#include "scalar.h"

static void
add_type_name(struct event_writer *w, const char *name, size_t len)
{
	members_add_comma(&w->out);
	buf_add_str(&w->out, "\"_typeName\":");
	json_add_string(&w->out, name, len);
}

void
event_writer_begin_object(struct event_writer *w, struct event_frame *f, const struct schema_class *class)
{
	f->mode = MODE_OBJECT;
	f->class = class;
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
	members_add_comma(&w->out);
	buf_add_str(&w->out, "\"Type\":");
	json_add_string(&w->out, tag->moref, tag->moref_len);
	buf_add_str(&w->out, ",\"Value\":");
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

/* xsd:anyType, and members that no class knows: what xsi:type says. */
static void
begin_any(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	const struct schema_class *class = NULL;

	if (tag->type != NULL && tag->xsd) {
		enum schema_kind kind = scalar_kind(tag->type, tag->type_len);

		f->mode = MODE_SCALAR;
		f->kind = (uint8_t)(kind == SCHEMA_ANY ? SCHEMA_STRING : kind);
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
		f->mode = MODE_SCALAR;
		f->kind = class->kind;
	}
}

static void
begin_declared_object(struct event_writer *w, struct event_frame *f, const struct schema_class *declared,
	const struct start_tag *tag)
{
	const struct schema_class *class = declared;
	const char *name = schema_class_name(declared);

	if (tag->type != NULL && (strncmp(name, tag->type, tag->type_len) != 0 || name[tag->type_len] != '\0')) {
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
event_writer_begin_value(struct event_writer *w, const struct schema_field *field, const struct start_tag *tag)
{
	struct event_frame *f = &w->frame[w->depth++];

	f->start = w->out.len;
	f->name_id = tag->name_id;
	f->class = NULL;
	f->disordered = false;
	f->kind = field == NULL ? SCHEMA_ANY : field->kind;
	buf_clear(&w->text);
	if (f->kind == SCHEMA_OBJECT)
		begin_declared_object(w, f, &schema_classes[field->class], tag);
	else if (f->kind == SCHEMA_ANY)
		begin_any(w, f, tag);
	else if (f->kind == SCHEMA_MOREF)
		begin_moref(w, f, tag);
	else
		f->mode = MODE_SCALAR;
}
