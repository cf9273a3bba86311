// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "vcenter_address.h"

/* docs/configuration.md, `address` */
static void
an_address_is_completed(void **state)
{
	static const char *const cases[][2] = {
		{ "vc1", "https://vc1/sdk" },
		{ "vc1/", "https://vc1/sdk" },
		{ "vc1:8443", "https://vc1:8443/sdk" },
		{ "https://vc1", "https://vc1/sdk" },
		{ "http://vc1/", "http://vc1/sdk" },
		{ "https://vc1/other", "https://vc1/other" },
		{ "[::1]", "https://[::1]/sdk" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf url;

		buf_init(&url, 100);
		vcenter_address_complete(cases[i][0], &url);
		assert_string_equal(buf_str(&url), cases[i][1]);
		buf_free(&url);
	}
}

/* RFC 3986, 6.2: scheme and host in either case, default ports. */
static void
addresses_of_one_endpoint(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "vc1", "https://VC1/sdk/", true },
		{ "vc1/", "https://vc1:443", true },
		{ "http://vc1:80", "http://vc1/sdk", true },
		{ "http://vc1", "https://vc1", true },
		{ "http://vc1:443", "http://vc1", false },
		{ "vc1:8443", "vc1", false },
		{ "vc1:8443", "vc1:8444", false },
		{ "vc1", "vc2", false },
		{ "vc1", "vc11", false },
		{ "vc1/a", "vc1/A", false },
		{ "vc1/a", "vc1/sdk", false },
		{ "[::1]:443", "[::1]", true },
		{ "[::443]", "[::443]:443", true },
		{ "[::1]", "[::2]", false },
		{ "", "vc1", false },
		{ ":443", ":443", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (vcenter_address_same(cases[i].a, cases[i].b) != cases[i].same ||
			vcenter_address_same(cases[i].b, cases[i].a) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(an_address_is_completed),
		cmocka_unit_test(addresses_of_one_endpoint) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
