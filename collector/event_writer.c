// SPDX-License-Identifier: Apache-2.0
#include "event_writer.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "scalar.h"

enum {
	ELEMENT_ROOM = 1024 * 1024,
	STUB_MAX = 16 * 1024,    /* bytes of an event of which only a part came */
	MERGED_FREE = 64 * 1024, /* bytes that an event may put in order, */
	MERGED_RATIO = 8,        /* and so many times those of its JSON */
};

void
event_writer_init(struct event_writer *w, size_t out_max, size_t event_max)
{
	memset(w, 0, sizeof(*w));
	buf_init(&w->out, out_max);
	buf_init(&w->strings, out_max);
	buf_init(&w->text, out_max);
	members_init(&w->members, out_max);
	w->event_max = event_max;
	/*
	 * what an element brings along is left room for, so that a page of one event always
	 * fits
	 */
	w->json_max = out_max - (out_max / 2 < ELEMENT_ROOM ? out_max / 2 : ELEMENT_ROOM);
	w->event = schema_find("Event", 5);
	w->eventex = schema_find("EventEx", 7);
	w->extendedevent = schema_find("ExtendedEvent", 13);
	w->key = schema_find_name("key", 3);
	w->created = schema_find_name("createdTime", 11);
	w->event_type_id = schema_find_name("eventTypeId", 11);
	w->severity = schema_find_name("severity", 8);
	w->datacenter = schema_find_name("datacenter", 10);
	w->cluster = schema_find_name("computeResource", 15);
	w->name = schema_find_name("name", 4);
	event_writer_clear(w);
}

void
event_writer_free(struct event_writer *w)
{
	buf_free(&w->out);
	buf_free(&w->strings);
	buf_free(&w->text);
	members_free(&w->members);
}

void
event_writer_clear(struct event_writer *w)
{
	buf_clear(&w->out);
	buf_clear(&w->strings);
	buf_clear(&w->text);
	buf_add_char(&w->strings, '\0');
	w->depth = w->skipped = 0;
}

static size_t
keep(struct event_writer *w, const char *s, size_t len)
{
	size_t at = w->strings.len;

	if (len == 0)
		return 0;
	buf_add(&w->strings, s, len);
	buf_add_char(&w->strings, '\0');
	return at;
}

/* ---- members ---- */

static void
close_array(struct event_writer *w, struct event_frame *f)
{
	if (f->array != SCHEMA_NONE)
		buf_add_char(&w->out, ']');
	f->array = SCHEMA_NONE;
}

/*
 * The index of a field in its class, searched from the one that is due; class->n when it has
 * none.
 */
static uint16_t
find_field(const struct event_frame *f, uint16_t name_id)
{
	uint16_t i, n = f->class->n;

	for (i = f->next; i < n; i++) {
		if (f->field[i].name == name_id)
			return i;
	}
	for (i = 0; i < f->next; i++) {
		if (f->field[i].name == name_id)
			return i;
	}
	return n;
}

/*
 * Writes the name of a member that no class knows, in upper case as its field would be. It may
 * be there already.
 */
static void
add_unknown_name(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	uint32_t h = 5381;
	uint64_t bit;
	size_t at;

	for (size_t i = 0; i < tag->name_len; i++)
		h = h * 33 + (unsigned char)tag->name[i];
	bit = UINT64_C(1) << (h * UINT32_C(0x9e3779b1) >> 26);
	f->disordered |= (f->unknown & bit) != 0;
	f->unknown |= bit;
	members_add(&w->out, ",", 1);
	at = w->out.len + 1;
	json_add_string(&w->out, tag->name, tag->name_len);
	if (buf_ok(&w->out) && w->out.data[at] >= 'a' && w->out.data[at] <= 'z')
		w->out.data[at] = (char)(w->out.data[at] - 'a' + 'A');
	buf_add_char(&w->out, ':');
}

