// SPDX-License-Identifier: Apache-2.0
/* Strict conversion of text to values: the whole string must be valid. */
#ifndef VCOURIER_TEXT_H
#define VCOURIER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decimal, optional minus sign, no white space. True when the whole of s is a number in [min,
 * max].
 */
bool text_int(const char *s, int64_t min, int64_t max, int64_t *out);

/*
 * The reverse: writes decimal digits and NUL to buf; returns the number of digits. For hot
 * paths, where snprintf is too slow.
 */
enum { TEXT_INT_SIZE = 21 };
size_t text_from_int(int64_t value, char buf[TEXT_INT_SIZE]);

/*
 * A duration with units, to milliseconds: "250ms", "30s", "1h30m", "7d"; ISO 8601 "PT1M30S" and
 * "P1DT2H" too (the vocabulary of Knative's DeliverySpec). A bare number other than 0 is
 * refused.
 */
bool text_duration(const char *s, int64_t *ms);

/* A size with its unit, to bytes: "512" and "512B", "64KiB", "1MiB", "10GiB", "1MB" (10^6). */
bool text_size(const char *s, int64_t *bytes);

/*
 * Shortest exact form with units, for messages: 90000 -> "1m30s". buf of 32 bytes; returns buf.
 */
const char *text_duration_str(int64_t ms, char *buf, size_t size);

/* The length of the longest valid UTF-8 prefix of s[0..len); == len when all is valid. */
size_t text_utf8_valid(const char *s, size_t len);

/* Writes the code point c, at most U+10FFFF, as UTF-8; returns the number of bytes. */
size_t text_utf8_encode(uint32_t c, char out[4]);

/*
 * For text that is cut: the length without a last character of which s[0..len) has only a part.
 * len when it ends with a whole one, or is not UTF-8 there.
 */
size_t text_whole(const char *s, size_t len);

/* A byte of s[0..len) is a control character of ASCII: 0 to 31, 127. */
bool text_has_control(const char *s, size_t len);

bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/*
 * Number of edits that turn a into b, ignoring case; `limit` + 1 when it is more than limit.
 * For "did you mean".
 */
unsigned text_distance(const char *a, const char *b, unsigned limit);

#endif
