// SPDX-License-Identifier: Apache-2.0
/*
 * A made-up event of any class: the elements that a vCenter would send, by the type table. It
 * is written as a SOAP reply, and the collector's own code makes the event of it, so a sample
 * has the form of real events.
 *
 * Members of the class itself are filled; of the base class Event those that such events have
 * (a VmEvent has a virtual machine). Optional objects deep inside stay unset.
 */
#ifndef VCOURIER_SAMPLE_H
#define VCOURIER_SAMPLE_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "schema.h"

struct sample;

enum {
	SAMPLE_ID_MAX = 256,     /* bytes of an EventEx id */
	SAMPLE_NODES_MAX = 4096, /* elements */
	SAMPLE_LIST_MAX = 256,   /* of one list */
	SAMPLE_XML_MAX = 4 * 1024 * 1024,
};

/*
 * name: an event class, or the id of an EventEx, which has a dot ("esx.problem.net.vmnic.down").
 * ERR_USAGE: neither; err names the class that is nearest.
 */
int sample_open(struct sample **sample, const char *name, struct err *err);
void sample_close(struct sample *sample); /* NULL is fine */

/* Sets Key, ChainId and CreatedTime. */
void sample_identify(struct sample *sample, int32_t key, int64_t created_us);

/*
 * Sets one member, by its path in `data`: "Vm.Name", "Arguments.0.Key". Objects and list
 * entries on the way are added when they are missing; a list grows by one entry at a time.
 * value "null" unsets an object or a list. A MoRef takes "Type:Value", or its two members.
 * ERR_USAGE: no such member, or the value is not of its type; err says which.
 */
int sample_set(struct sample *sample, const char *path, const char *value, struct err *err);

/* Appends the reply of QueryEvents with this one event. */
void sample_write(const struct sample *sample, struct buf *xml);

/* ---- for the files of this module */

struct sample_node {
	const struct schema_field *field; /* NULL: the event */
	const struct schema_class *class; /* of an object */
	const char *type;                 /* xsi:type, constant; NULL: as declared */
	char *text;                       /* of a scalar; a MoRef's value */
	char *moref;                      /* a MoRef's type */
	struct sample_node *parent, *next, *first;
};

struct sample {
	struct sample_node *node[SAMPLE_NODES_MAX];
	size_t n;
	struct sample_node *event;
};

/* The member's name in JSON; not NUL-terminated. */
const char *sample_member_name(const struct schema_field *field, size_t *len);

/*
 * A new child, after those of earlier fields and of the same field, filled as in a new sample.
 * NULL: the sample has SAMPLE_NODES_MAX elements.
 */
struct sample_node *sample_add(
	struct sample *sample, struct sample_node *parent, const struct schema_field *field);

/* Takes a node out of its parent. It is freed with the sample. */
void sample_remove(struct sample_node *node);

/* NULL, for a member that the class does not have: no effect. */
void sample_set_text(struct sample_node *node, const char *text);

#endif
