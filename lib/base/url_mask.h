// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets of URLs: user info (RFC 3986, 3.2.1), query and fragment. They are masked in every
 * text that leaves a process: err_set() and err_wrap() do it for errors, log.h for values,
 * config_print.h for the printed configuration, stats.h and the dead letter sink for addresses.
 */
#ifndef VCOURIER_URL_MASK_H
#define VCOURIER_URL_MASK_H

#include "buf.h"

/*
 * Appends text. In each URL in it, three asterisks replace user and password, and three more
 * the query and the fragment. Of a URL that has an unescaped slash or question mark before an
 * @, only the scheme is left, since that may be a part of a password.
 */
void url_mask_add(struct buf *to, const char *text);

#endif
