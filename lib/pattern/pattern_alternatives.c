// SPDX-License-Identifier: Apache-2.0
/* The alternatives of one field: [ "a", 1, null, { "prefix": "b" }, ... ]. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "pattern_rule.h"
#include "pattern_scan.h"

/* Adds a zeroed test to a list of n. */
static struct pattern_test *
grow(struct pattern_test **list, size_t *n)
{
	*list = mem_grow(*list, *n + 1, sizeof(**list));
	(*list)[*n] = (struct pattern_test){ 0 };
	return &(*list)[(*n)++];
}

static void
set_text(struct pattern_test *test, enum pattern_test_kind kind, const char *text, size_t len)
{
	test->kind = kind;
	test->text = mem_strndup(text, len);
	test->len = len;
}

/* The next value as a decoded string; what: for the message. */
static int
take_string(struct pattern_scan *s, const char *what, struct buf *text)
{
	if (pattern_scan_peek(s) != '"')
		return pattern_scan_fail(s, "%s match pattern must be a string", what);
	return pattern_scan_string(s, text);
}

static int
take_number(struct pattern_scan *s, const char *what, double *out)
{
	const char *text;
	size_t len;

	if (!pattern_scan_is_number(s))
		return pattern_scan_fail(s, "Value of %s must be numeric", what);
	if (pattern_scan_word(s, &text, &len) != 0)
		return -1;
	if (!pattern_number_parse(text, len, out))
		return pattern_scan_fail(
			s, "Cannot compare number : %.*s", (int)(len < 60 ? len : 60), text);
	return 0;
}

static void
set_equal(struct pattern_test *test, double v)
{
	test->kind = TEST_RANGE;
	test->range = (struct pattern_range){ .low = v, .high = v };
}

/* ---- { "numeric": [ ">", 0, "<=", 5 ] } */

static int
numeric_upper(struct pattern_scan *s, struct buf *op, struct pattern_range *range)
{
	if (pattern_scan_expect(s, ',') != 0 || pattern_scan_peek(s) != '"')
		return pattern_scan_fail(s, "Bad value in numeric range");
	if (pattern_scan_string(s, op) != 0)
		return -1;
	if (strcmp(buf_str(op), "<") != 0 && strcmp(buf_str(op), "<=") != 0)
		return pattern_scan_fail(s, "Bad numeric range operator: %.20s", buf_str(op));
	range->high_open = op->len == 1;
	if (pattern_scan_expect(s, ',') != 0)
		return pattern_scan_fail(s, "Value of %s must be numeric", buf_str(op));
	if (take_number(s, buf_str(op), &range->high) != 0)
		return -1;
	if (pattern_scan_peek(s) != ']')
		return pattern_scan_fail(s, "Too many terms in numeric range expression");
	return range->low < range->high ? 0
					: pattern_scan_fail(s, "Bottom must be less than top");
}

static bool
is_comparison(const char *op)
{
	return strcmp(op, "=") == 0 ||
		((op[0] == '<' || op[0] == '>') && (op[1] == '\0' || strcmp(op + 1, "=") == 0));
}

static int
numeric(struct pattern_scan *s, struct pattern_test *test, struct buf *op)
{
	struct pattern_range range = { .low = -1.0 / 0.0, .high = 1.0 / 0.0 };
	double v = 0;

	if (!pattern_scan_take(s, '['))
		return pattern_scan_fail(s, "Value of numeric must be an array.");
	if (pattern_scan_peek(s) != '"')
		return pattern_scan_fail(s, "Invalid member in numeric match");
	if (pattern_scan_string(s, op) != 0)
		return -1;
	if (!is_comparison(buf_str(op)))
		return pattern_scan_fail(
			s, "Unrecognized numeric range operator: %.20s", buf_str(op));
	if (!pattern_scan_take(s, ','))
		return pattern_scan_fail(s, "Value of %s must be numeric", buf_str(op));
	if (take_number(s, buf_str(op), &v) != 0)
		return -1;
	if (op->data[0] != '<')
		range.low = v;
	if (op->data[0] != '>')
		range.high = v;
	range.low_open = strcmp(op->data, ">") == 0;
	range.high_open = strcmp(op->data, "<") == 0;
	if (op->data[0] == '>' && pattern_scan_peek(s) == ',' &&
		numeric_upper(s, op, &range) != 0)
		return -1;
	if (!pattern_scan_take(s, ']'))
		return pattern_scan_fail(s, "Too many elements in numeric expression");
	*test = (struct pattern_test){ .kind = TEST_RANGE, .range = range };
	return 0;
}

/* ---- the operators that take one string */

static int
string_operator(
	struct pattern_scan *s, const char *name, struct pattern_test *test, struct buf *text)
{
	const char *why = NULL;

