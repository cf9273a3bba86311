// SPDX-License-Identifier: Apache-2.0
/*
 * XML Schema's scalar values as JSON, in the form that Go's encoding/json gives govmomi's
 * values.
 */
#ifndef VCOURIER_SCALAR_H
#define VCOURIER_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "schema.h"

/*
 * Appends the text of an element as a JSON value of the given kind (BOOL to BYTES). Text that
 * is not valid for the kind is appended as a string, and the function returns false. Blanks
 * around numbers, booleans and times are ignored.
 *
 * BYTES: base64 of the element's text. A value of xsd:base64Binary is therefore encoded twice,
 * as the event router did.
 */
bool scalar_add(struct buf *out, enum schema_kind kind, const char *text, size_t len);

/*
 * The same for TIME. On success *us is the time in microseconds since 1970. For an empty text,
 * 0001-01-01T00:00:00Z is appended and *us is not set.
 */
bool scalar_add_time(struct buf *out, const char *text, size_t len, int64_t *us);

/* Appends the zero value of a kind (BOOL to MOREF), for an unset member that cannot be null. */
void scalar_add_zero(struct buf *out, enum schema_kind kind);

/* The kind of an XML Schema type ("int", "dateTime"). SCHEMA_ANY: an unknown type. */
enum schema_kind scalar_kind(const char *xsd_type, size_t len);

#endif
