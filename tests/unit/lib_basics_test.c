// SPDX-License-Identifier: Apache-2.0
/* err, buf, text, clock, json, backoff: the layer that everything stands on. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "json.h"
#include "text.h"

static void
err_wraps_and_cuts(void **state)
{
	struct err err;
	char longer[400];

	(void)state;
	assert_int_equal(err_set(&err, ERR_TIMEOUT, "no answer in %d s", 5), -1);
	err_wrap(&err, "login to %s", "vc1");
	assert_string_equal(err.text, "login to vc1: no answer in 5 s");
	assert_int_equal(err.code, ERR_TIMEOUT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, ERR_LIMIT, "%s", longer);
	assert_true(text_ends(err.text, "xxx..."));
	err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.text),
		sizeof(err.text) - 1 < strlen(err.text) ? 0 : strlen(err.text));
	assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), -1);
}

static void
buf_holds_its_ceiling(void **state)
{
	struct buf b;
	char *taken;
	size_t len;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 100; i++)
		buf_add_str(&b, "0123456789");
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, 1000);
	buf_add_char(&b, 'x');
	assert_false(buf_ok(&b));
	buf_add_str(&b, "");
	assert_int_equal(b.len, 1000);
	buf_clear(&b);
	buf_printf(&b, "%d-%s", 7, "a");
	assert_string_equal(buf_str(&b), "7-a");
	taken = buf_take(&b, &len);
	assert_string_equal(taken, "7-a");
	assert_int_equal(len, 3);
	free(taken);
	buf_free(&b);
}

static void
buf_reuse_frees_memory_that_is_not_needed_again(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	assert_non_null(buf_room(&b, 512 * 1024));
	buf_reuse(&b, 100 * 1024);
	assert_true(b.cap > 512 * 1024);
	assert_int_equal(b.len, 0);
	buf_reuse(&b, 1024);
	assert_int_equal(b.cap, 0);
	buf_add_str(&b, "small");
	buf_reuse(&b, 0);
	assert_true(b.cap > 0);
	assert_string_equal(buf_str(&b), "");
	buf_free(&b);
}

/* Formatted text of each length, into buffers that have each number of bytes left. */
static void
buf_printf_fits_to_the_byte(void **state)
{
	static const char digits[] = "0123456789012345678901234567890123456789";

	(void)state;
	for (size_t max = 0; max <= 40; max++)
		for (size_t before = 0; before <= max; before++)
			for (size_t n = 0; n <= 40; n++) {
				struct buf b;

				buf_init(&b, max);
				buf_add(&b, digits, before);
				buf_printf(&b, "%.*s", (int)n, digits);
				assert_int_equal(buf_ok(&b), before + n <= max);
				assert_int_equal(
					b.len, before + n <= max ? before + n : before);
				assert_int_equal(strlen(buf_str(&b)), b.len);
				assert_memory_equal(buf_str(&b), digits, before);
				buf_free(&b);
			}
}

static void
times(void **state)
{
	/* expected values: date -u +%s */
	static const struct {
		const char *text;
		int64_t us;
		const char *again;
	} ok[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "2001-02-03T04:05:06.789012Z", INT64_C(981173106789012),
			"2001-02-03T04:05:06.789012Z" },
		{ "2026-11-22T10:11:12.5+02:00", INT64_C(1795335072500000),
			"2026-11-22T08:11:12.5Z" },
		{ "2026-11-22T10:11:12.123456789", INT64_C(1795342272123456),
			"2026-11-22T10:11:12.123456Z" },
		{ "2024-02-29T23:59:59.100Z", INT64_C(1709251199100000),
			"2024-02-29T23:59:59.1Z" },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800000000), "0001-01-01T00:00:00Z" },
		{ "0987-06-05T04:03:02Z", INT64_C(-31007044618000000), "0987-06-05T04:03:02Z" },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799000000), "9999-12-31T23:59:59Z" },
	};
	static const char *const bad[] = { "", "2026", "2026-13-01T00:00:00Z",
		"2025-02-29T00:00:00Z", "2026-11-22 10:11:12Z", "2026-11-22T10:11:12.Z",
		"2026-11-22T10:11:12Zx", "2026-11-22T25:11:12Z", "2026-11-22T10:11:12+0200",
		"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01" };
	char text[CLOCK_TEXT_SIZE];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(ok); i++) {
		assert_true(clock_parse(ok[i].text, strlen(ok[i].text), &us));
		assert_int_equal(us, ok[i].us);
		assert_string_equal(clock_format(us, text), ok[i].again);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(clock_parse(bad[i], strlen(bad[i]), &us));
}

static void
json_strings_as_go_writes_them(void **state)
{
	/* want: Go's json.Marshal of the same bytes */
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "a<b & \"c\"\\", "\"a\\u003cb \\u0026 \\\"c\\\"\\\\\"" },
		{ "\n\r\t\b\f\x01\x1f", "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\"" },
		{ "ne\xc3\xbc \xe2\x82\xac", "\"ne\xc3\xbc \xe2\x82\xac\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"" },
		{ "\xff\xc3", "\"\\ufffd\\ufffd\"" },
		{ "\xf0\x9f\x98\x80\x7f", "\"\xf0\x9f\x98\x80\x7f\"" },
	};
	struct buf b, back;

	(void)state;
	buf_init(&b, 1000);
	buf_init(&back, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&b);
		buf_clear(&back);
		json_add_string(&b, rows[i].in, strlen(rows[i].in));
		assert_string_equal(buf_str(&b), rows[i].want);
		assert_true(json_decode_string(b.data, b.len, &back));
	}
	buf_free(&b);
	buf_free(&back);
}

