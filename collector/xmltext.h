// SPDX-License-Identifier: Apache-2.0
/*
 * XML as bytes, without a parser: removes what libxml2 refuses, and finds the events of a page
 * that is not well formed.
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

/*
 * The same for references to forbidden characters: &#11; &#x0;. An & that begins no reference
 * is escaped. CDATA sections, comments and processing instructions stay as they are. True when
 * something was changed.
 */
bool xmltext_scrub_references(struct buf *out, const char *s, size_t len, size_t *n_bad);

/*
 * The next start tag (or end tag) of that local name at or behind p: where its `<` is; NULL
 * when there is none.
 */
const char *xmltext_find_tag(const char *p, const char *end, const char *name, bool end_tag);

/*
 * Bounds of a start tag. libxml2 compares each attribute of a tag with all before it, and each
 * namespace too; it keeps names and namespaces for as long as the document. A tag of a real
 * vCenter has up to 8 attributes and below 1 KiB.
 */
enum { XMLTEXT_ATTRIBUTES_MAX = 128, XMLTEXT_TAG_MAX = 64 * 1024 };

/* How far the tags of a text were looked at. All zero at the start of the text. */
struct xmltext_tags {
	size_t open;       /* where the last < is */
	size_t at;         /* up to here there is no other one */
	size_t attributes; /* of that tag up to `at`, when it is long */
	char quote;        /* of the attribute value that is open there; 0: none */
	bool is_long, ended;
};

/*
 * Looks at the tags of s[0..len), the whole text so far, from where the last call ended. False:
 * a start tag exceeds the bounds; its < is at tags->open. A tag of less than 512 bytes is not
 * looked at: it cannot exceed them.
 */
bool xmltext_check_tags(struct xmltext_tags *tags, const char *s, size_t len);

#endif
