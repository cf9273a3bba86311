// SPDX-License-Identifier: Apache-2.0
/*
 * knative: destination.ref looked up through the Kubernetes API, and tokens for its audience.
 * The answers have the shapes of a cluster with Knative Eventing 1.14.
 */
#define _GNU_SOURCE /* mkstemp, mkdtemp, setenv */
#include "test.h"

#include "knative_ref_lab.h"

static void
a_broker(void **state)
{
	struct backend b;
	struct outcome out;

	(void)state;
	open_in_cluster(&b, REF(""));
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(
		buf_str(&b.req->url), "https://[fd00::1]:6443/apis/eventing.knative.dev/v1");
	assert_true(has_header(&b, "Authorization: Bearer " SA_TOKEN "\n"));
	assert_true(b.req->peer->ca_only);
	assert_int_equal(backend_reply(&b, "destination", 0, 200, RESOURCES), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "destination", 1), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/apis/eventing.knative.dev/v1/namespaces/fn/brokers/default");
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_DONE);
	assert_string_equal(url(&b), INGRESS);
	assert_false(has_header(&b, "Authorization"));

	/* again, after a minute: the plural is known; the broker has moved */
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_non_null(strstr(buf_str(&b.req->url), "/brokers/default"));
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 BROKER("\"address\":{\"url\":\"http://new/\"}")),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://new/");

	/* looked up again when it cannot be reached, or says 404 */
	backend_judge(&b, "", 0, &out);
	assert_true(out.refresh);
	backend_judge(&b, "", 404, &out);
	assert_true(out.refresh);
	assert_int_equal(out.verdict, VERDICT_RETRY);
	backend_judge(&b, "", 503, &out);
	assert_false(out.refresh);
	backend_close(&b);
}

/* What the API may answer instead; the last good address stays. */
static void
failures(void **state)
{
	static const struct {
		int status;
		const char *body, *why;
	} rows[] = {
		{ 0, "Connection refused", "Kubernetes API: Connection refused" },
		{ 401, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Unauthorized\",\"code\":401}",
			"the Kubernetes API refuses our credentials (HTTP 401)" },
		{ 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"code\":403}",
			"not allowed to get brokers.eventing.knative.dev default in namespace fn" },
		{ 500, "",
			"get brokers.eventing.knative.dev default in namespace fn: HTTP 500" },
		{ 200, "<html>", "not a JSON object" },
		{ 200, "[]", "not a JSON object" },
		{ 200, "{}", "Broker default has no address yet" },
		{ 200,
			BROKER("\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\",\"message\":\"The channel is not "
			       "ready\"}]"),
			"Broker default has no address yet: The channel is not ready" },
		{ 200, BROKER("\"address\":{}"), "has no address yet" },
		{ 200, BROKER("\"address\":{\"url\":7}"), "has no address yet" },
		{ 200, BROKER("\"address\":{\"url\":\"/x\"}"),
			"its address \"/x\" is not a URL with a host" },
		{ 200, BROKER("\"address\":{\"url\":\"ftp://x\"}"),
			"is not a URL with a host" },
		{ 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404}",
			"does not exist" },
	};
	struct backend b;

	(void)state;
	open_in_cluster(&b, REF(""));
	backend_ask(&b, "destination", 0);
	assert_int_equal(
		backend_reply(&b, "destination", 0, 404, "404 page not found"), REFRESH_FAILED);
	assert_string_equal(
		b.err.text, "the resources of eventing.knative.dev/v1 does not exist");
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"resources\":[{\"name\":\"x\"},7,null]}"),
		REFRESH_FAILED);
	assert_string_equal(
		b.err.text, "the cluster has no kind Broker in eventing.knative.dev/v1");
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"resources\":[{\"name\":\"..\",\"kind\":\"Broker\"}]}"),
		REFRESH_FAILED);
	backend_ask(&b, "destination", 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200, RESOURCES), REFRESH_MORE);
	backend_ask(&b, "destination", 1);
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_DONE);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(backend_ask(&b, "destination", 0), 0);
		assert_int_equal(
			backend_reply(&b, "destination", 0, rows[i].status, rows[i].body),
			REFRESH_FAILED);
		if (strstr(b.err.text, rows[i].why) == NULL)
			fail_msg("%s", b.err.text);
		assert_string_equal(url(&b), INGRESS);
	}
	/* after a 404 of the object its kind is looked up anew */
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(
		buf_str(&b.req->url), "https://[fd00::1]:6443/apis/eventing.knative.dev/v1");
	/* a token file caught half-written */
	put("token", "");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	assert_non_null(strstr(b.err.text, "service account"));
	put("token", "abc\ndef");
	assert_int_equal(backend_ask(&b, "destination", 0), -1);
	assert_string_equal(url(&b), INGRESS);
	backend_close(&b);
}

