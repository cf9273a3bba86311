// SPDX-License-Identifier: Apache-2.0
/*
 * The compiled vSphere type table: the classes, their fields in order, and how each field is
 * read and written. Generated from vsphere.table; constant data without pointers, about 150 kB.
 */
#ifndef VCOURIER_SCHEMA_H
#define VCOURIER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEMA_NONE = 0xffff,
	SCHEMA_SLOTS = 4096, /* of the hash table of classes */
	SCHEMA_MEMBER_PAD =
		64, /* bytes that can be read at any member's name; no name is longer */
};

enum schema_kind {
	SCHEMA_BOOL,
	SCHEMA_INT, /* of any width */
	SCHEMA_FLOAT32,
	SCHEMA_FLOAT64,
	SCHEMA_STRING, /* also enumerations */
	SCHEMA_TIME,
	SCHEMA_BYTES,
	SCHEMA_MOREF,
	SCHEMA_OBJECT,
	SCHEMA_ANY, /* xsd:anyType: xsi:type has the type */
};

enum schema_flags {
	SCHEMA_ARRAY = 1,
	SCHEMA_NULLABLE = 2, /* null when unset; otherwise the zero value of its kind */
	SCHEMA_NEW = 4,      /* unknown to the Event Router: omitted when absent */
};

struct schema_field {
	uint16_t name;  /* index in schema_names */
	uint16_t class; /* SCHEMA_OBJECT: the declared class, index in schema_classes */
	uint8_t kind, flags;
};

/*
 * A member's name as it is written, comma, quotes and colon included: ,"CreatedTime":
 * (createdTime in XML).
 */
struct schema_name {
	uint16_t at; /* in schema_member_text */
	uint8_t len;
};

struct schema_class {
	uint16_t name;  /* offset in schema_class_text */
	uint16_t base;  /* index in schema_classes or SCHEMA_NONE */
	uint16_t first; /* its fields, the inherited ones first, in schema_fields */
	uint8_t n;
	uint8_t kind; /* SCHEMA_OBJECT, SCHEMA_MOREF, or SCHEMA_STRING for an enumeration */
};

extern const struct schema_name schema_names[];
extern const struct schema_field schema_fields[];
extern const struct schema_class schema_classes[];
extern const uint16_t schema_slots[];
extern const char schema_member_text[], schema_class_text[];
extern const size_t schema_n_names, schema_n_classes;

/* A class by its name, as in xsi:type; NULL if the table does not have it. */
const struct schema_class *schema_find(const char *name, size_t len);

/*
 * The index of a member's name, by the local name of its element; SCHEMA_NONE if no class has
 * such a member.
 */
uint16_t schema_find_name(const char *xml_name, size_t len);

/* True when c is the class `ancestor` or descends from it. */
bool schema_is_a(const struct schema_class *c, const struct schema_class *ancestor);

static inline const char *
schema_class_name(const struct schema_class *c)
{
	return schema_class_text + c->name;
}

static inline const struct schema_field *
schema_class_fields(const struct schema_class *c)
{
	return schema_fields + c->first;
}

#endif
