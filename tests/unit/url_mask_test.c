// SPDX-License-Identifier: Apache-2.0
/* Secrets of URLs, in texts and in errors. The parts are those of RFC 3986, 3. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "url_mask.h"

static const struct {
	const char *text, *masked;
} cases[] = {
	{ "", "" },
	{ "no URL: a@b?c", "no URL: a@b?c" },
	{ "https://host", "https://host" },
	{ "https://host:8443/a/b", "https://host:8443/a/b" },
	{ "http://[::1]:80/x", "http://[::1]:80/x" },
	{ "https://u:p@host/a", "https://***@host/a" },
	{ "https://token@host/a", "https://***@host/a" },
	{ "https://u:p@q@host/a", "https://***@host/a" }, /* libcurl takes the last @ */
	{ "https://u:p'x@host/a", "https://***@host/a" },
	{ "https://u:p@[::1]:80/a", "https://***@[::1]:80/a" },
	{ "https://host/a?token=t", "https://host/a?***" },
	{ "https://host?a=b&c=d#e", "https://host?***" },
	{ "https://host/a#token=t", "https://host/a#***" },
	{ "https://u:p@host/a?token=t@u", "https://***" },
	{ "https://host/?", "https://host/?" },
	{ "https://host/?to=a@b", "https://host/?***" },
	{ "https://host/x@y", "https://***" },
	{ "https://u:p@host/x@y", "https://***" },
	/* a slash or question mark that should have been escaped */
	{ "https://u:p/q@host/a", "https://***" },
	{ "https://u:/q@host/a", "https://***" },
	{ "https://u://q/r@host/a", "https://u://***" },
	{ "https://:///q@host/a", "https://***" },
	{ "https://u:12/q@host/a", "https://***" },
	{ "https://u:p?q@host/a", "https://***" },
	{ "https://u:p#q@host/a", "https://***" },
	/* in sentences and lists */
	{ "GET http://h/?a=b: timed out", "GET http://h/?***: timed out" },
	{ "(http://u:p@h/?a=b) \"http://u:p@h/\"", "(http://***@h/?***) \"http://***@h/\"" },
	{ "{\"url\":\"http://h/?a=b\",\"x\":\"y@z\"}",
		"{\"url\":\"http://h/?***\",\"x\":\"y@z\"}" },
	{ "nats://a:b@c,tls://d:e@f", "nats://***@c,tls://***@f" },
	{ "socks5://u:p@proxy:1080 and nats://h", "socks5://***@proxy:1080 and nats://h" },
	{ "http://h/http://u:p@x/?a=b", "http://h/http://***@x/?***" },
	{ "http://h/?u=http://u:p@x/", "http://h/?***://***@x/" },
	{ "://u:p@h", "://***@h" },
	/* libcurl skips more slashes */
	{ "http:///u:p@host", "http://***" },
	{ "https://http://u:p@host/", "https://http://***@host/" },
	{ "https://a:b@http://u:p@host/", "https://***@http://***@host/" },
	{ "://", "://" },
};

static void
every_place_of_a_url(void **state)
{
	struct err err;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&b, 1000);
		url_mask_add(&b, cases[i].text);
		assert_string_equal(buf_str(&b), cases[i].masked);
		buf_free(&b);
		err_set(&err, ERR_CONNECT, "%s", cases[i].text);
		assert_string_equal(err.text, cases[i].masked);
	}
}

/* An error has room for 319 bytes: what is cut off may be the @ that tells a password. */
static void
errors_are_masked_before_they_are_cut(void **state)
{
	struct err err;
	char url[1000];

	(void)state;
	memset(url, 's', sizeof(url));
	memcpy(url, "https://user:", 13);
	memcpy(url + sizeof(url) - 6, "@host", 6);
	err_set(&err, ERR_CONNECT, "no connection to %s", url);
	assert_string_equal(err.text, "no connection to https://***@host");
	err_wrap(&err, "through proxy %s", url);
	assert_string_equal(
		err.text, "through proxy https://***@host: no connection to https://***@host");
	for (size_t before = 250; before < 330; before++) {
		err_set(&err, ERR_CONNECT, "%*s%s", (int)before, "", url);
		assert_null(strstr(err.text, "ss"));
		assert_null(strstr(err.text, "user"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_place_of_a_url),
		cmocka_unit_test(errors_are_masked_before_they_are_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
