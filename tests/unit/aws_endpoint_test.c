// SPDX-License-Identifier: Apache-2.0
/* Where AWS services listen: as botocore's rules say. */
#define _GNU_SOURCE /* popen */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "aws_endpoint.h"
#include "config.h"

static void
endpoints_as_botocore_resolves_them(void **state)
{
	const char *python = getenv("PYTHON");
	char command[256], service[32], region[64], expected[256];
	int fips, dual, n = 0;
	FILE *f;

	(void)state;
	snprintf(command, sizeof(command), "%s tests/unit/aws_endpoint_cases.py",
		python ? python : "/usr/bin/python3");
	f = popen(command, "r");
	assert_non_null(f);
	for (; fscanf(f, "%31s %63s %d %d %255s", service, region, &fips, &dual, expected) == 5;
		n++) {
		struct aws_endpoint_options options = {
			.region = region, .fips = fips, .dual_stack = dual
		};
		struct err err;
		struct buf url;

		buf_init(&url, 1000);
		if (aws_endpoint_url(service, &options, &url, &err) != 0)
			buf_add_char(&url, '-');
		assert_string_equal(buf_str(&url), expected);
		buf_free(&url);
	}
	assert_int_equal(pclose(f), 0);
	assert_true(n > 50);
}

static void
hosts_and_paths(void **state)
{
	static const struct {
		const char *url, *host, *path;
	} rows[] = {
		{ "https://a.b", "a.b", "/" },
		{ "https://a.b:443/", "a.b", "/" },
		{ "http://a.b:80", "a.b", "/" },
		{ "http://127.0.0.1:4566/x/", "127.0.0.1:4566", "/x/" },
		{ "https://[::1]:8443?q", "[::1]:8443", "/" },
		{ "https://a:80", "a:80", "/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf host, path;

		buf_init(&host, 1000);
		buf_init(&path, 1000);
		aws_endpoint_host(rows[i].url, &host);
		aws_endpoint_path(rows[i].url, &path);
		assert_string_equal(buf_str(&host), rows[i].host);
		assert_string_equal(buf_str(&path), rows[i].path);
		buf_free(&host);
		buf_free(&path);
	}
}

/* By AWS_ENDPOINT_URL; in the configuration file each URL is checked. */
static void
a_long_endpoint_is_refused(void **state)
{
	struct buf text, url;
	struct err err;

	(void)state;
	buf_init(&text, 4096);
	buf_printf(&text, "https://%0*d", CONFIG_URL_MAX, 1);
	buf_init(&url, 4096);
	assert_int_equal(aws_endpoint_url("events",
				 &(struct aws_endpoint_options){
					 .region = "eu-west-1", .url = buf_str(&text) },
				 &url, &err),
		-1);
	assert_string_equal(err.text, "the custom endpoint is longer than 2048 bytes");
	buf_free(&url);
	buf_free(&text);
}

static void
arns(void **state)
{
	static const char *const none[] = { "", "arn", "arn:", "arn:aws:events:r:1",
		"arn:::r:1:x", "x:aws:events:r:1:y" };
	struct aws_arn arn;

	(void)state;
	assert_true(aws_arn_parse("arn:aws-cn:events:cn-north-1:1:rule/a:b/c", &arn));
	assert_string_equal(arn.partition, "aws-cn");
	assert_string_equal(arn.region, "cn-north-1");
	assert_string_equal(arn.account, "1");
	assert_string_equal(arn.resource, "rule/a:b/c");
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(aws_arn_parse(none[i], &arn));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_as_botocore_resolves_them),
		cmocka_unit_test(hosts_and_paths),
		cmocka_unit_test(a_long_endpoint_is_refused),
		cmocka_unit_test(arns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
