// SPDX-License-Identifier: Apache-2.0
/*
 * One event: elements in, JSON out, in one pass. Knows the type table, no XML parser.
 *
 * Each open element is a frame. Members are written as they come; those that the class has and
 * the event does not are filled in as unset when a later one comes, or at the end. An object
 * whose elements come in another order than its class has them, or that has members of no
 * class, is set right when it ends (members.h).
 */
#ifndef VCOURIER_EVENT_WRITER_H
#define VCOURIER_EVENT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "json.h"
#include "members.h"
#include "schema.h"

enum {
	EVENT_DEPTH_MAX = 100,      /* elements in each other; deeper ones are left out */
	EVENT_ELEMENTS_MAX = 65536, /* of one event; the others are left out */
};

/* A start tag. */
struct start_tag {
	const char *name; /* local name */
	size_t name_len;
	uint16_t name_id; /* schema_find_name(name) */
	bool xsd;         /* the type is one of XML Schema, not of vSphere */
	const char *type; /* xsi:type without its prefix; NULL: none */
	size_t type_len;
	const char *moref; /* the unqualified `type` attribute; NULL: none */
	size_t moref_len;
};

enum event_frame_mode {
	MODE_SCALAR, /* text of a known kind */
	MODE_MOREF,  /* {"Type":"..","Value": is written, the text follows */
	MODE_LIGHT,  /* of no known type: a string, unless an element comes */
	MODE_OBJECT, /* { is written; class NULL: schema-light */
};

struct event_frame {
	const struct schema_class *class; /* of an object; NULL: of none that we know */
	const struct schema_field *field; /* the class's */
	size_t start;                     /* where its JSON begins */
	uint64_t unknown; /* a bit for each member that no class knows, by its name */
	uint16_t name_id;
	uint16_t next;  /* of its fields, to be written */
	uint16_t array; /* of its fields, the one whose list is open, or SCHEMA_NONE */
	uint8_t mode, kind;
	bool disordered;
};

/* What was seen of the event; texts are offsets in `strings`, 0 for "". */
struct event_facts {
	size_t data, data_len; /* in out */
	size_t created, class_name, name, severity, datacenter, cluster;
	const struct schema_class *class;
	int64_t created_us;
	int32_t key;
	bool has_key, has_created, schema_unknown, trimmed, stub, repaired;
};

struct event_writer {
	struct buf out;     /* the JSON of one event after the other */
	struct buf strings; /* NUL-terminated; starts with "" */
	struct buf text;    /* of the element that is open */
	bool direct;        /* that text is written to out as it comes, as a JSON string */
	struct members members;
	size_t event_max, depth, skipped; /* skipped: open elements that are left out */
	size_t json_max;                  /* bytes of an event's JSON while it is written */
	size_t json_end;                  /* where those of the present event end */
	size_t n_elements, merged; /* of the present event; bytes that were put in order */
	bool cut;                  /* the next events came in part only: each becomes a stub */
	struct event_facts facts;
	struct event_frame frame[EVENT_DEPTH_MAX];
	/* classes and names that are looked at */
	const struct schema_class *event, *eventex, *extendedevent;
	uint16_t key, created, event_type_id, severity, datacenter, cluster, name;
};

void event_writer_init(struct event_writer *w, size_t out_max, size_t event_max);
void event_writer_free(struct event_writer *w);
void event_writer_clear(struct event_writer *w); /* forgets all events */

/*
 * The start tag of an event; then its elements and texts; end answers true when the event is
 * closed.
 */
void event_writer_begin(struct event_writer *w, const struct start_tag *tag);
void event_writer_start(struct event_writer *w, const struct start_tag *tag);
bool event_writer_end(struct event_writer *w);

/* Closes what is open, as far as the event came. */
void event_writer_close(struct event_writer *w);

/* Takes the last event back, open or closed. */
void event_writer_drop(struct event_writer *w);

/*
 * event_value.c, for event_writer.c: a frame for the value of an element; field NULL: of no
 * class that we know.
 */
void event_writer_begin_value(
	struct event_writer *w, const struct schema_field *field, const struct start_tag *tag);
void event_writer_begin_object(
	struct event_writer *w, struct event_frame *f, const struct schema_class *class);

static inline void
event_writer_text(struct event_writer *w, const char *s, size_t len) /* whole characters */
{
	if (w->skipped != 0)
		return;
	if (w->out.len + JSON_ESCAPED_MAX * w->text.len > w->json_end) {
		w->facts.trimmed = true;
		return;
	}
	if (w->direct)
		json_add_escaped(&w->out, s, len);
	else
		buf_add(&w->text, s, len);
}

#endif
