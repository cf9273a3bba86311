// SPDX-License-Identifier: Apache-2.0
/*
 * The event pattern engine: recorded cases, a naive matcher as second opinion, bounds, bad
 * input.
 */
#define _GNU_SOURCE /* getline, memmem */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "buf.h"
#include "mem.h"
#include "pattern.h"
#include "pattern_naive.h"

static const char *
verdict(const char *pattern, const char *event, struct err *err)
{
	struct pattern *p;
	int rc;

	err->text[0] = '\0';
	if (pattern_compile(&p, pattern, strlen(pattern), err) != 0)
		return "invalid";
	rc = pattern_match(p, event, strlen(event), err);
	/* a second time on the same scratch memory */
	assert_int_equal(pattern_match(p, event, strlen(event), err), rc);
	pattern_free(p);
	return rc < 0 ? "error" : rc ? "match" : "nomatch";
}

/* A file of JSON lines: id, pattern, event, expected. Returns how many agree. */
static size_t
run_file(const char *path, size_t *total)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0, agreed = 0;

	*total = 0;
	if (f == NULL)
		fail_msg("cannot open %s", path);
	while (getline(&line, &cap, f) > 0) {
		cJSON *one = cJSON_Parse(line);
		const char *expected = cJSON_GetStringValue(
				   cJSON_GetObjectItem(one, "expected")),
			   *got;
		const char *pattern = cJSON_GetStringValue(cJSON_GetObjectItem(one, "pattern"));
		const char *event = cJSON_GetStringValue(cJSON_GetObjectItem(one, "event"));
		struct err err;

		got = verdict(pattern, event, &err);
		++*total;
		if (strcmp(got, expected) == 0)
			agreed++;
		else
			print_error("%s: %s, expected %s %s\n  %s\n  %s\n", path, got, expected,
				err.text, pattern, event);
		cJSON_Delete(one);
	}
	free(line);
	fclose(f);
	return agreed;
}

/* Our own cases; what event-ruler 2.0.1 says of each is beside it. */
static void
agrees_with_event_ruler(void **state)
{
	size_t total, agreed = run_file("tests/data/patterns.jsonl", &total);

	(void)state;
	assert_int_equal(agreed, total);
	assert_true(total > 100);
}

/* What AWS itself answered, where that file is at hand: see tests/data/README.md. */
static void
agrees_with_recorded_aws(void **state)
{
	const char *path = getenv("EVENTBRIDGE_VECTORS");
	size_t total, agreed;

	(void)state;
	if (path == NULL)
		skip();
	agreed = run_file(path, &total);
	print_message("recorded by AWS: %zu of %zu\n", agreed, total);
	assert_int_equal(agreed, total);
}

static void
says_where_a_pattern_is_wrong(void **state)
{
	static const struct {
		const char *pattern, *text;
	} cases[] = {
		{ "{\"my_key\":[{\"EXISTS\":true}]}",
			"Unrecognized match type EXISTS at line: 1, column: " },
		{ "{\"a\":\n [\"x\",\n  []]}",
			"Match value must be String, number, true, false, or null at line: 3" },
		{ "{\"string\":\"my-value\"}", "\"string\" must be an object or an array" },
		{ "{\"a\":[{\"wildcard\":\"*:*:*:*:*:event-bus/*\"}]}", "Rule is too complex" },
		{ "{\"a\":[1]} x", "Text behind the end of the pattern" },
		{ "{\"a\":[1]", "Unexpected end, was expecting ','" },
		{ "{\"$or\":[{\"a\":[1]}]}",
			"There must have at least 2 Objects in $or relationship." },
		{ "{\"a\":[\"\\u0000\"]}", "NUL" },
		{ "{\"a\":[\"\\ud800\"]}", "Malformed escape" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err;

		assert_string_equal(verdict(cases[i].pattern, "{}", &err), "invalid");
		assert_int_equal(err.code, ERR_CONFIG);
		assert_ptr_equal(
			strstr(err.text, "Event pattern is not valid. Reason: "), err.text);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("%s: %s", cases[i].pattern, err.text);
	}
}

static void
refuses_what_is_no_event(void **state)
{
	static const char *const events[] = { "", " ", "[]", "1", "{", "{\"a\"",
		"{\"a\":", "{\"a\":1", "{\"a\":1,}", "{\"a\":[1}", "{\"a\":1]", "{a:1}",
		"{\"a\":tru}", "{\"a\":1} x", "{\"b\":{\"c\":}}", "{\"a\":\"\\ud800\"}",
		"{\"a\":01}", "{\"a\":\"\xff\"}" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		assert_string_equal(verdict("{\"a\":[1]}", events[i], &err), "error");
		assert_int_equal(err.code, ERR_PROTOCOL);
	}
}

static void
takes_unknown_fields_for_given(void **state)
{
	struct pattern *p;
	struct err err;
	const char *text = "{\"id\":[\"x\"],\"a\":[1]}", *yes = "{\"id\":\"\",\"a\":1}",
		   *no = "{\"id\":\"x\",\"a\":2}";

	(void)state;
	assert_int_equal(pattern_compile(&p, text, strlen(text), &err), 0);
	assert_int_equal(pattern_match(p, yes, strlen(yes), &err), 0);
	pattern_assume(p, "id");
	assert_int_equal(pattern_match(p, yes, strlen(yes), &err), 1);
	assert_int_equal(pattern_match(p, no, strlen(no), &err), 0);
	pattern_free(p);
}

/* $or multiplies: 10^3 rules are AWS's limit. */
static void
bounds_what_or_multiplies_to(void **state)
{
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, PATTERN_TEXT_MAX);
	buf_add_char(&text, '{');
	for (int level = 0; level < 3; level++) {
		buf_printf(&text, "%s\"l%d\":{\"$or\":[", level ? "," : "", level);
		for (int i = 0; i < 10; i++)
			buf_printf(&text, "%s{\"f%d\":[%d]}", i ? "," : "", i, i);
		buf_add_str(&text, "]}");
	}
	buf_add_char(&text, '}');
	assert_string_equal(
		verdict(buf_str(&text),
			"{\"l0\":{\"f3\":3},\"l1\":{\"f9\":9},\"l2\":{\"f0\":0}}", &err),
		"match");
	assert_string_equal(
		verdict(buf_str(&text),
			"{\"l0\":{\"f3\":3},\"l1\":{\"f9\":9},\"l2\":{\"f0\":1}}", &err),
		"nomatch");
	buf_truncate(&text, text.len - 1);
	buf_add_str(&text, ",\"x\":{\"$or\":[{\"a\":[1]},{\"b\":[1]}]}}");
	assert_string_equal(verdict(buf_str(&text), "{}", &err), "invalid");
	assert_non_null(strstr(err.text, "too complex"));
	buf_free(&text);
}

