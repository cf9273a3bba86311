// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the JSON text of a pattern token by token, with error messages that have line and
 * column.
 */
#ifndef VCOURIER_PATTERN_SCAN_H
#define VCOURIER_PATTERN_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

struct pattern_scan {
	const char *start, *p, *end;
	struct err *err;
};

/*
 * ERR_CONFIG, "Event pattern is not valid. Reason: <text> at line: N, column: N"; returns -1.
 */
int pattern_scan_fail(struct pattern_scan *s, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The next character that is not white space, or NUL at the end; it is not consumed. */
char pattern_scan_peek(struct pattern_scan *s);

/* Consumes the next character if it is c. */
bool pattern_scan_take(struct pattern_scan *s, char c);

/* The same, and an error if it is another character. */
int pattern_scan_expect(struct pattern_scan *s, char c);

/* The next string, decoded, into out (cleared first). */
int pattern_scan_string(struct pattern_scan *s, struct buf *out);

/* The next value that is neither string, object nor array: its text. */
int pattern_scan_word(struct pattern_scan *s, const char **text, size_t *len);

/* True when the next value is a number. */
bool pattern_scan_is_number(struct pattern_scan *s);

#endif