/* Which of the object's addresses, and what the configuration adds to it. */
static void
addresses(void **state)
{
	static const struct {
		const char *more, *status, *url, *ca;
	} rows[] = {
		{ "",
			"\"address\":{\"url\":\"http://old\"},\"addresses\":[{\"name\":\"https\",\"url\":\"https://a/x\"},"
			"{\"name\":\"http\",\"url\":\"http://b/x\"}]",
			"https://a/x", NULL },
		{ "", "\"address\":{\"url\":\"http://old/x\"},\"addresses\":[]", "http://old/x",
			NULL },
		{ ", uri: /in", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/in", NULL },
		{ ", uri: {path: in}", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/in",
			NULL },
		{ ", uri: '?q=1'", "\"address\":{\"url\":\"http://a/b/c\"}", "http://a/b/c?q=1",
			NULL },
		{ "", "\"address\":{\"url\":\"https://a/\",\"CACerts\":\"PEM1\"}", "https://a/",
			"PEM1" },
		{ ", CACerts: PEM2",
			"\"address\":{\"url\":\"https://a/\",\"CACerts\":\"PEM1\"}",
			"https://a/", "PEM1\nPEM2" },
		{ ", CACerts: PEM2", "\"address\":{\"url\":\"https://a/\"}", "https://a/",
			"PEM2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		char yaml[512], body[1024];

		snprintf(yaml, sizeof(yaml), REF("%s"), rows[i].more);
		open_in_cluster(&b, yaml);
		backend_ask(&b, "destination", 0);
		backend_reply(&b, "destination", 0, 200, RESOURCES);
		backend_ask(&b, "destination", 1);
		snprintf(body, sizeof(body), BROKER("%s"), rows[i].status);
		if (backend_reply(&b, "destination", 1, 200, body) != REFRESH_DONE)
			fail_msg("%s", b.err.text);
		assert_string_equal(url(&b), rows[i].url);
		if (rows[i].ca == NULL)
			assert_null(b.req->peer->ca_pem);
		else
			assert_non_null(strstr(b.req->peer->ca_pem, rows[i].ca));
		backend_close(&b);
	}
}

static void
an_address_by_name(void **state)
{
	struct backend b;

	(void)state;
	open_in_cluster(&b,
		"{destination: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, "
		"namespace: fn, address: http}}}\n");
	backend_ask(&b, "destination", 0);
	backend_reply(&b, "destination", 0, 200, RESOURCES);
	backend_ask(&b, "destination", 1);
	assert_int_equal(backend_reply(&b, "destination", 1, 200, ONE_ADDRESS), REFRESH_FAILED);
	assert_string_equal(b.err.text, "Broker default has no address named http yet");
	assert_int_equal(
		backend_reply(&b, "destination", 1, 200,
			BROKER("\"addresses\":[{\"name\":\"https\",\"url\":\"https://a/\"},"
			       "{\"name\":\"http\",\"url\":\"http://b/\"}]")),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://b/");
	backend_close(&b);
}

/* A Service of the core group has no status: it is there, or it is not. */
static void
a_core_service(void **state)
{
	struct backend b;

	(void)state;
	open_in_cluster(&b,
		"{destination: {ref: {apiVersion: v1, kind: Service, name: sink}, uri: /x}}\n");
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_string_equal(buf_str(&b.req->url),
		"https://[fd00::1]:6443/api/v1/namespaces/apps/services/sink");
	assert_int_equal(backend_reply(&b, "destination", 0, 404, "{}"), REFRESH_FAILED);
	assert_string_equal(b.err.text, "services sink in namespace apps does not exist");
	assert_int_equal(backend_ask(&b, "destination", 0), 0);
	assert_int_equal(backend_reply(&b, "destination", 0, 200,
				 "{\"kind\":\"Service\",\"status\":{\"loadBalancer\":{}}}"),
		REFRESH_DONE);
	assert_string_equal(url(&b), "http://sink.apps.svc.cluster.local/x");
	backend_close(&b);
}

static void
bad_destinations(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "{encoding: binary}\n", "destination" },
		{ "{destination: {}}\n", "destination needs a ref or a uri" },
		{ "{destination: }\n", "destination" },
		{ REF(", uri: 'http://b/'"), "must be relative" },
		{ REF(", uri: {scheme: http, host: b}"), "must be relative" },
		{ "{destination: {uri: /in}}\n",
			"must be an http:// or https:// URL with a host" },
		{ "{destination: {ref: {kind: Broker, name: x}}}\n", "apiVersion" },
		{ "{destination: {ref: {apiVersion: v1, kind: Service}}}\n", "name" },
		{ "{destination: {ref: {apiVersion: a/b/c, kind: X, name: x}}}\n",
			"apiVersion must be" },
		{ "{destination: {ref: {apiVersion: /v1, kind: X, name: x}}}\n",
			"apiVersion must be" },
		{ "{destination: {uri: 'http://b', audience: a}, auth: {type: bearer, bearer: {token: t}}}\n",
			"cannot go with auth" },
		{ "{destination: {uri: 'http://b', audience: a, oidc: {serviceAccount: x}}}\n",
			"`namespace/name`" },
		{ "{destination: {uri: 'http://b'}, encoding: xml}\n", "encoding" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		backend_refuses(&processor_knative, rows[i].yaml, rows[i].why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broker),
		cmocka_unit_test(failures),
		cmocka_unit_test(addresses),
		cmocka_unit_test(an_address_by_name),
		cmocka_unit_test(a_core_service),
		cmocka_unit_test(bad_destinations),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
