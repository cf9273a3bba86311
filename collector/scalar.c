// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "clock.h"
#include "json.h"

enum { NUMBER_MAX = 64 }; /* bytes of a number's text */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
add_bool(struct buf *out, const char *s, size_t len)
{
	bool yes = (len == 4 && memcmp(s, "true", 4) == 0) || (len == 1 && *s == '1');
	bool no = (len == 5 && memcmp(s, "false", 5) == 0) || (len == 1 && *s == '0');

	if (yes)
		buf_add(out, "true", 4);
	else if (no)
		buf_add(out, "false", 5);
	return yes || no;
}

/* JSON has neither a plus sign nor leading zeros. */
static bool
add_int(struct buf *out, const char *s, size_t len)
{
	const char *end = s + len;
	bool minus = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (s == end || end - s > NUMBER_MAX)
		return false;
	for (const char *p = s; p < end; p++) {
		if (!is_digit(*p))
			return false;
	}
	while (end - s > 1 && *s == '0')
		s++;
	if (minus && *s != '0')
		buf_add_char(out, '-');
	buf_add(out, s, (size_t)(end - s));
	return true;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the exponent. */
static bool
is_float(const char *s, const char *end)
{
	const char *digits;
	size_t n;

	if (s < end && (*s == '-' || *s == '+'))
		s++;
	for (digits = s; s < end && is_digit(*s); s++)
		;
	n = (size_t)(s - digits);
	if (s < end && *s == '.') {
		for (digits = ++s; s < end && is_digit(*s); s++)
			;
		n += (size_t)(s - digits);
	}
	if (n == 0 || s == end || (*s | 32) != 'e')
		return n != 0 && s == end;
	s++;
	if (s < end && (*s == '-' || *s == '+'))
		s++;
	for (digits = s; s < end && is_digit(*s); s++)
		;
	return s == end && s != digits;
}

/* The shortest digits from which the same number is read. */
static void
shortest(double v, bool single, char *text, size_t size)
{
	int most = single ? 9 : 17;

	for (int digits = 0; digits < most; digits++) {
		snprintf(text, size, "%.*e", digits, v);
		if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
			break;
	}
}

/* d[0..n) are the digits of d.ddd * 10^exponent. */
static void
add_plain(struct buf *out, const char *d, int n, int exponent)
{
	int whole = exponent < 0 ? 0 : exponent + 1;

	if (whole == 0)
		buf_add(out, "0.", 2);
	for (int i = exponent; i < -1; i++)
		buf_add_char(out, '0');
	buf_add(out, d, (size_t)(whole < n ? whole : n));
	for (int i = n; i < whole; i++)
		buf_add_char(out, '0');
	if (whole != 0 && whole < n)
		buf_add_char(out, '.');
	if (whole < n)
		buf_add(out, d + whole, (size_t)(n - whole));
}

/*
 * ES6's number format, which Go follows: plain from 1e-6 to below 1e21, else with an exponent.
 */
static bool
add_float(struct buf *out, const char *s, size_t len, bool single)
{
	char in[NUMBER_MAX + 1], text[NUMBER_MAX];
	double v, size;
	char *e;
	int exponent, n;

	if (len > NUMBER_MAX || !is_float(s, s + len))
		return false;
	memcpy(in, s, len);
	in[len] = '\0';
	v = single ? (double)strtof(in, NULL) : strtod(in, NULL);
	size = fabs(v);
	if (!isfinite(v))
		return false;
	if (signbit(v))
		buf_add_char(out, '-');
	shortest(size, single, text, sizeof(text));
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	n = (int)(e - text);
	if (size != 0 &&
		(single ? (float)size < 1e-6F || (float)size >= 1e21F
			: size < 1e-6 || size >= 1e21)) {
		buf_add(out, text, (size_t)n);
		buf_printf(out, "e%+d", exponent);
		return true;
	}
	if (n > 1) /* remove the decimal point */
		memmove(text + 1, text + 2, (size_t)(--n - 1));
	add_plain(out, text, n, exponent);
	return true;
}

/* RFC 3339: at most nanoseconds, no zeros at the end of the fraction, UTC as "Z". */
static bool
add_time(struct buf *out, const char *s, size_t len, int64_t *us)
{
	size_t dot = 19, zone = 19, last;

	if (!clock_parse(s, len, us))
		return false;
	if (zone < len && s[zone] == '.') {
		for (zone++; zone < len && is_digit(s[zone]); zone++)
			;
	}
	last = zone > dot + 10 ? dot + 10 : zone;
	while (last > dot + 1 && s[last - 1] == '0')
		last--;
	if (last == dot + 1)
		last = dot;
	buf_add_char(out, '"');
	buf_add(out, s, last);
	if (zone == len || s[zone] == 'Z' || memcmp(s + zone + 1, "00:00", 5) == 0)
		buf_add_char(out, 'Z');
	else
		buf_add(out, s + zone, len - zone);
	buf_add_char(out, '"');
	return true;
}

static void
add_base64(struct buf *out, const char *s, size_t len)
{
	buf_add_char(out, '"');
	base64_encode(out, s, len);
	buf_add_char(out, '"');
}

static bool
add_value(struct buf *out, enum schema_kind kind, const char *s, size_t len)
{
	switch (kind) {
	case SCHEMA_BOOL:
		return add_bool(out, s, len);
	case SCHEMA_INT:
		return add_int(out, s, len);
	default:
		return add_float(out, s, len, kind == SCHEMA_FLOAT32);
	}
}

/* Removes the blanks at both ends of *s, which has *len bytes. */
static void
trim(const char **s, size_t *len)
{
	while (*len != 0 && is_blank(**s)) {
		++*s;
		--*len;
	}
	while (*len != 0 && is_blank((*s)[*len - 1]))
		--*len;
}

bool
scalar_add_time(struct buf *out, const char *text, size_t len, int64_t *us)
{
	const char *s = text;
	size_t n = len;

	trim(&s, &n);
	if (n == 0)
		scalar_add_zero(out, SCHEMA_TIME);
	else if (!add_time(out, s, n, us)) {
		json_add_string(out, text, len);
		return false;
	}
	return true;
}

bool
scalar_add(struct buf *out, enum schema_kind kind, const char *text, size_t len)
{
	const char *s = text;
	size_t n = len;
	int64_t us;

	if (kind == SCHEMA_STRING) {
		json_add_string(out, text, len);
		return true;
	}
	if (kind == SCHEMA_BYTES) {
		add_base64(out, text, len);
		return true;
	}
	if (kind == SCHEMA_TIME)
		return scalar_add_time(out, text, len, &us);
	trim(&s, &n);
	if (n == 0)
		scalar_add_zero(out, kind);
	else if (!add_value(out, kind, s, n)) {
		json_add_string(out, text, len);
		return false;
	}
	return true;
}

void
scalar_add_zero(struct buf *out, enum schema_kind kind)
{
	static const char *const zero[] = {
		[SCHEMA_BOOL] = "false",
		[SCHEMA_INT] = "0",
		[SCHEMA_FLOAT32] = "0",
		[SCHEMA_FLOAT64] = "0",
		[SCHEMA_STRING] = "\"\"",
		[SCHEMA_TIME] = "\"0001-01-01T00:00:00Z\"",
		[SCHEMA_BYTES] = "null",
		[SCHEMA_MOREF] = "{\"Type\":\"\",\"Value\":\"\"}",
	};

	buf_add_str(out, zero[kind]);
}

enum schema_kind
scalar_kind(const char *xsd_type, size_t len)
{
	static const struct {
		const char *name;
		enum schema_kind kind;
	} types[] = {
		{ "string", SCHEMA_STRING },
		{ "int", SCHEMA_INT },
		{ "boolean", SCHEMA_BOOL },
		{ "long", SCHEMA_INT },
		{ "short", SCHEMA_INT },
		{ "byte", SCHEMA_INT },
		{ "unsignedInt", SCHEMA_INT },
		{ "unsignedLong", SCHEMA_INT },
		{ "unsignedShort", SCHEMA_INT },
		{ "unsignedByte", SCHEMA_INT },
		{ "double", SCHEMA_FLOAT64 },
		{ "float", SCHEMA_FLOAT32 },
		{ "dateTime", SCHEMA_TIME },
		{ "base64Binary", SCHEMA_BYTES },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strncmp(types[i].name, xsd_type, len) == 0 && types[i].name[len] == '\0')
			return types[i].kind;
	}
	return SCHEMA_ANY;
}
