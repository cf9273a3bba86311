// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes of an event from a request that is no CloudEvent. A value of `wrap` is
 *
 *     $.alert.name      a member of the body; a number names an item of an array
 *     $/alert/name      the same as a JSON pointer (RFC 6901), for names with a dot
 *     header:X-Name     a header of the request
 *     anything else     itself
 *
 * Pure.
 */
#ifndef VCOURIER_WEBHOOK_WRAP_H
#define VCOURIER_WEBHOOK_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

struct webhook_header {
	const char *name, *value;
};

/* A request whose body is valid JSON. */
struct webhook_content {
	const struct webhook_header *header;
	size_t n_headers;
	const char *body;
	size_t len;
};

/* The value of the header, in any case of its name; NULL: there is none. */
const char *webhook_wrap_header(const struct webhook_content *content, const char *name);

/* Whether a value of `wrap` has one of these forms; ERR_CONFIG says why not. */
int webhook_wrap_check(const char *value, struct err *err);

/*
 * Appends what the value refers to: of the body a string's text, a number or a boolean. False:
 * the request does not have it, it is another kind of value, or it contains a NUL.
 */
bool webhook_wrap_read(
	const char *value, const struct webhook_content *content, struct buf *out);

#endif
