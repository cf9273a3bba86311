// SPDX-License-Identifier: Apache-2.0
/* HTTP client: Retry-After, and URLs of this machine. */
#include "test.h"

#include "http.h"

static void
retry_after(void **state)
{
	/* 784111777: RFC 9110's own example date, Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		int64_t want;
	} rows[] = {
		{ "120", 120000 },
		{ "0", 0 },
		{ "", -1 },
		{ "-5", -1 },
		{ "1.5", -1 },
		{ "12x", -1 },
		{ "soon", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 7000 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 7000 },
		{ "Sun Nov  6 08:49:37 1994", 7000 },
		{ "Sun, 06 Nov 1994 08:49:00 GMT", 0 },
		{ "99999999999999999999999", INT64_C(3155760000000) },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(3155760000000) },
		{ "Sun, 06 Nov 199120 08:49:37 GMT", INT64_C(3155760000000) },
		{ "Sun, 06 Nov 99999999 08:49:37 GMT", INT64_C(3155760000000) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			http_parse_retry_after(rows[i].value, INT64_C(784111770000000)),
			rows[i].want);
}

static void
loopback_urls(void **state)
{
	static const char *const here[] = { "http://localhost/", "https://LOCALHOST:8989/sdk",
		"https://127.0.0.1/sdk", "https://user@127.1.2.3:1/", "https://[::1]:443/sdk" };
	static const char *const elsewhere[] = { "https://vc.example.com/sdk",
		"https://127.example.com/", "https://localhost.example/", "https://10.0.0.127/",
		"https://[2001:db8::1]/", "not a URL", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		assert_true(http_url_is_loopback(here[i]));
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		assert_false(http_url_is_loopback(elsewhere[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after),
		cmocka_unit_test(loopback_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