	if (take_string(s, name, text) != 0)
		return -1;
	if (strcmp(name, "equals-ignore-case") == 0)
		return pattern_fold_compile(test, TEST_FOLD, buf_str(text), s->err);
	if (strcmp(name, "wildcard") == 0) {
		why = pattern_wildcard_compile(test, buf_str(text), text->len);
	} else if (strcmp(name, "cidr") == 0) {
		test->kind = TEST_NET;
		why = pattern_address_cidr(&test->net, buf_str(text));
	} else if (strcmp(name, "prefix") == 0) {
		set_text(test, TEST_PREFIX, buf_str(text), text->len);
	} else if (strcmp(name, "suffix") == 0) {
		set_text(test, TEST_SUFFIX, buf_str(text), text->len);
	} else {
		set_text(test, TEST_STRING, buf_str(text), text->len);
	}
	return why == NULL ? 0 : pattern_scan_fail(s, "%s", why);
}

/* { "prefix": "a" } and { "prefix": { "equals-ignore-case": "a" } } */
static int
affix(struct pattern_scan *s, const char *name, struct pattern_test *test, struct buf *text)
{
	enum pattern_test_kind kind = name[0] == 'p' ? TEST_FOLD_PREFIX : TEST_FOLD_SUFFIX;

	if (!pattern_scan_take(s, '{'))
		return string_operator(s, name, test, text);
	if (pattern_scan_string(s, text) != 0 || pattern_scan_expect(s, ':') != 0)
		return -1;
	if (strcmp(buf_str(text), "equals-ignore-case") != 0)
		return pattern_scan_fail(
			s, "Unsupported %s pattern: %.40s", name, buf_str(text));
	if (take_string(s, "equals-ignore-case", text) != 0)
		return -1;
	if (!pattern_scan_take(s, '}'))
		return pattern_scan_fail(s, "Only one key allowed in match expression");
	return pattern_fold_compile(test, kind, buf_str(text), s->err);
}

/* ---- anything-but */

static int
but_value(struct pattern_scan *s, struct pattern_test *test, struct buf *text)
{
	double v = 0;

	if (pattern_scan_peek(s) == '"') {
		if (pattern_scan_string(s, text) != 0)
			return -1;
		set_text(grow(&test->but, &test->len), TEST_STRING, buf_str(text), text->len);
		return 0;
	}
	if (!pattern_scan_is_number(s))
		return pattern_scan_fail(
			s, "Inside anything but list, start|null|boolean is not supported.");
	if (take_number(s, "anything-but", &v) != 0)
		return -1;
	set_equal(grow(&test->but, &test->len), v);
	return 0;
}

static int
but_operator(
	struct pattern_scan *s, const char *name, struct pattern_test *test, struct buf *text)
{
	if (string_operator(s, name, grow(&test->but, &test->len), text) != 0)
		return -1;
	if (text->len == 0 && (strcmp(name, "prefix") == 0 || strcmp(name, "suffix") == 0))
		return pattern_scan_fail(s, "Null prefix/suffix not allowed");
	return 0;
}

/* One of them or a list; name NULL: plain values. */
static int
but_list(struct pattern_scan *s, const char *name, struct pattern_test *test, struct buf *text)
{
	bool list = pattern_scan_take(s, '[');

	if (list && pattern_scan_peek(s) == ']')
		return pattern_scan_fail(s, "Empty lists are not allowed in anything-but");
	do {
		if ((name ? but_operator(s, name, test, text) : but_value(s, test, text)) != 0)
			return -1;
		if (name == NULL && test->but[test->len - 1].kind != test->but[0].kind)
			return pattern_scan_fail(s,
				"Inside anything but list, either all values are "
				"number or string, mixed type is not supported");
	} while (list && pattern_scan_take(s, ','));
	return list ? pattern_scan_expect(s, ']') : 0;
}

static int
anything_but(struct pattern_scan *s, struct pattern_test *test, struct buf *text)
{
	static const char *const allowed[] = { "prefix", "suffix", "wildcard",
		"equals-ignore-case" };
	char c = pattern_scan_peek(s);
	size_t i = 0;

	test->kind = TEST_ANYTHING_BUT;
	if (c != '{' && c != '[' && c != '"' && !pattern_scan_is_number(s))
		return pattern_scan_fail(s,
			"Value of anything-but must be an array or single "
			"string/number value.");
	if (!pattern_scan_take(s, '{'))
		return but_list(s, NULL, test, text);
	if (pattern_scan_string(s, text) != 0 || pattern_scan_expect(s, ':') != 0)
		return -1;
	while (i < 4 && strcmp(buf_str(text), allowed[i]) != 0)
		i++;
	if (i == 4)
		return pattern_scan_fail(
			s, "Unsupported anything-but pattern: %.40s", buf_str(text));
	if (but_list(s, allowed[i], test, text) != 0)
		return -1;
	return pattern_scan_take(s, '}')
		? 0
		: pattern_scan_fail(s, "Only one key allowed in match expression");
}

