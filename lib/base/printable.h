// SPDX-License-Identifier: Apache-2.0
/*
 * Text from outside that goes to a terminal, a log line or a line of JSON.
 *
 * Some code points control the reader's terminal or reorder the displayed text: C0 controls and
 * DEL, C1 controls (U+0080-9F), the bidirectional controls (U+061C, U+200E-200F, U+202A-202E,
 * U+2066-2069) and the line separators U+2028-2029. These functions disable them and leave the
 * rest of the text unchanged.
 */
#ifndef VCOURIER_PRINTABLE_H
#define VCOURIER_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "buf.h"

/* True when text is valid UTF-8 without any of these code points. */
bool printable_is(const char *text, size_t len);

/*
 * Appends text as one line for a terminal. Line ends and tabs become blanks, the other code
 * points above and each byte that is not UTF-8 become U+FFFD.
 */
void printable_add(struct buf *out, const char *text, size_t len);

/* The same with line feeds and tabs kept. */
void printable_add_lines(struct buf *out, const char *text, size_t len);

/*
 * Prints one line, as printable_add does, and a line feed. At most 64 KiB of the text; what is
 * longer is cut.
 */
void printable_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Print text as printable_add does, and as printable_add_lines does. */
void printable_text(FILE *to, const char *text, size_t len);
void printable_lines(FILE *to, const char *text, size_t len);

/* Prints a JSON value as printable_add_json does, and a line feed. False: it prints nothing. */
bool printable_json(FILE *to, const char *text, size_t len);

/* Appends text as a JSON string, quotes included; these code points are written as \uXXXX. */
void printable_add_json_string(struct buf *out, const char *text, size_t len);

/*
 * Appends a JSON value as one line; these code points are written as \uXXXX, which has the same
 * meaning. False, and out is unchanged, when text is not exactly one JSON value.
 */
bool printable_add_json(struct buf *out, const char *text, size_t len);

#endif
