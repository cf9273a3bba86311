// SPDX-License-Identifier: Apache-2.0
/* OpenFaaS: requests that list namespaces and functions, and replies that are not a list. */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "openfaas_lab.h"

static void
list_requests(void **state)
{
	struct backend b;

	(void)state;
	backend_open(&b, &processor_openfaas,
		"{address: 'http://gw:8080/base//', auth: {type: basic_auth, "
		"basicAuth: {username: admin, password: 's3 cret'}}}\n");
	assert_int_equal(backend_ask(&b, "functions", 0), 0);
	assert_string_equal(buf_str(&b.req->url), "http://gw:8080/base/system/namespaces");
	/* printf 'admin:s3 cret' | base64 */
	assert_string_equal(
		buf_str(&b.req->headers), "Authorization: Basic YWRtaW46czMgY3JldA==\n");
	assert_int_equal(backend_reply(&b, "functions", 0, 200, "[\"openfaas-fn\",\"a b&c\"]"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "functions", 1), 0);
	assert_string_equal(buf_str(&b.req->url),
		"http://gw:8080/base/system/functions?namespace=openfaas-fn");
	assert_int_equal(backend_reply(&b, "functions", 1, 200,
				 "[{\"name\":\"f\",\"annotations\":{\"topic\":\"A\"}},"
				 "{\"name\":\"g\",\"annotations\":{\"topic\":\"A\"}}]"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "functions", 2), 0);
	assert_string_equal(buf_str(&b.req->url),
		"http://gw:8080/base/system/functions?namespace=a%20b%26c");
	assert_string_equal(route_name(&b, "A"), "?"); /* half a map is none */
	assert_int_equal(backend_reply(&b, "functions", 2, 200,
				 "[{\"name\":\"f\",\"annotations\":{\"topic\":\"A\"}}]"),
		REFRESH_DONE);
	assert_string_equal(route_name(&b, "A"), " f.a b&c f.openfaas-fn g.openfaas-fn");
	backend_close(&b);
}

static void
without_namespaces(void **state)
{
	static const struct {
		int status;
		const char *body;
	} none[] = {
		{ 200, "[]" },
		{ 200, "null" },
		{ 404, "404 page not found" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		struct backend b;

		backend_open(&b, &processor_openfaas, "{address: 'http://gw:8080'}\n");
		assert_int_equal(backend_ask(&b, "functions", 0), 0);
		assert_string_equal(buf_str(&b.req->headers), "");
		assert_int_equal(
			backend_reply(&b, "functions", 0, none[i].status, none[i].body),
			REFRESH_MORE);
		assert_int_equal(backend_ask(&b, "functions", 1), 0);
		assert_string_equal(buf_str(&b.req->url), "http://gw:8080/system/functions");
		assert_int_equal(
			backend_reply(&b, "functions", 1, 200,
				"[{\"name\":\"f\",\"annotations\":{\"topic\":\"A\"}}]"),
			REFRESH_DONE);
		assert_string_equal(route_name(&b, "A"), " f");
		backend_close(&b);
	}
}

/*
 * Entries that make no sense leave out themselves; replies that make none leave the last good
 * map.
 */
static void
bad_lists(void **state)
{
	static const struct {
		int status;
		const char *body, *why;
	} rows[] = {
		{ 200, "<html><title>Sign in</title></html>",
			"namespace fn cannot be listed: functions: the gateway's reply is not JSON" },
		{ 200, "[{\"name\":\"f\",\"annotations\":{\"top",
			"namespace fn cannot be listed: functions: the gateway's reply is not JSON" },
		{ 200, "",
			"namespace fn cannot be listed: functions: the gateway's reply is not JSON" },
		{ 200, "{\"error\":1}",
			"namespace fn cannot be listed: functions: the gateway's reply is not a list" },
		{ 401, "", "namespace fn cannot be listed: HTTP 401" },
		{ 403, "", "namespace fn cannot be listed: HTTP 403" },
		{ 302, "", "namespace fn cannot be listed: HTTP 302" },
		{ 502, "", "namespace fn cannot be listed: HTTP 502" },
		{ 404, "", "namespace fn cannot be listed: HTTP 404" },
		{ 0, "Connection reset by peer",
			"namespace fn cannot be listed: Connection reset by peer" },
	};
	struct backend b;

	(void)state;
	backend_open(&b, &processor_openfaas, "{address: 'http://gw'}\n");
	assert_int_equal(
		load(&b,
			"[1,null,[],{},{\"name\":7,\"annotations\":{\"topic\":\"A\"}},"
			"{\"annotations\":{\"topic\":\"A\"}},{\"name\":\"no\"},"
			"{\"name\":\"no\",\"annotations\":null},{\"name\":\"no\",\"annotations\":{}},"
			"{\"name\":\"no\",\"annotations\":\"topic\"},{\"name\":\"\","
			"\"annotations\":{\"topic\":\"A\"}},{\"name\":\"a\\nb\","
			"\"annotations\":{\"topic\":\"A\"}},"
			"{\"name\":\"good\",\"annotations\":{\"topic\":\"A\"}},"
			"{\"name\":\"good\",\"annotations\":{\"topic\":\"A\"}}]"),
		REFRESH_DONE);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(route_name(&b, "A"), " good.fn");
		backend_ask(&b, "functions", 0);
		backend_reply(&b, "functions", 0, 200, "[\"fn\"]");
		backend_ask(&b, "functions", 1);
		assert_int_equal(
			backend_reply(&b, "functions", 1, rows[i].status, rows[i].body),
			REFRESH_FAILED);
		assert_string_equal(b.err.text, rows[i].why);
	}
	assert_int_equal(backend_ask(&b, "functions", 0), 0);
	assert_int_equal(backend_reply(&b, "functions", 0, 401, ""), REFRESH_FAILED);
	assert_int_equal(b.err.code, ERR_AUTH);
	assert_int_equal(backend_reply(&b, "functions", 0, 200, "[1]"), REFRESH_FAILED);
	assert_string_equal(route_name(&b, "A"), " good.fn");
	backend_close(&b);
}

static void
ten_thousand_functions(void **state)
{
	struct backend b;
	struct buf json;

	(void)state;
	buf_init(&json, 64 * 1024 * 1024);
	buf_add_char(&json, '[');
	for (int i = 0; i < 10000; i++)
		buf_printf(&json,
			"%s{\"name\":\"f%d\",\"image\":\"x\",\"annotations\":{\"topic\":\"T%d,all\"}}",
			i > 0 ? "," : "", i, i);
	buf_add_char(&json, ']');
	backend_open(&b, &processor_openfaas, "{address: 'http://gw'}\n");
	assert_int_equal(load(&b, buf_str(&json)), REFRESH_DONE);
	assert_string_equal(route_name(&b, "T9999"), " f9999.fn");
	buf_clear(&json);
	buf_add_char(&json, '[');
	for (int i = 0; i < 50001; i++)
		buf_printf(&json, "%s{\"name\":\"f%d\",\"annotations\":{\"topic\":\"T\"}}",
			i > 0 ? "," : "", i);
	buf_add_char(&json, ']');
	assert_int_equal(load(&b, buf_str(&json)), REFRESH_FAILED);
	assert_string_equal(b.err.text, "functions: more than 50000");
	assert_string_equal(route_name(&b, "T9999"), " f9999.fn");
	buf_free(&json);
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_requests),
		cmocka_unit_test(without_namespaces),
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(ten_thousand_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