/* Two conditions on an array of many objects: every element a candidate, one fits. */
static void
searches_long_arrays_in_bounded_time(void **state)
{
	const char *pattern = "{\"d\":{\"a\":[1],\"b\":[1],\"c\":[{\"exists\":false}]}}";
	struct buf event;
	struct err err;

	(void)state;
	buf_init(&event, 1 << 24);
	for (int n = 1000; n <= 20000; n *= 20) {
		buf_clear(&event);
		buf_add_str(&event, "{\"d\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&event, "%s{\"a\":1,\"b\":1%s}", i ? "," : "",
				i == n - 1 ? "" : ",\"c\":1");
		buf_add_str(&event, "]}");
		/* the longer one costs too much to decide: said so, not guessed */
		assert_string_equal(
			verdict(pattern, buf_str(&event), &err), n == 1000 ? "match" : "error");
	}
	assert_int_equal(err.code, ERR_LIMIT);
	buf_free(&event);
}

static void
stands_deep_events(void **state)
{
	struct buf event;
	struct err err;

	(void)state;
	buf_init(&event, 1 << 20);
	buf_add_str(&event, "{\"a\":");
	for (int i = 0; i < 5000; i++)
		buf_add_char(&event, '[');
	assert_string_equal(verdict("{\"a\":[1]}", buf_str(&event), &err), "error");
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(verdict("{\"b\":[1]}", buf_str(&event), &err), "error");
	buf_free(&event);
}

/*
 * Generated patterns and events, small alphabets so that they meet: the engine and the naive
 * matcher agree.
 */
static void
agrees_with_the_naive_matcher(void **state)
{
	uint64_t random = 20261122;
	size_t matched = 0, rounds = 15000;

	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		struct buf pattern, event;
		struct err err;
		bool naive;
		const char *got;

		buf_init(&pattern, 1 << 16);
		buf_init(&event, 1 << 16);
		naive_make_pattern(&pattern, &random);
		naive_make_event(&event, &random);
		naive = naive_match(buf_str(&pattern), buf_str(&event));
		got = verdict(buf_str(&pattern), buf_str(&event), &err);
		if (strcmp(got, naive ? "match" : "nomatch") != 0)
			fail_msg("%s %s, naive %d\n%s\n%s", got, err.text, naive,
				buf_str(&pattern), buf_str(&event));
		matched += naive;
		buf_free(&pattern);
		buf_free(&event);
	}
	assert_in_range(matched, rounds / 50, rounds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_event_ruler),
		cmocka_unit_test(agrees_with_recorded_aws),
		cmocka_unit_test(says_where_a_pattern_is_wrong),
		cmocka_unit_test(refuses_what_is_no_event),
		cmocka_unit_test(takes_unknown_fields_for_given),
		cmocka_unit_test(bounds_what_or_multiplies_to),
		cmocka_unit_test(searches_long_arrays_in_bounded_time),
		cmocka_unit_test(stands_deep_events),
		cmocka_unit_test(agrees_with_the_naive_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
