// SPDX-License-Identifier: Apache-2.0
/*
 * Whose fault it is when no request can be made: the event's, or that of the credentials. For
 * every backend.
 */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "backend.h"

enum fault { NOBODY, EVENT, CREDENTIALS };

#define EVENT_WITH(members) \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"subject\":" \
	"\"VmPoweredOnEvent\"," \
	"\"time\":\"2026-11-22T10:11:12Z\"" members ",\"data\":{\"a\":1}}"
#define PLAIN EVENT_WITH("")
#define FORGED_TYPE EVENT_WITH(",\"datacontenttype\":\"application/json\\r\\nX-Forged: yes\"")
#define BINARY "{destination: {uri: 'http://b/'}, encoding: binary"
#define STRUCTURED "{destination: {uri: 'http://b/'}, encoding: structured"
#define BASIC ", auth: {type: basic_auth, basicAuth: {username: '%s', password: p}}}\n"
#define GATEWAY "{address: 'http://gw:8080'"
#define INVOKE ", authInvoke: true"
#define AWS \
	"{region: eu-west-1, eventBus: bus, auth: {type: aws_access_key, awsAccessKeyAuth: " \
	"{accessKey: '%s', secretKey: S}}}\n"

static const struct row {
	const char *processor, *yaml;
	size_t credential; /* bytes in place of %s */
	const char *event;
	enum fault fault;
} rows[] = {
	{ "knative", BINARY "}\n", 0, PLAIN, NOBODY },
	{ "knative", BINARY "}\n", 0, FORGED_TYPE, EVENT },
	{ "knative", STRUCTURED "}\n", 0, FORGED_TYPE, NOBODY }, /* JSON escapes it */
	{ "knative", BINARY BASIC, 10, PLAIN, NOBODY },
	{ "knative", BINARY BASIC, 100000, PLAIN, CREDENTIALS },
	{ "knative", STRUCTURED BASIC, 40000, PLAIN, CREDENTIALS },
	{ "knative", BINARY BASIC, 100000, FORGED_TYPE,
		EVENT }, /* it never becomes a request, whatever the credentials */
	{ "openfaas", GATEWAY "}\n", 0, PLAIN, NOBODY },
	{ "openfaas", GATEWAY "}\n", 0, FORGED_TYPE, NOBODY },
	{ "openfaas", GATEWAY INVOKE BASIC, 100000, PLAIN, CREDENTIALS },
	{ "aws_event_bridge", AWS, 10, PLAIN, NOBODY },
	{ "aws_event_bridge", AWS, 100000, PLAIN, CREDENTIALS },
};

static void
check(const struct row *row)
{
	char *credential = mem_alloc(row->credential + 1),
	     *yaml = mem_alloc(strlen(row->yaml) + row->credential + 1);
	struct target target = { .name = (char[]){ "f.ns" } };
	struct event ev;
	const struct event *events = &ev;
	struct backend b;
	int failed;

	memset(credential, 'x', row->credential);
	sprintf(yaml, row->yaml, credential);
	backend_open(&b, processor_find(row->processor), yaml);
	for (const struct refresh *r = b.p->refreshes; r->name != NULL; r++)
		if (strcmp(r->name, "credentials") == 0)
			assert_int_equal(backend_ask(&b, r->name, 0), 1);
	if (strcmp(row->processor, "openfaas") == 0)
		assert_int_equal(backend_ask(&b, "functions", 0), 0); /* reads the password */
	event_init(&ev);
	assert_int_equal(event_parse(&ev, row->event, strlen(row->event), &b.err), 0);
	b.err.code = ERR_NONE;
	failed = b.p->encode(
		b.self, &(struct batch){ &target, &events, 1 }, backend_request(&b), &b.err);
	assert_int_equal(failed == 0             ? NOBODY
			: b.err.code == ERR_AUTH ? CREDENTIALS
						 : EVENT,
		row->fault);
	event_free(&ev);
	backend_close(&b);
	free(credential);
	free(yaml);
}

static void
whose_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i]);
}

/* Bytes that an event cannot bring along in headers: the request's own limits. */
static void
a_request_is_checked_before_it_is_sent(void **state)
{
	struct http_request *req;
	struct http *http;
	struct err err;

	(void)state;
	assert_int_equal(http_open(&http, &err), 0);
	req = http_request_new(http);
	assert_int_equal(http_request_check(req, &err), -1); /* no URL */
	buf_add_str(&req->url, "http://b/");
	assert_int_equal(http_request_check(req, &err), 0);
	for (int i = 0; i < 126; i++) {
		assert_int_equal(http_request_check(req, &err), 0);
		http_header(req, "X-Many", "1");
	}
	http_header(req, "X-Many", "1");
	assert_int_equal(http_request_check(req, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	http_request_free(http, req);
	req = http_request_new(http);
	buf_add_str(&req->url, "http://b/");
	http_header(req, "X-Bad", "a\nb");
	assert_int_equal(http_request_check(req, &err), -1);
	assert_int_equal(err.code, ERR_PROTOCOL);
	http_request_free(http, req);
	http_close(http);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_fault),
		cmocka_unit_test(a_request_is_checked_before_it_is_sent),
	};

	return cmocka_run_group_tests_name("encode_fault", tests, NULL, NULL);
}
