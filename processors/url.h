// SPDX-License-Identifier: Apache-2.0
/* URLs put together from names (RFC 3986). */
#ifndef VCOURIER_URL_H
#define VCOURIER_URL_H

#include "buf.h"

/* Appends s as one path segment or query value: all but the unreserved characters
 * percent-encoded. */
void url_add_escaped(struct buf *out, const char *s);

#endif
