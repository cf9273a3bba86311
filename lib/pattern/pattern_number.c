// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <math.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pattern_value.h"

enum {
	DIGITS_MAX = 17, /* enough to distinguish any two doubles */
	DIGITS_SAFE =
		15, /* a decimal of this length survives the conversion to a double and back */
	EXPONENT_MAX = 100000, /* far beyond any double, and small enough not to overflow */
};

/*
 * A decimal number without sign as digits[0] . digits[1] digits[2] ... * 10^exponent, no zeros
 * at its ends.
 */
struct decimal {
	char digits[DIGITS_MAX + 1];
	size_t n; /* 0: the number is zero */
	bool too_long;
	long exponent;
};

static void
add_digit(struct decimal *d, char c, size_t *zeros)
{
	if (c == '0') {
		++*zeros;
		return;
	}
	for (; *zeros != 0; --*zeros) {
		if (d->n == DIGITS_MAX)
			break;
		d->digits[d->n++] = '0';
	}
	*zeros = 0;
	if (d->n == DIGITS_MAX)
		d->too_long = true;
	else
		d->digits[d->n++] = c;
}

/* text: a number as JSON or printf("%e") writes it. */
static void
read_decimal(const char *text, size_t len, struct decimal *d)
{
	const char *p = text, *end = text + len;
	bool fraction = false, started = false;
	size_t zeros = 0;
	long exponent = -1, written = 0;

	*d = (struct decimal){ 0 };
	for (; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.')
			fraction = true;
		if (!isdigit((unsigned char)*p))
			continue;
		if (!started && *p == '0') {
			exponent -= fraction;
			continue;
		}
		started = true;
		exponent += !fraction;
		add_digit(d, *p, &zeros);
	}
	if (p < end) {
		bool negative = ++p < end && *p == '-';

		for (; p < end; p++)
			if (isdigit((unsigned char)*p) && written < EXPONENT_MAX)
				written = written * 10 + (*p - '0');
		exponent += negative ? -written : written;
	}
	d->exponent = exponent;
}

static bool
same_decimal(const struct decimal *a, const struct decimal *b)
{
	return a->n == b->n && a->exponent == b->exponent &&
		memcmp(a->digits, b->digits, a->n) == 0;
}

/* The shortest decimal that reads back as v. */
static void
shortest_decimal(double v, struct decimal *d)
{
	char text[40];
	int digits = fabs(v) < DBL_MIN ? 1 : DIGITS_SAFE, n;

	do {
		n = snprintf(text, sizeof(text), "%.*e", digits - 1, v);
	} while (strtod(text, NULL) != v && digits++ < DIGITS_MAX);
	read_decimal(text, (size_t)n, d);
}

bool
pattern_number_parse(const char *text, size_t len, double *out)
{
	struct decimal given, shortest;
	char copy[64];
	double v;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	read_decimal(text, len, &given);
	v = strtod(copy, NULL);
	if (given.too_long || !isfinite(v) || (v == 0 && given.n != 0))
		return false;
	if (v != 0 && (given.n > DIGITS_SAFE || fabs(v) < DBL_MIN)) {
		shortest_decimal(v, &shortest);
		if (!same_decimal(&given, &shortest))
			return false;
	}
	*out = v == 0 ? 0 : v;
	return true;
}
