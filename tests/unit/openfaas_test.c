// SPDX-License-Identifier: Apache-2.0
/*
 * OpenFaaS: which function an event goes to, the request's bytes, and what the gateway may
 * answer.
 */
#define _GNU_SOURCE /* mkstemp, mkdtemp */
#include "test.h"

#include "backend.h"

extern const struct processor processor_openfaas;

static void
parse(struct event *ev, const char *json)
{
	struct err err;

	event_init(ev);
	if (event_parse(ev, json, strlen(json), &err) != 0)
		fail_msg("%s", err.text);
}

static void
named(struct event *ev, char *json, size_t size, const char *class, const char *name)
{
	snprintf(json, size,
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"%s\","
		"\"eventclass\":\"%s\",\"data\":{}}",
		name, class);
	parse(ev, json);
}

static const char *
route_name(struct backend *b, const char *name)
{
	struct event ev;
	char json[1024];
	const char *names;

	named(&ev, json, sizeof(json), "event", name);
	names = backend_route(b, &ev);
	event_free(&ev);
	return names;
}

/* One run of the refresh over one namespace. */
static enum refresh_result
load(struct backend *b, const char *functions)
{
	assert_int_equal(backend_ask(b, "functions", 0), 0);
	if (backend_reply(b, "functions", 0, 200, "[\"fn\"]") != REFRESH_MORE)
		fail_msg("%s", b->err.text);
	assert_int_equal(backend_ask(b, "functions", 1), 0);
	return backend_reply(b, "functions", 1, 200, functions);
}

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
 * Annotation, event name, and who is called: exact and case-sensitive, as the event router did.
 */