/* An element within a value that was no object so far. */
static void
become_object(struct event_writer *w, struct event_frame *f)
{
	bool type_written = f->mode == MODE_LIGHT && w->out.len != f->start;

	if (!type_written)
		buf_truncate(&w->out, f->start);
	w->facts.schema_unknown |= f->mode != MODE_LIGHT;
	f->mode = MODE_OBJECT;
	f->class = NULL;
	f->array = SCHEMA_NONE;
	if (!type_written)
		buf_add_char(&w->out, '{');
}

/*
 * Writes what precedes the value of an element and returns the element's field, or NULL.
 */
static const struct schema_field *
begin_member(struct event_writer *w, struct event_frame *f, const struct start_tag *tag)
{
	const struct schema_field *field;
	uint16_t i;

	if (f->mode != MODE_OBJECT)
		become_object(w, f);
	if (f->class == NULL) {
		add_unknown_name(w, f, tag);
		return NULL;
	}
	if (f->array != SCHEMA_NONE) {
		if (f->field[f->array].name == tag->name_id) {
			buf_add_char(&w->out, ',');
			return &f->field[f->array];
		}
		close_array(w, f);
	}
	i = tag->name_id == SCHEMA_NONE ? f->class->n : find_field(f, tag->name_id);
	if (i == f->class->n) {
		w->facts.schema_unknown = true;
		add_unknown_name(w, f, tag);
		return NULL;
	}
	if (i < f->next) {
		f->disordered = true;
	} else {
		if (i != f->next)
			members_add_unset(&w->members, &w->out, f->class, f->next, i);
		f->next = (uint16_t)(i + 1);
	}
	field = &f->field[i];
	members_add_name(&w->out, field);
	if ((field->flags & SCHEMA_ARRAY) != 0) {
		buf_add_char(&w->out, '[');
		f->array = i;
	}
	return field;
}

void
event_writer_start(struct event_writer *w, const struct start_tag *tag)
{
	if (w->skipped != 0 || w->depth == EVENT_DEPTH_MAX ||
		++w->n_elements > EVENT_ELEMENTS_MAX || w->out.len > w->json_end) {
		w->skipped++;
		w->facts.trimmed = true;
		return;
	}
	event_writer_begin_value(w, begin_member(w, &w->frame[w->depth - 1], tag), tag);
}

/* ---- where a value ends ---- */

/* Takes notice of the few members that an event is known by; f is closed. */
static void
look(struct event_writer *w, const struct event_frame *f)
{
	struct event_facts *facts = &w->facts;
	const char *text = buf_str(&w->text);
	size_t len = w->text.len;

	if (w->depth == 2) {
		if (f->name_id == w->name && w->frame[1].name_id == w->datacenter)
			facts->datacenter = keep(w, text, len);
		else if (f->name_id == w->name && w->frame[1].name_id == w->cluster)
			facts->cluster = keep(w, text, len);
	} else if (f->name_id == w->key) {
		char *end;

		facts->key = (int32_t)strtoll(text, &end, 10); /* wraps as vCenter's does */
		facts->has_key = end != text;
	} else if (f->name_id == w->event_type_id) {
		facts->name = keep(w, text, len);
	} else if (f->name_id == w->severity && facts->class == w->eventex) {
		facts->severity = keep(w, text, len);
	}
}

/* Writes the text of a scalar that was not written as it came. */
static void
end_scalar(struct event_writer *w, const struct event_frame *f)
{
	struct event_facts *facts = &w->facts;
	const char *text = buf_str(&w->text);
	bool fits;

	if (w->direct) {
		buf_add_char(&w->out, '"');
	} else if (w->depth == 1 && f->name_id == w->created && f->kind == SCHEMA_TIME) {
		fits = scalar_add_time(&w->out, text, w->text.len, &facts->created_us);
		facts->has_created = fits && w->text.len != 0 && buf_ok(&w->out);
		if (facts->has_created)
			facts->created = keep(
				w, w->out.data + f->start + 1, w->out.len - f->start - 2);
		facts->schema_unknown |= !fits;
	} else {
		fits = scalar_add(&w->out, (enum schema_kind)f->kind, text, w->text.len);
		facts->schema_unknown |= !fits;
		if (w->depth == 1 || w->depth == 2)
			look(w, f);
	}
	w->direct = false;
}

