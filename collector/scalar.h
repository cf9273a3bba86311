// SPDX-License-Identifier: Apache-2.0
/* XML Schema's scalars as JSON, as Go's encoding/json writes what govmomi made of them. */
#ifndef VCOURIER_SCALAR_H
#define VCOURIER_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "schema.h"

/*
 * Appends the text of an element as a JSON value of its kind (BOOL to BYTES). Text that is not
 * of that kind is written as a string rather than lost; false says so. Blanks around numbers,
 * booleans and times are ignored.
 *
 * BYTES: base64 of the text itself. xsd:base64Binary is encoded once more that way; so did the
 * event router.
 */
bool scalar_add(struct buf *out, enum schema_kind kind, const char *text, size_t len);

/*
 * The same for TIME; *us is the time, set when true, unless the text is empty: then 0001-01-01
 * is written.
 */
bool scalar_add_time(struct buf *out, const char *text, size_t len, int64_t *us);

/* Appends the value of an unset member that is not nullable (BOOL to MOREF). */
void scalar_add_zero(struct buf *out, enum schema_kind kind);

/* The kind of an XML Schema type ("int", "dateTime"); SCHEMA_ANY when we know none. */
enum schema_kind scalar_kind(const char *xsd_type, size_t len);

#endif
