// SPDX-License-Identifier: Apache-2.0
#include "quantity.h"

#include <string.h>

static const struct quantity_unit {
	const char *suffix;
	int64_t thousandths; /* of one */
} units[] = {
	{ "m", 1 },
	{ "", 1000 },
	{ "k", INT64_C(1000000) },
	{ "M", INT64_C(1000000000) },
	{ "G", INT64_C(1000000000000) },
	{ "T", INT64_C(1000000000000000) },
	{ "Ki", INT64_C(1000) << 10 },
	{ "Mi", INT64_C(1000) << 20 },
	{ "Gi", INT64_C(1000) << 30 },
	{ "Ti", INT64_C(1000) << 40 },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The thousandths of ".25" in this unit; moves *s past it. Digits after the ninth do not count. */
static int64_t
fraction(const char **s, int64_t unit)
{
	int64_t value = 0, scale = 1;

	for (; is_digit(**s); (*s)++)
		if (scale < 1000000000) {
			value = value * 10 + (**s - '0');
			scale *= 10;
		}
	/* value < 10^9 and unit < 2^50: in two steps, without overflow */
	return value * (unit / scale) + (value * (unit % scale) + scale - 1) / scale;
}

bool
quantity_read(const char *text, int64_t *thousandths)
{
	const char *s = text, *suffix, *part;
	int64_t whole = 0;

	for (; is_digit(*s); s++) {
		if (whole > (INT64_MAX - 9) / 10)
			return false;
		whole = whole * 10 + (*s - '0');
	}
	part = *s == '.' ? s + 1 : NULL;
	suffix = part != NULL ? part + strspn(part, "0123456789") : s;
	if (!is_digit(*text) || (part != NULL && suffix == part))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t rest;

		if (strcmp(suffix, units[i].suffix) != 0)
			continue;
		rest = part != NULL ? fraction(&part, units[i].thousandths) : 0;
		if (whole > (INT64_MAX - rest) / units[i].thousandths)
			return false;
		rest += whole * units[i].thousandths;
		if (rest > 0)
			*thousandths = rest;
		return rest > 0;
	}
	return false;
}
