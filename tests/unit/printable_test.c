// SPDX-License-Identifier: Apache-2.0
/*
 * Hostile text for terminals, logs and JSON lines. Code points from the Unicode charts, UTF-8
 * from RFC 3629.
 */
#include "test.h"

#include "printable.h"

#define R "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	const char *text, *one_line, *lines, *json;
} rows[] = {
	{ "", "", "", "\"\"" },
	{ "vm-1 ok", "vm-1 ok", "vm-1 ok", "\"vm-1 ok\"" },
	{ "Größe 東京 😀", "Größe 東京 😀", "Größe 東京 😀", "\"Größe 東京 😀\"" },
	{ "\x1b]0;title\x07\x1b[2J", R "]0;title" R R "[2J", R "]0;title" R R "[2J",
		"\"\\u001b]0;title\\u0007\\u001b[2J\"" },
	{ "a\nb\tc", "a b c", "a\nb\tc", "\"a\\nb\\tc\"" },
	{ "a\r\x7f", "a " R, "a " R, "\"a\\r\\u007f\"" },
	{ "\xc2\x9b"
	  "2J \xc2\x80 \xc2\x9f",
		R "2J " R " " R, R "2J " R " " R, "\"\\u009b2J \\u0080 \\u009f\"" },
	/* no-break space: the first after C1 */
	{ "\xc2\xa0", "\xc2\xa0", "\xc2\xa0", "\"\xc2\xa0\"" },
	{ "\xe2\x80\xae"
	  "cod.exe",
		R "cod.exe", R "cod.exe", "\"\\u202ecod.exe\"" },
	{ "\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", R R R, R R R, "\"\\u061c\\u200e\\u200f\"" },
	{ "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", R R R, R R R, "\"\\u2028\\u2029\\u202a\"" },
	{ "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5" R R "\xe2\x81\xaa",
		"\xe2\x81\xa5" R R "\xe2\x81\xaa",
		"\"\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa\"" },
};

static void
each_code_point_loses_its_effect(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);
		struct buf out;

		buf_init(&out, 1000);
		printable_add(&out, rows[i].text, len);
		assert_string_equal(buf_str(&out), rows[i].one_line);
		assert_int_equal(printable_is(rows[i].text, len),
			strcmp(rows[i].text, rows[i].one_line) == 0);
		buf_clear(&out);
		printable_add_lines(&out, rows[i].text, len);
		assert_string_equal(buf_str(&out), rows[i].lines);
		buf_clear(&out);
		printable_add_json_string(&out, rows[i].text, len);
		assert_string_equal(buf_str(&out), rows[i].json);
		buf_free(&out);
	}
}

static void
bytes_that_are_not_utf8(void **state)
{
	static const struct {
		const char *text, *one_line;
	} bad[] = { { "a\xff"
		      "b",
			    "a" R "b" },
		{ "\xc3", R }, { "\xe2\x80", R R }, { "\xc0\x80", R R },
		{ "\xed\xa0\x80", R R R }, { "x\xf0\x9f\x98", "x" R R R } };
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&out, 100);
		printable_add(&out, bad[i].text, strlen(bad[i].text));
		assert_string_equal(buf_str(&out), bad[i].one_line);
		assert_false(printable_is(bad[i].text, strlen(bad[i].text)));
		buf_free(&out);
	}
	buf_init(&out, 100);
	printable_add(&out, "a\0b", 3);
	assert_string_equal(buf_str(&out), "a" R "b");
	buf_free(&out);
}

static void
json_becomes_one_line(void **state)
{
	static const struct {
		const char *text, *line;
	} good[] = { { "{\"a\":1}", "{\"a\":1}" },
		{ "{\n\t\"a\": [1,\r\n2]\n}\n", "{  \"a\": [1,  2] } " },
		{ "\"\xc2\x9b\x7f\"", "\"\\u009b\\u007f\"" }, { " null", " null" } };
	static const char *const bad[] = { "", " ", "{", "{\"a\":1}x", "{\"a\":1} {\"b\":2}",
		"{\"a\":\"\x1b\"}", "{\"a\":\"line\nend\"}", "\"\xff\"", "{'a':1}" };
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		buf_init(&out, 100);
		assert_true(printable_add_json(&out, good[i].text, strlen(good[i].text)));
		assert_string_equal(buf_str(&out), good[i].line);
		buf_free(&out);
	}
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(printable_add_json(&out, bad[i], strlen(bad[i])));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_code_point_loses_its_effect),
		cmocka_unit_test(bytes_that_are_not_utf8),
		cmocka_unit_test(json_becomes_one_line) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
