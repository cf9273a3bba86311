// SPDX-License-Identifier: Apache-2.0
/*
 * JSON text for the event path: writes strings with escapes, and checks values with a strict
 * scanner that allocates nothing. (cJSON parses replies and patterns, off the event path.)
 */
#ifndef VCOURIER_JSON_H
#define VCOURIER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * Appends s[0..len) as a JSON string, quotes included, byte for byte as Go's encoding/json
 * writes it: < > & and U+2028/9 as \uXXXX, control characters short (\n \r \t) or \u00XX,
 * invalid UTF-8 as \ufffd.
 */
void json_add_string(struct buf *b, const char *s, size_t len);

/* Appends "name":"text"; the name is written as it is. */
void json_add_member(struct buf *b, const char *name, const char *text);

/* Bytes of the longest escape: of one byte, such as > */
enum { JSON_ESCAPED_MAX = 6 };

/* The same without the quotes. */
void json_add_escaped(struct buf *b, const char *s, size_t len);

/* False: json_add_string writes s[0..len) as it is. True of all text that is not ASCII. */
bool json_needs_escape(const char *s, size_t len);

/*
 * Scans one JSON value at *p (white space before it is skipped) and moves *p past it. Checks
 * the whole grammar, nesting up to 512 deep, and UTF-8 in strings. False if there is no valid
 * value; *p is then where the error is.
 */
bool json_skip_value(const char **p, const char *end);

/*
 * Appends the text of the first member with this name (written without escapes) of the object
 * in text[0..len), as it is: a number keeps all its digits. False: there is none before the
 * object ends or is no longer valid.
 */
bool json_find_member(const char *text, size_t len, const char *name, struct buf *value);

/* Moves *p over blanks, tabs, CR and LF. */
void json_skip_blanks(const char **p, const char *end);

/*
 * Decodes the JSON string at s[0..len), quotes included, into b. False on bad escapes, lone
 * surrogates or a control character.
 */
bool json_decode_string(const char *s, size_t len, struct buf *b);

#endif
