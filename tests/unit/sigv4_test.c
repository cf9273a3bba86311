// SPDX-License-Identifier: Apache-2.0
/* Signature Version 4 against Debian's python3-botocore, on generated requests. */
#define _GNU_SOURCE /* popen, getline */
#include "test.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sigv4.h"

enum { CASES = 1000 };

static const char *
text(const cJSON *one, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(one, name));
}

static void
check_case(const cJSON *one)
{
	const char *body64 = text(one, "body");
	size_t len64 = strlen(body64), n = 0, body_len;
	unsigned char *body = calloc(1, len64 + 4);
	struct sigv4_header header[SIGV4_HEADERS_MAX];
	struct sigv4_request request = { .method = text(one, "method"),
		.path = text(one, "path"),
		.query = text(one, "query"),
		.header = header };
	int64_t now = (int64_t)cJSON_GetObjectItem(one, "now")->valuedouble;
	char date[SIGV4_DATE_SIZE];
	const cJSON *pair;
	struct sigv4 signer;
	struct buf got;
	struct err err;

	body_len = (size_t)EVP_DecodeBlock(body, (const unsigned char *)body64, (int)len64);
	while (len64 != 0 && body64[len64 - 1] == '=') {
		body_len--;
		len64--;
	}
	cJSON_ArrayForEach(pair, cJSON_GetObjectItem(one, "headers")) {
		header[n++] = (struct sigv4_header){ pair->child->valuestring,
			pair->child->next->valuestring };
	}
	request.n_headers = n;
	request.body = body;
	request.body_len = body_len;
	sigv4_init(&signer, text(one, "service"), text(one, "region"));
	sigv4_set_credentials(
		&signer, text(one, "access_key"), text(one, "secret_key"), text(one, "token"));
	buf_init(&got, 1 << 20);
	/* twice: the second time with the key of the day at hand */
	for (int i = 0; i < 2; i++) {
		buf_clear(&got);
		assert_int_equal(sigv4_sign(&signer, &request, now, &got, &err), 0);
		assert_string_equal(buf_str(&got), text(one, "authorization"));
	}
	sigv4_date(now, date);
	assert_string_equal(date, text(one, "date"));
	buf_free(&got);
	sigv4_free(&signer);
	free(body);
}

static void
signs_as_botocore_does(void **state)
{
	const char *python = getenv("PYTHON");
	char command[256], *line = NULL;
	size_t cap = 0, n = 0;
	FILE *f;

	(void)state;
	snprintf(command, sizeof(command), "%s tests/unit/sigv4_cases.py %d",
		python ? python : "/usr/bin/python3", CASES);
	f = popen(command, "r");
	assert_non_null(f);
	for (; getline(&line, &cap, f) > 0; n++) {
		cJSON *one = cJSON_Parse(line);

		assert_non_null(one);
		check_case(one);
		cJSON_Delete(one);
	}
	free(line);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(n, CASES);
}

static void
needs_credentials_and_bounds_headers(void **state)
{
	struct sigv4_header header[SIGV4_HEADERS_MAX] = { { "", "" } };
	struct sigv4_request request = { .method = "GET",
		.path = "/",
		.query = "",
		.header = header,
		.n_headers = SIGV4_HEADERS_MAX };
	struct sigv4 signer;
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 4096);
	sigv4_init(&signer, "events", "us-east-1");
	assert_int_equal(sigv4_sign(&signer, &request, 0, &out, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	for (size_t i = 0; i < SIGV4_HEADERS_MAX; i++)
		header[i] = (struct sigv4_header){ "x", "y" };
	sigv4_set_credentials(&signer, "a", "b", NULL);
	assert_int_equal(sigv4_sign(&signer, &request, 0, &out, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	sigv4_free(&signer);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_botocore_does),
		cmocka_unit_test(needs_credentials_and_bounds_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
