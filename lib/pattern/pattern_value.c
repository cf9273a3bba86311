// SPDX-License-Identifier: Apache-2.0
#include "pattern_value.h"

#include <stdlib.h>
#include <string.h>

static bool
in_range(const struct pattern_range *range, struct pattern_value *value)
{
	if (value->kind != VALUE_NUMBER)
		return false;
	if (!value->number_known) {
		value->number_known = true;
		value->comparable = pattern_number_parse(
			value->text, value->len, &value->number);
	}
	if (!value->comparable)
		return false;
	if (range->low_open ? value->number <= range->low : value->number < range->low)
		return false;
	return range->high_open ? value->number < range->high : value->number <= range->high;
}

static bool
in_net(const struct pattern_net *net, struct pattern_value *value)
{
	if (value->kind != VALUE_STRING)
		return false;
	if (!value->address_known) {
		value->address_known = true;
		value->address_len = pattern_address_parse(
			value->text, value->len, value->address);
	}
	return value->address_len == net->len &&
		memcmp(value->address, net->low, net->len) >= 0 &&
		memcmp(value->address, net->high, net->len) <= 0;
}

static bool
same_text(const struct pattern_test *test, const struct pattern_value *value)
{
	return test->len == value->len && memcmp(test->text, value->text, test->len) == 0;
}

/*
 * The value is compared with its quotes, as in event-ruler: a prefix may include the closing
 * quote.
 */
static bool
has_prefix(const struct pattern_test *test, const struct pattern_value *value)
{
	if (value->len >= test->len)
		return memcmp(value->text, test->text, test->len) == 0;
	return value->len + 1 == test->len && test->text[value->len] == '"' &&
		memcmp(value->text, test->text, value->len) == 0;
}

static bool
has_suffix(const struct pattern_test *test, const struct pattern_value *value)
{
	if (value->len >= test->len)
		return memcmp(value->text + value->len - test->len, test->text, test->len) == 0;
	return value->len + 1 == test->len && test->text[0] == '"' &&
		memcmp(value->text, test->text + 1, value->len) == 0;
}

static bool
string_holds(const struct pattern_test *test, const struct pattern_value *value)
{
	if (value->kind != VALUE_STRING)
		return false;
	switch (test->kind) {
	case TEST_STRING:
		return same_text(test, value);
	case TEST_PREFIX:
		return has_prefix(test, value);
	case TEST_SUFFIX:
		return has_suffix(test, value);
	case TEST_WILDCARD:
		return pattern_wildcard_matches(test, value->text, value->len);
	default:
		return pattern_fold_matches(test, value->text, value->len);
	}
}

/* What anything-but excludes: strings or numbers, never another anything-but. */
static bool
plain_holds(const struct pattern_test *test, struct pattern_value *value)
{
	switch (test->kind) {
	case TEST_WORD:
		return value->kind != VALUE_STRING && same_text(test, value);
	case TEST_RANGE:
		return in_range(&test->range, value);
	case TEST_NET:
		return in_net(&test->net, value);
	case TEST_EXISTS:
		return true;
	case TEST_ABSENT:
		return false;
	default:
		return string_holds(test, value);
	}
}

bool
pattern_test_holds(const struct pattern_test *test, struct pattern_value *value)
{
	if (test->kind != TEST_ANYTHING_BUT)
		return plain_holds(test, value);
	for (size_t i = 0; i < test->len; i++)
		if (plain_holds(&test->but[i], value))
			return false;
	return true;
}

static void
free_plain(struct pattern_test *test)
{
	free(test->text);
	free(test->fold);
	free(test->part);
}

void
pattern_test_free(struct pattern_test *test)
{
	for (size_t i = 0; test->but != NULL && i < test->len; i++)
		free_plain(&test->but[i]);
	free(test->but);
	free_plain(test);
}
