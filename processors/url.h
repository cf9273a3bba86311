// SPDX-License-Identifier: Apache-2.0
/* Builds URLs from names (RFC 3986). */
#ifndef VCOURIER_URL_H
#define VCOURIER_URL_H

#include <stdbool.h>

#include "buf.h"

/*
 * Appends s as one path segment or query value: everything except the unreserved characters is
 * percent-encoded.
 */
void url_add_escaped(struct buf *out, const char *s);

/*
 * "." or "..": libcurl removes such a segment from a path, escaped or not, and so changes the
 * path.
 */
bool url_is_dot_segment(const char *s);

#endif
