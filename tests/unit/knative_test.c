// SPDX-License-Identifier: Apache-2.0
/* knative: the request an event becomes, in both content modes. */
#define _DEFAULT_SOURCE /* mkstemp */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "processor.h"

#define EVENT(type, extra, data) \
	"{\"specversion\":\"1.0\",\"id\":\"42\",\"source\":\"https://vc/sdk\",\"type\":\"" type \
	"\"," \
	"\"subject\":\"VmPoweredOnEvent\",\"time\":\"2026-11-22T10:11:12.5Z\"" extra "," data \
	"}"
#define JSON_TYPE ",\"datacontenttype\":\"application/json\""
#define ROUTER "com.vmware.event.router/event"

static const struct processor *knative;

/* A processor with this block of configuration, or the errors of reading it. */
struct opened {
	void *config, *self;
	struct config *file;
	struct config_errors errors;
	struct err err;
};

static int
open_with(struct opened *o, const char *yaml)
{
	char path[] = "/tmp/knative_testXXXXXX";
	int fd = mkstemp(path), failed;

	*o = (struct opened){ .config = mem_alloc(knative->config_size) };
	config_errors_init(&o->errors);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	failed = config_load(&o->file, path, &o->errors);
	unlink(path);
	if (!failed)
		failed = config_bind(config_root(o->file), knative->fields, o->config,
			knative->config_size, &o->errors);
	return failed ? failed : knative->open(&o->self, o->config, &o->err);
}

static void
close_it(struct opened *o)
{
	if (o->self != NULL)
		knative->close(o->self);
	config_release(knative->fields, o->config);
	config_errors_free(&o->errors);
	config_free(o->file);
	free(o->config);
}

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
	struct http *http;
	struct err err;

	(void)state;
	assert_int_equal(http_open(&http, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_request *req = http_request_new(http);
		struct targets targets = { .target = NULL };
		struct event ev;
		const struct event *events[1] = { &ev };
		struct opened o;

		assert_int_equal(open_with(&o, rows[i].yaml), 0);
		event_init(&ev);
		assert_int_equal(event_parse(&ev, rows[i].json, strlen(rows[i].json), &err), 0);
		assert_int_equal(
			knative->refreshes[0].request(
				refresh_self(&knative->refreshes[0], o.self), 0, req, &err),
			1);
		assert_int_equal(processor_route(knative, o.self, &ev, &targets, &err), 0);
		assert_int_equal(targets.n, 1);
		assert_int_equal(
			knative->encode(o.self, &(struct batch){ targets.target, events, 1 },
				req, &err),
			0);
		assert_string_equal(buf_str(&req->headers), rows[i].headers);
		assert_int_equal(req->body_len, strlen(rows[i].body));
		assert_memory_equal(req->body, rows[i].body, req->body_len);
		assert_string_equal(buf_str(&req->url), "http://b/x");
		http_request_free(http, req);
		targets_free(&targets);
		event_free(&ev);
		close_it(&o);
	}
	http_close(http);
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
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct opened o;
		int failed = open_with(&o, rows[i].yaml);

		assert_int_equal(failed != 0, rows[i].uri == NULL);
		if (rows[i].error != NULL)
			assert_non_null(strstr(buf_str(&o.errors.text), rows[i].error));
		else
			assert_string_equal(**(char ***)(void *)&o.config, rows[i].uri);
		close_it(&o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(destinations),
	};

	knative = processor_find("knative");
	return cmocka_run_group_tests_name("knative", tests, NULL, NULL);
}