static void
topics(void **state)
{
	static const struct {
		const char *options, *topic, *name;
		bool match;
	} rows[] = {
		{ "", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", true },
		{ "", "\" a , VmPoweredOnEvent,,\\tb\"", "VmPoweredOnEvent", true },
		{ "", "\"a,b\"", "b", true },
		{ "", "\"a,a,a\"", "a", true },
		{ "", "\"VmPoweredOnEvent\"", "VmPoweredOnEven", false },
		{ "", "\"vmpoweredonevent\"", "VmPoweredOnEvent", false },
		{ "", "\"com.vmware.vc.HA.X\"", "com.vmware.vc.HA.X", true },
		{ "", "\"vm.powered.on\"", "VmPoweredOnEvent", false },
		{ "", "\"Vm*\"", "VmPoweredOnEvent", false },
		{ "", "\"\"", "VmPoweredOnEvent", false },
		{ "", "\",, ,\"", "VmPoweredOnEvent", false },
		{ "", "7", "7", false },
		{ "", "[\"a\"]", "a", false },
		{ "", "null", "null", false },
		{ ", topicWildcards: true", "\"Vm*\"", "VmPoweredOnEvent", true },
		{ ", topicWildcards: true", "\"*,Vm*,VmPoweredOnEvent\"", "VmPoweredOnEvent",
			true },
		{ ", topicWildcards: true", "\"*On*t\"", "VmPoweredOnEvent", true },
		{ ", topicWildcards: true", "\"Vm*Off*\"", "VmPoweredOnEvent", false },
		{ ", topicWildcards: true", "\"*ab\"", "aaab", true },
		{ ", topicWildcards: true", "\"com.vmware.*\"", "com.vmware.vc.HA.X", true },
		{ ", topicWildcards: true", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", true },
		{ ", topicStyle: dotted", "\"vm.powered.on\"", "VmPoweredOnEvent", true },
		{ ", topicStyle: dotted", "\"VmPoweredOnEvent\"", "VmPoweredOnEvent", false },
		{ ", topicStyle: both", "\"vm.powered.on,VmPoweredOnEvent\"",
			"VmPoweredOnEvent", true },
		{ ", topicStyle: both, topicWildcards: true", "\"vm.*,Vm*,VmPoweredOnEvent\"",
			"VmPoweredOnEvent", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		char text[512];

		snprintf(text, sizeof(text), "{address: 'http://gw'%s}\n", rows[i].options);
		backend_open(&b, &processor_openfaas, text);
		snprintf(text, sizeof(text),
			"[{\"name\":\"f\",\"annotations\":{\"topic\":%s}}]", rows[i].topic);
		assert_int_equal(load(&b, text), REFRESH_DONE);
		assert_string_equal(route_name(&b, rows[i].name), rows[i].match ? " f.fn" : "");
		backend_close(&b);
	}
}

/*
 * Expected: what the conversion in openfaas-incubator/vcenter-connector makes of govmomi's
 * names.
 */
static void
dotted_topics(void **state)
{
	static const struct {
		const char *class, *name, *want;
	} rows[] = {
		{ "event", "VmPoweredOnEvent", "vm.powered.on" },
		{ "event", "DrsVmPoweredOnEvent", "drs.vm.powered.on" },
		{ "event", "DVPortgroupCreatedEvent", "dv.portgroup.created" },
		{ "event", "DatastoreIORMReconfiguredEvent", "datastore.iorm.reconfigured" },
		{ "event", "HostVnicConnectedToCustomizedDVPortEvent",
			"host.vnic.connected.to.customized.dv.port" },
		{ "event", "IScsiBootFailureEvent", "i.scsi.boot.failure" },
		{ "event", "NASDatastoreCreatedEvent", "nas.datastore.created" },
		{ "event", "NonVIWorkloadDetectedOnDatastoreEvent",
			"non.vi.workload.detected.on.datastore" },
		{ "event", "VMotionLicenseExpiredEvent", "v.motion.license.expired" },
		{ "event", "VmFailedRelayoutOnVmfs2DatastoreEvent",
			"vm.failed.relayout.on.vmfs2.datastore" },
		{ "event", "VmRequirementsExceedCurrentEVCModeEvent",
			"vm.requirements.exceed.current.evc.mode" },
		{ "event", "LocalTSMEnabledEvent", "local.tsm.enabled" },
		{ "eventex", "com.vmware.vc.HA.X", "ex" },
		{ "extendedevent", "com.example.Y", "extended" },
	};
	struct backend b;

	(void)state;
	backend_open(&b, &processor_openfaas, "{address: 'http://gw', topicStyle: dotted}\n");
	assert_int_equal(load(&b, "[]"), REFRESH_DONE);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event ev;
		char json[1024], want[200];

		named(&ev, json, sizeof(json), rows[i].class, rows[i].name);
		backend_encode(&b, "f", &ev);
		snprintf(want, sizeof(want), "X-Topic: %s\n", rows[i].want);
		assert_non_null(strstr(buf_str(&b.req->headers), want));
		event_free(&ev);
	}
	backend_close(&b);
}

#define DATA                                                                                  \
	"{\"FullFormattedMessage\":\"a \\u003cb\\u003e \\u0026 \\u2028 \xc3\xa9 \\\"q\\\"\"," \
	"\"Key\":4217,\"Vm\":null}"
#define ON_THE_BUS                                                                                   \
	"{\"specversion\":\"1.0\",\"id\":\"4217-1668942671123\",\"source\":\"https://vc1.lab/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\","               \
	"\"time\":\"2022-11-20T11:11:11.12345Z\",\"datacontenttype\":\"application/json\","          \
	"\"vsphereapiversion\":\"8.0.1.0\",\"data\":" DATA "}"
/* What cloudevents/sdk-go 2.8.0, the event router's, marshals for this event. */
#define ROUTER_SENT                                                                                  \
	"{\"specversion\":\"1.0\",\"id\":\"4217-1668942671123\",\"source\":\"https://vc1.lab/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\","               \
	"\"datacontenttype\":\"application/json\",\"time\":\"2022-11-20T11:11:11.12345Z\","          \
	"\"data\":" DATA ",\"vsphereapiversion\":\"8.0.1.0\"}"

static void
invocation(void **state)
{
	struct event ev;
	struct backend b;

	(void)state;
	parse(&ev, ON_THE_BUS);
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
	parse(&ev,
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
		{ "{address: 'http://gw?x=1'}\n", "address must not hold a query" },
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
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		struct buf why;

		buf_init(&why, 10000);
		assert_int_equal(backend_try(&b, &processor_openfaas, rows[i].yaml, &why), -1);
		if (strstr(buf_str(&why), rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].yaml, buf_str(&why));
		buf_free(&why);
		backend_close(&b);
	}
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
		cmocka_unit_test(list_requests),
		cmocka_unit_test(without_namespaces),
		cmocka_unit_test(topics),
		cmocka_unit_test(dotted_topics),
		cmocka_unit_test(invocation),
		cmocka_unit_test(invocation_with_everything),
		cmocka_unit_test(bad_lists),
		cmocka_unit_test(ten_thousand_functions),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(bad_options),
		cmocka_unit_test(password_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
