// SPDX-License-Identifier: Apache-2.0
/*
 * XML as bytes, before and beside the parser: what it would choke on, and where the events of
 * a broken page are.
 */
#ifndef VCOURIER_XMLTEXT_H
#define VCOURIER_XMLTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * Appends s[0..len) with bytes that are not UTF-8 and characters that XML 1.0 forbids each as
 * U+FFFD, and adds their number to *n_bad. A character that is cut off at the end is left to
 * the next call, unless `last`. Returns the bytes taken.
 */
size_t xmltext_scrub(struct buf *out, const char *s, size_t len, bool last, size_t *n_bad);

/* The same for references to forbidden characters: &#11; &#x0; */
void xmltext_scrub_references(struct buf *out, const char *s, size_t len, size_t *n_bad);

/*
 * The next start tag (or end tag) of that local name at or behind p: where its `<` is; NULL
 * when there is none.
 */
const char *xmltext_find_tag(const char *p, const char *end, const char *name, bool end_tag);

#endif