/* ---- one alternative */

static int
exists(struct pattern_scan *s, struct pattern_condition *c, struct pattern_test *test)
{
	const char *word;
	size_t len;

	if (pattern_scan_word(s, &word, &len) != 0)
		return -1;
	if (len == 4 && memcmp(word, "true", 4) == 0) {
		test->kind = TEST_EXISTS;
	} else if (len == 5 && memcmp(word, "false", 5) == 0) {
		test->kind = TEST_ABSENT;
		c->absent = true;
	} else {
		return pattern_scan_fail(
			s, "exists match pattern must be either true or false.");
	}
	return 0;
}

static int
match_expression(struct pattern_scan *s, struct pattern_condition *c, struct buf *text)
{
	static const char *const strings[] = { "equals-ignore-case", "wildcard", "cidr",
		"exactly" };
	struct pattern_test *test = grow(&c->test, &c->n_tests);
	int rc = 1;

	s->p++;
	if (pattern_scan_peek(s) != '"')
		return pattern_scan_fail(s, "Match expression name not found");
	if (pattern_scan_string(s, text) != 0 || pattern_scan_expect(s, ':') != 0)
		return -1;
	for (size_t i = 0; i < 4 && rc == 1; i++)
		if (strcmp(buf_str(text), strings[i]) == 0)
			rc = string_operator(s, strings[i], test, text);
	if (rc == 1 && strcmp(buf_str(text), "prefix") == 0)
		rc = affix(s, "prefix", test, text);
	else if (rc == 1 && strcmp(buf_str(text), "suffix") == 0)
		rc = affix(s, "suffix", test, text);
	else if (rc == 1 && strcmp(buf_str(text), "numeric") == 0)
		rc = numeric(s, test, text);
	else if (rc == 1 && strcmp(buf_str(text), "anything-but") == 0)
		rc = anything_but(s, test, text);
	else if (rc == 1 && strcmp(buf_str(text), "exists") == 0)
		rc = exists(s, c, test);
	else if (rc == 1)
		return pattern_scan_fail(s, "Unrecognized match type %.40s%s", buf_str(text),
			strcmp(buf_str(text), "shellstyle") == 0
				? " (of the event router: use wildcard)"
				: "");
	if (rc != 0)
		return -1;
	return pattern_scan_take(s, '}')
		? 0
		: pattern_scan_fail(s, "Only one key allowed in match expression");
}

/*
 * A number matches by value, if it can be compared, and by its text. A string that is an IP
 * address matches any form of that address.
 */
static int
plain_value(struct pattern_scan *s, struct pattern_condition *c, struct buf *text)
{
	bool number = pattern_scan_is_number(s);
	struct pattern_test *test;
	const char *word;
	size_t len;
	double v;

	if (pattern_scan_peek(s) == '"') {
		if (pattern_scan_string(s, text) != 0)
			return -1;
		test = grow(&c->test, &c->n_tests);
		test->net.len = pattern_address_parse(buf_str(text), text->len, test->net.low);
		memcpy(test->net.high, test->net.low, sizeof(test->net.high));
		test->kind = TEST_NET;
		if (test->net.len == 0)
			set_text(test, TEST_STRING, buf_str(text), text->len);
		return 0;
	}
	if (pattern_scan_peek(s) == '[')
		return pattern_scan_fail(
			s, "Match value must be String, number, true, false, or null");
	if (pattern_scan_word(s, &word, &len) != 0)
		return -1;
	if (number && pattern_number_parse(word, len, &v))
		set_equal(grow(&c->test, &c->n_tests), v);
	set_text(grow(&c->test, &c->n_tests), TEST_WORD, word, len);
	return 0;
}

int
pattern_alternatives(struct pattern_scan *s, struct pattern_condition *c)
{
	struct buf text;
	int rc;

	buf_init(&text, PATTERN_TEXT_MAX);
	s->p++;
	if (pattern_scan_peek(s) == ']') {
		rc = pattern_scan_fail(s, "Empty arrays are not allowed");
		goto out;
	}
	do {
		if (pattern_scan_peek(s) == '{')
			rc = match_expression(s, c, &text);
		else
			rc = plain_value(s, c, &text);
	} while (rc == 0 && pattern_scan_take(s, ','));
	if (rc == 0)
		rc = pattern_scan_expect(s, ']');
out:
	buf_free(&text);
	return rc;
}