static void
json_values_are_scanned_strictly(void **state)
{
	static const char *const good[] = { "{}", "[]", " null", "true", "-0.5e+10",
		"\"\\ud83d\\ude00\"", "[[],{\"a\":[1,2,{}]},\"x\"]",
		"{\"a\" : 1 , \"b\":[ ] }" };
	static const char *const bad[] = { "", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}",
		"01x", "1.", "-", "\"\\x\"", "\"a", "nul", "{\"a\":1,}", "[1 2]", "\"\xff\"",
		"]", "\"\n\"" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *p = good[i], *end = p + strlen(p);

		assert_true(json_skip_value(&p, end));
		assert_ptr_equal(p, end);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *p = bad[i], *end = p + strlen(p);

		assert_false(json_skip_value(&p, end) && p == end);
	}
}

static void
json_members_keep_their_text(void **state)
{
	static const struct {
		const char *text, *value; /* NULL: there is none */
	} row[] = { { "{\"a\":1}", "1" },
		{ " { \"x\" : {\"a\":2} , \"a\" : 34560000000000001 }", "34560000000000001" },
		{ "{\"a\":[1, \"}\"],\"a\":2}", "[1, \"}\"]" }, { "{\"ab\":1}", NULL },
		{ "{}", NULL }, { "", NULL }, { "[\"a\"]", NULL },
		{ "{\"x\":1 \"a\":2}", NULL }, { "{\"x\":,\"a\":2}", NULL },
		{ "{\"a\":", NULL }, { "{\"a\"", NULL }, { "{a:1}", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct buf value;

		buf_init(&value, 100);
		assert_int_equal(
			json_find_member(row[i].text, strlen(row[i].text), "a", &value),
			row[i].value != NULL);
		assert_string_equal(buf_str(&value), row[i].value != NULL ? row[i].value : "");
		buf_free(&value);
	}
}

static void
backoff_stays_below_its_ceiling(void **state)
{
	struct backoff b;

	(void)state;
	assert_int_equal(backoff_ceiling(1000, 60000, 1), 1000);
	assert_int_equal(backoff_ceiling(1000, 60000, 3), 4000);
	assert_int_equal(backoff_ceiling(1000, 60000, 50), 60000);
	backoff_init(&b, 100, 5000, 7);
	for (unsigned i = 1; i < 200; i++) {
		int64_t ms = backoff_next(&b);

		assert_in_range(ms, 0, backoff_ceiling(100, 5000, i));
	}
	backoff_reset(&b);
	assert_in_range(backoff_next(&b), 0, 100);
}

/*
 * Strings are looked at sixteen bytes at a time: one special character, wherever it stands, is
 * found.
 */
static void
json_special_characters_anywhere(void **state)
{
	static const char *const special[][2] = { { "\"", "\\\"" }, { "\\", "\\\\" },
		{ "<", "\\u003c" }, { ">", "\\u003e" }, { "&", "\\u0026" }, { "\n", "\\n" },
		{ "\x1f", "\\u001f" }, { "\x80", "\\ufffd" }, { "\x7f", "\x7f" } };
	struct buf in, out, want;

	(void)state;
	buf_init(&in, 100);
	buf_init(&out, 1000);
	buf_init(&want, 1000);
	for (size_t len = 1; len < 50; len++) {
		for (size_t at = 0; at < len; at++) {
			const char *const *pair = special[(len + at) % COUNT(special)];

			buf_clear(&in);
			buf_clear(&out);
			buf_clear(&want);
			buf_printf(&in, "%.*s%s%.*s", (int)at,
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", pair[0],
				(int)(len - at),
				"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
			buf_printf(&want, "\"%.*s%s%.*s\"", (int)at,
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", pair[1],
				(int)(len - at),
				"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
			json_add_string(&out, in.data, in.len);
			assert_string_equal(buf_str(&out), buf_str(&want));
		}
	}
	buf_free(&in);
	buf_free(&out);
	buf_free(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_wraps_and_cuts),
		cmocka_unit_test(buf_holds_its_ceiling),
		cmocka_unit_test(buf_reuse_frees_memory_that_is_not_needed_again),
		cmocka_unit_test(buf_printf_fits_to_the_byte),
		cmocka_unit_test(times),
		cmocka_unit_test(json_strings_as_go_writes_them),
		cmocka_unit_test(json_special_characters_anywhere),
		cmocka_unit_test(json_values_are_scanned_strictly),
		cmocka_unit_test(json_members_keep_their_text),
		cmocka_unit_test(backoff_stays_below_its_ceiling),
	};

	return cmocka_run_group_tests_name("basics", tests, NULL, NULL);
}
