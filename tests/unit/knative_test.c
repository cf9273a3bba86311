// SPDX-License-Identifier: Apache-2.0
/* knative: the request an event becomes, in both content modes. */
#define _DEFAULT_SOURCE /* mkstemp */
#include "test.h"

#include <string.h>

#include "backend.h"

#define EVENT(type, extra, data) \
	"{\"specversion\":\"1.0\",\"id\":\"42\",\"source\":\"https://vc/sdk\",\"type\":\"" type \
	"\"," \
	"\"subject\":\"VmPoweredOnEvent\",\"time\":\"2026-11-22T10:11:12.5Z\"" extra "," data \
	"}"
#define JSON_TYPE ",\"datacontenttype\":\"application/json\""
#define ROUTER "com.vmware.event.router/event"

extern const struct processor processor_knative;

static void
requests(void **state)
{
	/*
	 * headers and bodies as the HTTP binding of CloudEvents 1.0.2 has them, sections 3.1
	 * and 3.2
	 */
	static const struct {
		const char *yaml, *json, *headers, *body;
	} rows[] = {
		{ "{destination: {uri: 'http://b/x'}, encoding: binary}",
			EVENT(ROUTER, JSON_TYPE ",\"eventclass\":\"event\"",
				"\"data\":{\"Key\": 1.50}"),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\nce-type: " ROUTER
			"\n"
			"ce-subject: VmPoweredOnEvent\nce-time: 2026-11-22T10:11:12.5Z\nce-eventclass: event\n"
			"Content-Type: application/json\n",
			"{\"Key\": 1.50}" },
		{ "{destination: {uri: 'http://b/x'}, encoding: binary, typeStyle: vsphere}",
			EVENT(ROUTER, ",\"note\":\"Euro \xe2\x82\xac \\ud83d\\ude00\"",
				"\"data\":[]"),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\n"
			"ce-type: com.vmware.vsphere.VmPoweredOnEvent.v0\nce-subject: VmPoweredOnEvent\n"
			"ce-time: 2026-11-22T10:11:12.5Z\nce-note: Euro%20%E2%82%AC%20%F0%9F%98%80\n"
			"Content-Type: application/json\n",
			"[]" },
		/* the specification advises at most 20 characters for a name; more are valid */
		{ "{destination: {uri: 'http://b/x'}, encoding: binary, typeStyle: vsphere}",
			EVENT(ROUTER,
				",\"a123456789b123456789c123456789d123456789e123456789f123456789g\":\"1\"",
				"\"data\":[]"),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\n"
			"ce-type: com.vmware.vsphere.VmPoweredOnEvent.v0\nce-subject: VmPoweredOnEvent\n"
			"ce-time: 2026-11-22T10:11:12.5Z\n"
			"ce-a123456789b123456789c123456789d123456789e123456789f123456789g: 1\n"
			"Content-Type: application/json\n",
			"[]" },
		{ "{destination: {uri: 'http://b/x'}, encoding: binary}",
			EVENT("other", ",\"datacontenttype\":\"text/plain\"",
				"\"data\":\"a\\nb\""),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\nce-type: other\n"
			"ce-subject: VmPoweredOnEvent\nce-time: 2026-11-22T10:11:12.5Z\nContent-Type: text/plain\n",
			"a\nb" },
		{ "{destination: {uri: 'http://b/x'}, encoding: binary}",
			EVENT("other", ",\"datacontenttype\":\"application/octet-stream\"",
				"\"data_base64\":\"aGk=\""),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\nce-type: other\nce-subject: VmPoweredOnEvent\n"
			"ce-time: 2026-11-22T10:11:12.5Z\nContent-Type: application/octet-stream\n",
			"hi" },
		/* https://knative.dev/docs: "override or modify the outbound event" */
		{ "{destination: {uri: 'http://b/x'}, encoding: binary, "
		  "ceOverrides: {extensions: {stage: test 1, eventclass: mine}}}",
			EVENT(ROUTER, JSON_TYPE ",\"eventclass\":\"event\"", "\"data\":[]"),
			"ce-specversion: 1.0\nce-id: 42\nce-source: https://vc/sdk\nce-type: " ROUTER
			"\nce-subject: VmPoweredOnEvent\nce-time: 2026-11-22T10:11:12.5Z\n"
			"ce-eventclass: mine\nce-stage: test%201\nContent-Type: application/json\n",
			"[]" },
		{ "{destination: {uri: 'http://b/x'}, ceOverrides: {extensions: {stage: test}}}",
			EVENT(ROUTER, JSON_TYPE, "\"data\":[]"),
			"Content-Type: application/cloudevents+json\n",
			EVENT(ROUTER, JSON_TYPE ",\"stage\":\"test\"", "\"data\":[]") },
		{ "{destination: {uri: 'http://b/x'}, encoding: structured, "
		  "auth: {type: basic_auth, basicAuth: {username: Aladdin, password: open sesame}}}",
			EVENT(ROUTER, JSON_TYPE, "\"data\":{\"Key\": 1.50}"),
			"Content-Type: application/cloudevents+json\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n",
			EVENT(ROUTER, JSON_TYPE, "\"data\":{\"Key\": 1.50}") },
		{ "{destination: {uri: 'http://b/x'}, typeStyle: vsphere, auth: {type: bearer, bearer: {token: t1}}}",
			EVENT(ROUTER, JSON_TYPE, "\"data\":{\"Key\": 1.50}"),
			"Content-Type: application/cloudevents+json\nAuthorization: Bearer t1\n",
			EVENT("com.vmware.vsphere.VmPoweredOnEvent.v0", JSON_TYPE,
				"\"data\":{\"Key\": 1.50}") },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		struct event ev;

		backend_open(&b, &processor_knative, rows[i].yaml);
		backend_event(&ev, rows[i].json);
		assert_int_equal(backend_ask(&b, "credentials", 0), REFRESH_NOTHING);
		assert_string_equal(backend_route(&b, &ev), " "); /* one target, "" */
		backend_encode(&b, "", &ev);
		assert_string_equal(buf_str(&b.req->headers), rows[i].headers);
		assert_int_equal(b.req->body_len, strlen(rows[i].body));
		assert_memory_equal(b.req->body, rows[i].body, b.req->body_len);
		assert_string_equal(buf_str(&b.req->url), "http://b/x");
		event_free(&ev);
		backend_close(&b);
	}
}

