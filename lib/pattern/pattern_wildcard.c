// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "mem.h"
#include "pattern_value.h"

/*
 * How many of its prefixes may match one input at once. AWS rejects patterns beyond a limit
 * that it does not publish; by observation it accepts 7 and rejects 11.
 */
enum {
	COMPLEXITY_MAX = 10,
	LITERALS_MAX = 2048, /* after the first star: bounds the cost of the check */
};

/* Whether the first na bytes of part a are the end of the first nb bytes of part b. */
static bool
is_run_suffix(const struct pattern_test *test, const struct pattern_part *a, size_t na,
	const struct pattern_part *b, size_t nb)
{
	const char *text = test->text;

	return na <= nb && memcmp(text + a->at, text + b->at + nb - na, na) == 0;
}

/* The number of prefixes that match at once with the one that ends n bytes into part b. */
static size_t
alive_with(const struct pattern_test *test, const struct pattern_part *b, size_t n)
{
	size_t alive = 0;

	for (size_t i = 1; i < test->len; i++)
		for (size_t k = 1; k <= test->part[i].len; k++)
			if (is_run_suffix(test, &test->part[i], k, b, n))
				alive++;
	return alive;
}

static bool
too_complex(const struct pattern_test *test)
{
	size_t stars = test->len - 1, literals = 0;

	for (size_t i = 1; i < test->len; i++)
		literals += test->part[i].len;
	if (stars + literals <= COMPLEXITY_MAX)
		return false;
	if (stars >= COMPLEXITY_MAX || literals > LITERALS_MAX)
		return true;
	for (size_t i = 1; i < test->len; i++)
		for (size_t n = 1; n <= test->part[i].len; n++)
			if (stars + alive_with(test, &test->part[i], n) > COMPLEXITY_MAX)
				return true;
	return false;
}

const char *
pattern_wildcard_compile(struct pattern_test *test, const char *text, size_t len)
{
	size_t at = 0;

	*test = (struct pattern_test){ .kind = TEST_WILDCARD,
		.len = 1,
		.text = mem_alloc(len + 1),
		.part = mem_array(len + 1, sizeof(*test->part)) };
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '*') {
			if (i + 1 < len && text[i + 1] == '*')
				return "Consecutive wildcard characters";
			test->part[test->len++] = (struct pattern_part){ .at = at };
			continue;
		}
		if (text[i] == '\\') {
			i++;
			if (i == len || (text[i] != '*' && text[i] != '\\'))
				return "Invalid escape character";
		}
		test->text[at++] = text[i];
		test->part[test->len - 1].len++;
	}
	if (too_complex(test))
		return "Rule is too complex - try using fewer wildcard characters or fewer repeating "
		       "character sequences after a wildcard character";
	return NULL;
}

/*
 * The first part must match at the beginning, the last at the end, the others leftmost one
 * after another.
 */
bool
pattern_wildcard_matches(const struct pattern_test *test, const char *text, size_t len)
{
	const struct pattern_part *first = &test->part[0], *last = &test->part[test->len - 1];
	size_t at = first->len;

	if (len < at || memcmp(text, test->text, at) != 0)
		return false;
	if (test->len == 1)
		return len == at;
	if (len - at < last->len ||
		memcmp(text + len - last->len, test->text + last->at, last->len) != 0)
		return false;
	len -= last->len;
	for (const struct pattern_part *part = first + 1; part < last; part++) {
		const char *found = memmem(
			text + at, len - at, test->text + part->at, part->len);

		if (found == NULL)
			return false;
		at = (size_t)(found - text) + part->len;
	}
	return true;
}
