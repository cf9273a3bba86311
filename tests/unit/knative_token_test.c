// SPDX-License-Identifier: Apache-2.0
/* knative: tokens for the audience of a destination. */
#define _GNU_SOURCE /* mkstemp, mkdtemp, setenv */
#include "test.h"

#include "knative_ref_lab.h"

/* At 2026-11-22T10:00:00Z by the API server's clock, plus so many minutes. */
static enum refresh_result
broker_with_audience(struct backend *b, unsigned step, int minutes)
{
	static const char body[] = BROKER(
		"\"address\":{\"url\":\"https://a/\",\"audience\":\"eventing/fn/\\\"d\\\"\"}");
	struct http_response rsp = { .status = 200,
		.body = body,
		.body_len = sizeof(body) - 1,
		.headers = "",
		.retry_after_ms = -1,
		.date_us = (INT64_C(1795341600) + minutes * 60) * 1000000 };

	return b->p->refreshes[1].response(
		refresh_self(&b->p->refreshes[1], b->self), step, &rsp, &b->time, &b->err);
}

/* A TokenRequest's answer with a token of so many bytes. */
static const char *
token_of(int bytes)
{
	static char text[128 * 1024];

	snprintf(text, sizeof(text), "{\"status\":{\"token\":\"%0*d\"}}", bytes, 0);
	return text;
}

static void
a_token_for_the_audience(void **state)
{
	struct backend b;
	struct outcome out;

	(void)state;
	open_in_cluster(&b, REF(""));
	backend_ask(&b, "destination", 0);
	backend_reply(&b, "destination", 0, 200, RESOURCES);
	backend_ask(&b, "destination", 1);
	assert_int_equal(broker_with_audience(&b, 1, 0), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "destination", 2), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/api/v1/namespaces/apps/serviceaccounts/vcourier/token");
	assert_string_equal(b.req->method, "POST");
	assert_string_equal(b.req->body,
		"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"audiences\":"
		"[\"eventing/fn/\\\"d\\\"\"],\"expirationSeconds\":3600}}");
	assert_int_equal(backend_reply(&b, "destination", 2, 403, "{}"), REFRESH_FAILED);
	assert_non_null(strstr(b.err.text,
		"not allowed to create serviceaccounts/token vcourier in namespace apps"));
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 0), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201,
			"{\"kind\":\"TokenRequest\",\"spec\":{\"expirationSeconds\":3600},\"status\":{\"token\":"
			"\"first\",\"expirationTimestamp\":\"2026-11-22T11:00:00Z\"}}"),
		REFRESH_DONE);
	assert_string_equal(url(&b), "https://a/");
	assert_true(has_header(&b, "Authorization: Bearer first\n"));
	/* kept while it lasts, renewed five minutes before its end */
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 54), REFRESH_DONE);
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 56), REFRESH_MORE);
	/* and at once when it is refused */
	backend_judge(&b, "", 401, &out);
	assert_int_equal(out.verdict, VERDICT_RETRY);
	assert_true(out.refresh);
	backend_ask(&b, "destination", 0);
	assert_int_equal(broker_with_audience(&b, 0, 1), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, "{\"status\":{}}"), REFRESH_FAILED);
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, token_of(100000)), REFRESH_FAILED);
	assert_non_null(
		strstr(b.err.text, "100000 bytes, more than the 16384 that fit a request"));
	assert_int_equal(
		backend_reply(&b, "destination", 1, 201, "{\"status\":{\"token\":\"second\"}}"),
		REFRESH_DONE);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer second\n"));
	backend_close(&b);
}

static void
a_projected_token(void **state)
{
	struct backend b;
	char yaml[300];

	(void)state;
	snprintf(yaml, sizeof(yaml),
		"{destination: {uri: 'https://b/', audience: a, oidc: {tokenFile: %s/projected}}}\n",
		dir);
	put("projected", "one\n");
	backend_open(&b, &processor_knative, yaml);
	assert_int_equal(backend_ask(&b, "destination", 0), 1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer one\n"));
	put("projected", "");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer one\n"));
	put("projected", "two\n");
	assert_int_equal(backend_ask(&b, "destination", 0), 1);
	url(&b);
	assert_true(has_header(&b, "Authorization: Bearer two\n"));
	assert_int_equal(
		b.p->refreshes[1].interval_ms(refresh_self(&b.p->refreshes[1], b.self)), 60000);
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_for_the_audience),
		cmocka_unit_test(a_projected_token),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