static void
destinations(void **state)
{
	static const struct {
		const char *yaml, *uri, *error;
	} rows[] = {
		{ "{destination: {uri: 'https://b:8443/a?q=1'}}", "https://b:8443/a?q=1",
			NULL },
		{ "{destination: {uri: {scheme: https, host: b.lab, path: in, rawquery: a=b}}}",
			"https://b.lab/in?a=b", NULL },
		{ "{destination: {uri: {scheme: http, host: b.lab}}}", "http://b.lab", NULL },
		{ "{destination: {uri: 'ftp://b/'}}", NULL,
			"destination.uri: must be an http:// or https:// URL" },
		{ "{destination: {uri: 'http:///x'}}", NULL,
			"destination.uri: must be an http:// or https:// URL" },
		{ "{destination: {uri: {host: b.lab}}}", NULL,
			"destination.uri: needs scheme and host" },
		{ "{destination: {uri: {scheme: http, host: b, prot: 1}}}", NULL,
			"has keys other than" },
		{ "{destination: {uri: [a]}}", NULL, "destination.uri" },
		{ "{destination: {uri: 'http://b'}, encoding: xml}", NULL, "encoding" },
		{ "{destination: {uri: 'http://b'}, ceOverrides: {extensions: {Stage: x}}}",
			NULL, "ceOverrides.extensions: \"Stage\" is not an attribute name" },
		{ "{destination: {uri: 'http://b'}, ceOverrides: {extensions: {subject: x}}}",
			NULL,
			"ceOverrides.extensions: subject is an attribute of CloudEvents" },
		{ "{destination: {uri: 'http://b'}, ceOverrides: {extensions: {stage: ''}}}",
			NULL, "ceOverrides.extensions: stage has no value" },
		{ "{destination: {uri: 'http://b'}, ceOverrides: {extensions: [a]}}", NULL,
			"ceOverrides.extensions" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;
		struct buf why;
		int failed;

		buf_init(&why, 10000);
		failed = backend_try(&b, &processor_knative, rows[i].yaml, &why);
		assert_int_equal(failed != 0, rows[i].uri == NULL);
		if (rows[i].error != NULL)
			assert_non_null(strstr(buf_str(&why), rows[i].error));
		else
			assert_string_equal(**(char ***)(void *)&b.options, rows[i].uri);
		buf_free(&why);
		backend_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(destinations),
	};

	return cmocka_run_group_tests_name("knative", tests, NULL, NULL);
}
