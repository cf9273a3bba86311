// SPDX-License-Identifier: Apache-2.0
/* OpenFaaS: options, the request's bytes, and what each status of a reply means. */
#define _GNU_SOURCE /* mkstemp, mkdtemp */
#include "test.h"

#include "openfaas_lab.h"

#define DATA \
	"{\"FullFormattedMessage\":\"a \\u003cb\\u003e \\u0026 \\u2028 \xc3\xa9 \\\"q\\\"\"," \
	"\"Key\":4217,\"Vm\":null}"
#define ON_THE_BUS \
	"{\"specversion\":\"1.0\",\"id\":\"4217-1668942671123\",\"source\":\"https://vc1.lab/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\"," \
	"\"time\":\"2022-11-20T11:11:11.12345Z\",\"datacontenttype\":\"application/json\"," \
	"\"vsphereapiversion\":\"8.0.1.0\",\"data\":" DATA "}"
/* What cloudevents/sdk-go 2.8.0, the event router's, marshals for this event. */
#define ROUTER_SENT \
	"{\"specversion\":\"1.0\",\"id\":\"4217-1668942671123\",\"source\":\"https://vc1.lab/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\"," \
	"\"datacontenttype\":\"application/json\",\"time\":\"2022-11-20T11:11:11.12345Z\"," \
	"\"data\":" DATA ",\"vsphereapiversion\":\"8.0.1.0\"}"

static void
invocation(void **state)
{
	struct event ev;
	struct backend b;

	(void)state;
	backend_event(&ev, ON_THE_BUS);
	backend_open(&b, &processor_openfaas, "{address: 'https://gw', insecureSSL: true}\n");
	assert_int_equal(load(&b, "[]"), REFRESH_DONE);
	backend_encode(&b, "echo.openfaas-fn", &ev);
	assert_string_equal(buf_str(&b.req->url), "https://gw/function/echo.openfaas-fn");
	assert_string_equal(buf_str(&b.req->headers),
		"Content-Type: application/cloudevents+json\nX-Topic: VmPoweredOnEvent\n"
		"X-Connector: vcourier\nX-Call-Id: 4217-1668942671123\n");
	assert_int_equal(b.req->body_len, strlen(ROUTER_SENT));
	assert_string_equal(b.req->body, ROUTER_SENT);
	assert_true(b.req->peer->insecure);
	backend_close(&b);
	event_free(&ev);
}

static void
invocation_with_everything(void **state)
{
	struct event ev;
	struct backend b;

	(void)state;
	backend_event(&ev,
		"{\"specversion\":\"1.0\",\"id\":\"a\\r\\nb c\",\"source\":\"s\","
		"\"type\":\"com.vmware.event.router/event\",\"subject\":\"X\",\"eventkey\":7,"
		"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}");
	backend_open(&b, &processor_openfaas,
		"{address: 'https://gw', async: true, callbackUrl: 'http://cb/x', authInvoke: true, "
		"typeStyle: vsphere, auth: {type: bearer, bearer: {token: abc}}}\n");
	assert_int_equal(load(&b, "[]"), REFRESH_DONE);
	backend_encode(&b, "a/../b?c.n\xc3\xa9", &ev);
	assert_string_equal(
		buf_str(&b.req->url), "https://gw/async-function/a%2F..%2Fb%3Fc.n%C3%A9");
	assert_string_equal(buf_str(&b.req->headers),
		"Content-Type: application/cloudevents+json\nX-Topic: X\nX-Connector: vcourier\n"
		"X-Call-Id: a%0D%0Ab%20c\n"
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"
		"X-Callback-Url: http://cb/x\nAuthorization: Bearer abc\n");
	assert_string_equal(b.req->body,
		"{\"specversion\":\"1.0\",\"id\":\"a\\r\\nb c\",\"source\":\"s\","
		"\"type\":\"com.vmware.vsphere.X.v0\",\"subject\":\"X\",\"eventkey\":7,"
		"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}");
	backend_close(&b);
	event_free(&ev);
}

