// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static void
integers_as_printf_writes_them(void **state)
{
	int64_t value = 1;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++, value = (int64_t)((uint64_t)value << 1))
		for (int64_t near = -2; near <= 2; near++) {
			int64_t v = (int64_t)((uint64_t)value + (uint64_t)near);
			char ours[TEXT_INT_SIZE], theirs[32];

			snprintf(theirs, sizeof(theirs), "%lld", (long long)v);
			assert_int_equal(text_from_int(v, ours), strlen(theirs));
			assert_string_equal(ours, theirs);
		}
}

static void
durations_and_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} durations[] = {
		{ "0", 0 },
		{ "250ms", 250 },
		{ "30s", 30000 },
		{ "1.5s", 1500 },
		{ "1m", 60000 },
		{ "1h30m", 5400000 },
		{ "7d", 604800000 },
		{ "2w", 1209600000 },
		{ "PT0.2S", 200 },
		{ "PT1M", 60000 },
		{ "P1DT2H", 93600000 },
		{ "30", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "1 s", -1 },
		{ "1sec", -1 },
		{ "PT", -1 },
		{ "P", -1 },
		{ "P1S", -1 },
		{ "PT1S1M", -1 },
		{ "1s ", -1 },
		{ "99999999999999999999s", -1 },
		{ "1e3s", -1 },
		{ "100000000d", INT64_C(8640000000000000) },
		{ "100000000d100000000d", -1 },
		{ "P10000000WT1000000000H", -1 },
	};
	static const struct {
		const char *text;
		int64_t want;
	} sizes[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "512B", 512 },
		{ "1KiB", 1024 },
		{ "1.5MiB", 1572864 },
		{ "10GiB", INT64_C(10737418240) },
		{ "1MB", 1000000 },
		{ "1mb", -1 },
		{ "", -1 },
		{ "-1", -1 },
		{ "1 MiB", -1 },
		{ "1MiBs", -1 },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(durations); i++) {
		int64_t got = -1;

		if (!text_duration(durations[i].text, &got))
			got = -1;
		assert_int_equal(got, durations[i].want);
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		int64_t got = -1;

		if (!text_size(sizes[i].text, &got))
			got = -1;
		assert_int_equal(got, sizes[i].want);
	}
	assert_string_equal(text_duration_str(90061001, text, sizeof(text)), "1d1h1m1s1ms");
	assert_string_equal(text_duration_str(0, text, sizeof(text)), "0s");
}

static void
suggestions(void **state)
{
	(void)state;
	assert_int_equal(text_distance("insecureSsl", "insecureSSL", 2), 0);
	assert_int_equal(text_distance("adress", "address", 2), 1);
	assert_int_equal(text_distance("abc", "xyz", 2), 3);
}

static void
a_cut_text_ends_with_a_whole_character(void **state)
{
	static const struct {
		const char *text;
		size_t cut, whole;
	} rows[] = { { "", 0, 0 }, { "ab", 2, 2 }, { "a\xc3\xa4", 3, 3 }, { "a\xc3\xa4", 2, 1 },
		{ "\xe4\xb8\xad", 3, 3 }, { "\xe4\xb8\xad", 2, 0 }, { "\xe4\xb8\xad", 1, 0 },
		{ "\xf0\x9f\x98\x80", 4, 4 }, { "\xf0\x9f\x98\x80", 3, 0 },
		/* not UTF-8: nothing is known of its characters */
		{ "\x80\x80\x80\x80\x80", 5, 5 }, { "a\xff", 2, 1 }, { "\x80", 1, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(text_whole(rows[i].text, rows[i].cut), rows[i].whole);
}

static void
characters_as_utf8(void **state)
{
	/* RFC 3629, section 3: the first and the last of each length */
	static const struct {
		uint32_t c;
		const char *utf8;
	} rows[] = { { 0x01, "\x01" }, { 0x7f, "\x7f" }, { 0x80, "\xc2\x80" },
		{ 0x7ff, "\xdf\xbf" }, { 0x800, "\xe0\xa0\x80" }, { 0xffff, "\xef\xbf\xbf" },
		{ 0x10000, "\xf0\x90\x80\x80" }, { 0x10ffff, "\xf4\x8f\xbf\xbf" } };
	char out[4];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = text_utf8_encode(rows[i].c, out);

		assert_int_equal(n, strlen(rows[i].utf8));
		assert_memory_equal(out, rows[i].utf8, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_as_printf_writes_them),
		cmocka_unit_test(durations_and_sizes),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(characters_as_utf8),
		cmocka_unit_test(a_cut_text_ends_with_a_whole_character),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
