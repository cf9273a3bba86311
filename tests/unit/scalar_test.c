// SPDX-License-Identifier: Apache-2.0
/*
 * collector/scalar.h. Expected values: Go's encoding/json and time.RFC3339Nano, by hand from
 * their documentation.
 */
#include "test.h"

#include <string.h>

#include "scalar.h"

static void
texts_of_each_kind(void **state)
{
	static const struct {
		enum schema_kind kind;
		const char *text, *json;
		bool fits;
	} rows[] = {
		{ SCHEMA_BOOL, "true", "true", true },
		{ SCHEMA_BOOL, " 1\n", "true", true },
		{ SCHEMA_BOOL, "false", "false", true },
		{ SCHEMA_BOOL, "0", "false", true },
		{ SCHEMA_BOOL, "", "false", true },
		{ SCHEMA_BOOL, "yes", "\"yes\"", false },
		{ SCHEMA_INT, "0", "0", true },
		{ SCHEMA_INT, "-2147483648", "-2147483648", true },
		{ SCHEMA_INT, "9223372036854775807", "9223372036854775807", true },
		{ SCHEMA_INT, "+0012", "12", true },
		{ SCHEMA_INT, "-0", "0", true },
		{ SCHEMA_INT, "\t7 ", "7", true },
		{ SCHEMA_INT, "", "0", true },
		{ SCHEMA_INT, "-", "\"-\"", false },
		{ SCHEMA_INT, "1.5", "\"1.5\"", false },
		{ SCHEMA_INT, "0x10", "\"0x10\"", false },
		{ SCHEMA_INT, "1 2", "\"1 2\"", false },
		{ SCHEMA_FLOAT64, "0.25", "0.25", true },
		{ SCHEMA_FLOAT64, "1e-06", "0.000001", true },
		{ SCHEMA_FLOAT64, "9.99e-07", "9.99e-7", true },
		{ SCHEMA_FLOAT64, "1E20", "100000000000000000000", true },
		{ SCHEMA_FLOAT64, "1e21", "1e+21", true },
		{ SCHEMA_FLOAT64, "123456789.125", "123456789.125", true },
		{ SCHEMA_FLOAT64, "0.1000", "0.1", true },
		{ SCHEMA_FLOAT64, "-.5", "-0.5", true },
		{ SCHEMA_FLOAT64, "5.", "5", true },
		{ SCHEMA_FLOAT64, "-0", "-0", true },
		{ SCHEMA_FLOAT64, "1.7976931348623157e308", "1.7976931348623157e+308", true },
		{ SCHEMA_FLOAT64, "1e999", "\"1e999\"", false },
		{ SCHEMA_FLOAT64, "NaN", "\"NaN\"", false },
		{ SCHEMA_FLOAT64, "INF", "\"INF\"", false },
		{ SCHEMA_FLOAT64, "0x1p3", "\"0x1p3\"", false },
		{ SCHEMA_FLOAT64, "1e", "\"1e\"", false },
		{ SCHEMA_FLOAT64, ".", "\".\"", false },
		{ SCHEMA_FLOAT32, "0.1", "0.1", true },
		{ SCHEMA_FLOAT32, "16777217", "16777216", true },
		{ SCHEMA_FLOAT32, "3.4028235e38", "3.4028235e+38", true },
		{ SCHEMA_FLOAT32, "1e39", "\"1e39\"", false },
		{ SCHEMA_STRING, "", "\"\"", true },
		{ SCHEMA_STRING, " a\"b\n<\xe2\x80\xa8", "\" a\\\"b\\n\\u003c\\u2028\"", true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12Z", "\"2026-11-22T10:11:12Z\"", true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.500Z", "\"2026-11-22T10:11:12.5Z\"", true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.000000Z", "\"2026-11-22T10:11:12Z\"",
			true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.1234567891Z",
			"\"2026-11-22T10:11:12.123456789Z\"", true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.0000000001Z", "\"2026-11-22T10:11:12Z\"",
			true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.120+02:00",
			"\"2026-11-22T10:11:12.12+02:00\"", true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12-00:00", "\"2026-11-22T10:11:12Z\"", true },
		{ SCHEMA_TIME, " 2026-11-22T10:11:12+00:00 ", "\"2026-11-22T10:11:12Z\"",
			true },
		{ SCHEMA_TIME, "2026-11-22T10:11:12", "\"2026-11-22T10:11:12Z\"", true },
		{ SCHEMA_TIME, "", "\"0001-01-01T00:00:00Z\"", true },
		{ SCHEMA_TIME, "yesterday", "\"yesterday\"", false },
		{ SCHEMA_TIME, "2026-11-22T10:11:12.Z", "\"2026-11-22T10:11:12.Z\"", false },
		{ SCHEMA_BYTES, "", "\"\"", true },
		{ SCHEMA_BYTES, "a", "\"YQ==\"", true },
		{ SCHEMA_BYTES, "ab", "\"YWI=\"", true },
		{ SCHEMA_BYTES, "abc", "\"YWJj\"", true },
		{ SCHEMA_BYTES, "\xff\xfe\xfd\xfc", "\"//79/A==\"", true },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool fits;

		buf_clear(&b);
		fits = scalar_add(&b, rows[i].kind, rows[i].text, strlen(rows[i].text));
		if (strcmp(buf_str(&b), rows[i].json) != 0 || fits != rows[i].fits)
			fail_msg("%s: %s, not %s", rows[i].text, buf_str(&b), rows[i].json);
	}
	buf_free(&b);
}

static void
types_of_xml_schema(void **state)
{
	static const struct {
		const char *name;
		enum schema_kind kind;
	} rows[] = { { "string", SCHEMA_STRING }, { "int", SCHEMA_INT },
		{ "unsignedByte", SCHEMA_INT }, { "dateTime", SCHEMA_TIME },
		{ "base64Binary", SCHEMA_BYTES }, { "float", SCHEMA_FLOAT32 },
		{ "str", SCHEMA_ANY }, { "strings", SCHEMA_ANY }, { "", SCHEMA_ANY } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(scalar_kind(rows[i].name, strlen(rows[i].name)), rows[i].kind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_each_kind),
		cmocka_unit_test(types_of_xml_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