static void
verdicts(void **state)
{
	static const struct {
		int status;
		enum verdict verdict;
		bool refresh;
	} rows[] = {
		{ 200, VERDICT_DELIVERED, false },
		{ 202, VERDICT_DELIVERED, false },
		{ 0, VERDICT_RETRY, false },
		{ 302, VERDICT_REJECTED, false },
		{ 400, VERDICT_REJECTED, false },
		{ 401, VERDICT_RETRY, true },
		{ 403, VERDICT_RETRY, false },
		{ 404, VERDICT_RETRY, true },
		{ 408, VERDICT_RETRY, false },
		{ 413, VERDICT_REJECTED, false },
		{ 415, VERDICT_REJECTED, false },
		{ 422, VERDICT_REJECTED, false },
		{ 429, VERDICT_RETRY, false },
		{ 500, VERDICT_RETRY, false },
		{ 502, VERDICT_RETRY, false },
		{ 504, VERDICT_RETRY, false },
	};
	struct backend b;
	struct outcome out;

	(void)state;
	backend_open(&b, &processor_openfaas, "{address: 'http://gw'}\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		backend_judge(&b, "f", rows[i].status, &out);
		assert_int_equal(out.verdict, rows[i].verdict);
		assert_int_equal(out.refresh, rows[i].refresh);
		assert_int_equal(out.status, rows[i].status);
	}
	backend_judge(&b, "f", 500, &out);
	assert_string_equal(out.why.text, "HTTP 500: because");
	backend_close(&b);
}

static void
bad_options(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "{async: true}\n", "address" },
		{ "{address: gw}\n", "address" },
		{ "{address: 'http://gw?x=1'}\n", "address must not have a query" },
		{ "{address: 'http://gw', callbackUrl: 'http://cb'}\n",
			"callbackUrl needs async" },
		{ "{address: 'http://gw', authInvoke: true}\n", "authInvoke needs auth" },
		{ "{address: 'http://gw', topicStyle: dots}\n", "topicStyle" },
		{ "{address: 'http://gw', refreshInterval: 10ms}\n", "refreshInterval" },
		{ "{address: 'http://gw', certFile: c.pem}\n", "certFile and keyFile" },
		{ "{address: 'http://gw', auth: {type: basic_auth}}\n", "username is missing" },
		{ "{address: 'http://gw', auth: {type: basic_auth, basicAuth: {username: u}}}\n",
			"password (or passwordFile) is missing" },
		{ "{address: 'http://gw', auth: {type: basic_auth, basicAuth: {username: 'u:x', "
		  "password: p}}}\n",
			"colon" },
		{ "{address: 'http://gw', auth: {basicAuth: {username: u, password: p}}}\n",
			"needs auth.type basic_auth" },
		{ "{address: 'http://gw', auth: {type: bearer}}\n",
			"token (or tokenFile) is missing" },
		{ "{address: 'http://gw', auth: {type: active_directory}}\n", "auth.type" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		backend_refuses(&processor_openfaas, rows[i].yaml, rows[i].why);
}

/*
 * A password file that is away or torn fails the refresh and says so; the last good one stays.
 */
static void
password_from_a_file(void **state)
{
	char dir[] = "/tmp/openfaas.XXXXXX", path[64], yaml[300];
	struct backend b;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/password", dir);
	snprintf(yaml, sizeof(yaml),
		"{address: 'http://gw', auth: {type: basic_auth, basicAuth: {username: u, "
		"passwordFile: %s}}}\n",
		path);
	backend_open(&b, &processor_openfaas, yaml);
	assert_int_equal(backend_ask(&b, "functions", 0), -1);
	assert_non_null(strstr(b.err.text, path));
	for (int i = 0; i < 2; i++) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(i == 0 ? "one\n" : "two\n", f);
		fclose(f);
		assert_int_equal(backend_ask(&b, "functions", 0), 0);
		/* printf u:one | base64; printf u:two | base64 */
		assert_string_equal(buf_str(&b.req->headers),
			i == 0 ? "Authorization: Basic dTpvbmU=\n"
			       : "Authorization: Basic dTp0d28=\n");
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(backend_ask(&b, "functions", 0), -1);
	assert_non_null(strstr(b.err.text, path));
	unlink(path);
	rmdir(dir);
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invocation),
		cmocka_unit_test(invocation_with_everything),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(password_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
