// SPDX-License-Identifier: Apache-2.0
/*
 * Base64 (RFC 4648), with OpenSSL's coder. The input of each function is bounded by its caller.
 */
#ifndef VCOURIER_BASE64_H
#define VCOURIER_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * Appends the standard alphabet with padding. When out is full, buf_ok(out) is false
 * afterwards.
 */
void base64_encode(struct buf *out, const void *data, size_t len);

/*
 * Appends the decoded bytes. The text has the standard alphabet with padding and no white space
 * around it. False: the text is not base64, or out is full; out is then unchanged.
 */
bool base64_decode(struct buf *out, const char *text, size_t len);

/* The same for the URL alphabet without padding (RFC 7515, section 2). */
bool base64_decode_url(struct buf *out, const char *text, size_t len);

#endif
