// SPDX-License-Identifier: Apache-2.0
/* Members of a reply: missing ones, ones of another type, and numbers that no integer holds. */
#include "test.h"

#include "json_member.h"

static const char text[] =
	"{\"s\":\"x\",\"empty\":\"\",\"t\":true,\"f\":false,\"null\":null,\"list\":[1],"
	"\"n\":42,\"minus\":-1,\"half\":0.5,\"large\":1e300,\"small\":-1e300,\"overflow\":1e999,"
	"\"two63\":9223372036854775808,\"two64\":18446744073709551616}";

static int
parse(void **state)
{
	*state = cJSON_Parse(text);
	return *state == NULL;
}

static int
release(void **state)
{
	cJSON_Delete(*state);
	return 0;
}

static void
numbers_are_bounded(void **state)
{
	static const struct {
		const char *name;
		uint64_t is_unsigned;
		int64_t is_signed;
	} rows[] = { { "n", 42, 42 }, { "minus", 0, -1 }, { "half", 0, 0 },
		{ "large", UINT64_MAX, INT64_MAX }, { "small", 0, INT64_MIN },
		{ "overflow", UINT64_MAX, INT64_MAX },
		{ "two63", UINT64_C(9223372036854775808), INT64_MAX },
		{ "two64", UINT64_MAX, INT64_MAX }, { "s", 0, 0 }, { "null", 0, 0 },
		{ "list", 0, 0 }, { "missing", 0, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(json_member_uint(*state, rows[i].name) == rows[i].is_unsigned);
		assert_true(json_member_int(*state, rows[i].name) == rows[i].is_signed);
	}
}

static void
texts_and_booleans(void **state)
{
	assert_string_equal(json_member_text(*state, "s"), "x");
	assert_string_equal(json_member_text(*state, "empty"), "");
	assert_string_equal(json_member_text(*state, "n"), "");
	assert_null(json_member_string(*state, "n"));
	assert_null(json_member_string(*state, "S"));
	assert_true(json_member_true(*state, "t"));
	assert_false(json_member_true(*state, "f"));
	assert_false(json_member_true(*state, "s"));
}

static void
what_is_no_object_has_no_members(void **state)
{
	const cJSON *list = json_member(*state, "list");

	assert_null(json_member(NULL, "s"));
	assert_null(json_member(list, "s"));
	assert_string_equal(json_member_text(list, ""), "");
	assert_true(json_member_uint(NULL, "n") == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
						    numbers_are_bounded, parse, release),
		cmocka_unit_test_setup_teardown(texts_and_booleans, parse, release),
		cmocka_unit_test_setup_teardown(
			what_is_no_object_has_no_members, parse, release) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