/*
 * Puts the members of an object in order. What is in it was put in order before, once for each
 * object around it: objects that take too much of that lose their members. The event itself
 * does not.
 */
static void
put_in_order(struct event_writer *w, const struct event_frame *f)
{
	w->merged += w->out.len - f->start;
	if (w->depth == 0 ||
		w->merged <= MERGED_FREE + MERGED_RATIO * (w->out.len - w->facts.data)) {
		members_merge(&w->members, &w->out, f->start, f->class);
		return;
	}
	w->facts.trimmed = true;
	buf_truncate(&w->out, f->start);
	buf_add_char(&w->out, '{');
	if (f->class != NULL)
		members_add_unset(&w->members, &w->out, f->class, 0, f->class->n);
	buf_add_char(&w->out, '}');
}

static void
end_object(struct event_writer *w, struct event_frame *f)
{
	close_array(w, f);
	if (f->class != NULL)
		members_add_unset(&w->members, &w->out, f->class, f->next, f->class->n);
	buf_add_char(&w->out, '}');
	if (f->disordered)
		put_in_order(w, f);
}

static void
end_event(struct event_writer *w)
{
	struct event_facts *facts = &w->facts;

	if (w->cut || w->out.len - facts->data > w->event_max) {
		size_t max = w->cut && w->event_max > STUB_MAX ? STUB_MAX : w->event_max;
		enum members_trimmed trimmed = members_trim(
			&w->members, &w->out, facts->data, w->frame[0].class, max);

		facts->trimmed = true;
		facts->stub = w->cut || trimmed == MEMBERS_STUB;
		if (trimmed == MEMBERS_TOO_LARGE)
			facts->has_key = false;
	}
	facts->data_len = w->out.len - facts->data;
	if ((facts->class != w->eventex && facts->class != w->extendedevent) ||
		facts->name == 0)
		facts->name = facts->class_name;
}

bool
event_writer_end(struct event_writer *w)
{
	struct event_frame *f;

	if (w->skipped != 0) {
		w->skipped--;
		return false;
	}
	f = &w->frame[--w->depth];
	switch ((enum event_frame_mode)f->mode) {
	case MODE_SCALAR:
		end_scalar(w, f);
		break;
	case MODE_MOREF:
		json_add_string(&w->out, buf_str(&w->text), w->text.len);
		buf_add_char(&w->out, '}');
		break;
	case MODE_LIGHT:
		buf_truncate(&w->out, f->start);
		json_add_string(&w->out, buf_str(&w->text), w->text.len);
		break;
	case MODE_OBJECT:
		end_object(w, f);
		break;
	}
	buf_truncate(&w->text, 0);
	if (w->depth != 0)
		return false;
	end_event(w);
	return true;
}

void
event_writer_begin(struct event_writer *w, const struct start_tag *tag)
{
	const struct schema_class *class = tag->type == NULL
		? w->event
		: schema_find(tag->type, tag->type_len);
	struct event_frame *f = &w->frame[0];

	w->facts = (struct event_facts){ .data = w->out.len, .class = class };
	w->facts.class_name = tag->type == NULL ? keep(w, "Event", 5)
						: keep(w, tag->type, tag->type_len);
	if (class == NULL || !schema_is_a(class, w->event)) {
		w->facts.schema_unknown = true;
		class = w->event;
	}
	w->depth = 1;
	w->skipped = w->n_elements = w->merged = 0;
	w->json_end = w->out.len + w->json_max;
	w->direct = false;
	f->start = w->out.len;
	f->name_id = SCHEMA_NONE;
	f->disordered = false;
	f->unknown = 0;
	f->kind = SCHEMA_OBJECT;
	buf_clear(&w->text);
	event_writer_begin_object(w, f, class);
}

void
event_writer_close(struct event_writer *w)
{
	w->skipped = 0;
	while (w->depth != 0)
		event_writer_end(w);
}

void
event_writer_drop(struct event_writer *w)
{
	buf_truncate(&w->out, w->facts.data);
	w->depth = w->skipped = 0;
}
