// SPDX-License-Identifier: Apache-2.0
/* The alternatives of a field, and the values of an event that they are compared with. */
#ifndef VCOURIER_PATTERN_VALUE_H
#define VCOURIER_PATTERN_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* ---- values of the event: scalars only */

struct pattern_value {
	enum pattern_value_kind {
		VALUE_STRING,
		VALUE_NUMBER,
		VALUE_WORD /* true, false, null */
	} kind;
	const char *text; /* a string decoded, else as written in the JSON */
	size_t len;
	/* computed when first needed */
	bool number_known, comparable, address_known;
	double number;
	size_t address_len; /* 4, 16; 0: not an IP address literal */
	unsigned char address[16];
};

/*
 * A number can be compared when it is exactly what a double prints as (event-ruler's
 * ComparableNumber): 0.1 and 1e22 can, 30 digits and 1e400 cannot. False leaves *out alone.
 */
bool pattern_number_parse(const char *text, size_t len, double *out);

/*
 * The bytes of an IP address literal; 0 when it is not one. IPv4 mapped to IPv6 (in hex) counts
 * as IPv4.
 */
size_t pattern_address_parse(const char *text, size_t len, unsigned char out[16]);

/* ---- tests: one alternative each */

enum pattern_test_kind {
	TEST_STRING, /* text */
	TEST_WORD,   /* the JSON text of a number, true, false or null */
	TEST_PREFIX, /* text */
	TEST_SUFFIX, /* text */
	TEST_FOLD,   /* equals-ignore-case */
	TEST_FOLD_PREFIX,
	TEST_FOLD_SUFFIX,
	TEST_WILDCARD,     /* the literal parts between the stars */
	TEST_RANGE,        /* of numbers */
	TEST_NET,          /* of IP addresses */
	TEST_EXISTS,       /* any value */
	TEST_ABSENT,       /* no value; never true of one */
	TEST_ANYTHING_BUT, /* none of `but` */
};

/* One character of a case-insensitive text: the two forms that match, UTF-8. */
struct pattern_fold {
	unsigned char len[2];
	char form[2][4];
};

struct pattern_part { /* of a wildcard: bytes of text */
	size_t at, len;
};

struct pattern_range {
	double low, high;
	bool low_open, high_open; /* the bound itself is outside */
};

struct pattern_net {
	size_t len;
	unsigned char low[16], high[16];
};

struct pattern_test {
	enum pattern_test_kind kind;
	size_t len; /* of text, fold, part or but */
	char *text;
	struct pattern_fold *fold;
	struct pattern_part *part;
	struct pattern_test *but;
	struct pattern_range range;
	struct pattern_net net;
};

bool pattern_test_holds(const struct pattern_test *test, struct pattern_value *value);
void pattern_test_free(struct pattern_test *test); /* what it owns, not itself */

/* kind one of the three TEST_FOLD. */
int pattern_fold_compile(struct pattern_test *test, enum pattern_test_kind kind,
	const char *text, struct err *err);
bool pattern_fold_matches(const struct pattern_test *test, const char *text, size_t len);

/* NULL, or why the wildcard is invalid. */
const char *pattern_wildcard_compile(struct pattern_test *test, const char *text, size_t len);
bool pattern_wildcard_matches(const struct pattern_test *test, const char *text, size_t len);

/* NULL, or why it is not a CIDR block. */
const char *pattern_address_cidr(struct pattern_net *net, const char *text);

#endif
