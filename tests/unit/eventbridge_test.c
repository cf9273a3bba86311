// SPDX-License-Identifier: Apache-2.0
/* EventBridge: options and entries. */
#define _GNU_SOURCE /* mkstemp, popen, setenv */
#include "test.h"

#include "eventbridge_lab.h"

#include <cjson/cJSON.h>

#include "eventbridge.h"

/* ---- options */

static void
options_that_cannot_be(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "{region: nowhere, " KEYS "}", "not an AWS region" },
		{ "{region: eu-west-1, auth: {type: aws_access_key}}", "secretKey" },
		{ "{region: eu-west-1, auth: {type: aws_iam_role, awsAccessKeyAuth: {accessKey: A, secretKey: B}}}",
			"needs auth.type aws_access_key" },
		{ "{region: eu-west-1, eventBus: 'a b'}", "not allowed in a bus name" },
		{ "{region: eu-west-1, eventBus: ''}", "eventBus" },
		{ "{region: eu-west-1, eventBus: 'arn:aws:sns:eu-west-1:1:x'}",
			"not an ARN of an event bus" },
		{ "{region: us-east-1, eventBus: 'arn:aws:events:eu-west-1:1:event-bus/x'}",
			"the bus is in eu-west-1" },
		{ "{region: eu-west-1, ruleARN: something}", "not an ARN of a rule" },
		{ "{region: eu-west-1, ruleARN: '" RULE "r'}",
			"is on bus bus, eventBus is default" },
		{ "{region: us-east-1, eventBus: bus, ruleARN: '" RULE "r'}",
			"is in region eu-west-1" },
		{ "{region: eu-west-1, pattern: {a: {EXISTS: true}}}",
			"pattern: Event pattern is not valid" },
		{ "{region: eu-west-1, endpoint: 'https://x', useFIPS: true}",
			"excludes FIPS" },
		{ "{region: us-iso-east-1, useDualStack: true}", "no dual-stack" },
		{ "{region: eu-west-1, endpointId: nodot}", "not an endpoint ID" },
		{ "{region: eu-west-1, endpointId: a.b, useFIPS: true}", "have no FIPS form" },
		{ "{region: eu-west-1, certFile: /x}", "certFile and keyFile" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		backend_refuses(&processor_eventbridge, rows[i].yaml, rows[i].why);
}

/* ---- entries */

static const char *
text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void
entries_carry_the_event_byte_for_byte(void **state)
{
	const struct event *events[2];
	struct target target = { .name = (char[]){ "" } };
	const cJSON *entry;
	struct event ev;
	struct backend b;
	cJSON *body;

	(void)state;
	open_with(&b, "resources: ['arn:x', 'arn:y'], traceHeader: true");
	backend_event(&ev, event_text);
	events[0] = events[1] = &ev;
	assert_int_equal(b.p->encode(b.self, &(struct batch){ &target, events, 2 },
				 backend_request(&b), &b.err),
		0);
	assert_string_equal(buf_str(&b.req->url), "https://events.eu-west-1.amazonaws.com/");
	assert_non_null(
		strstr(buf_str(&b.req->headers), "Content-Type: application/x-amz-json-1.1\n"));
	assert_non_null(
		strstr(buf_str(&b.req->headers), "X-Amz-Target: AWSEvents.PutEvents\n"));
	assert_non_null(strstr(buf_str(&b.req->headers),
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, "));
	assert_null(strstr(buf_str(&b.req->headers), "SECRET"));
	body = cJSON_Parse(b.req->body);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(body, "Entries")), 2);
	entry = cJSON_GetArrayItem(cJSON_GetObjectItem(body, "Entries"), 1);
	assert_string_equal(text_of(entry, "Detail"), event_text);
	assert_string_equal(text_of(entry, "Source"), "https://vc/sdk");
	assert_string_equal(text_of(entry, "DetailType"), "VmPoweredOnEvent");
	assert_string_equal(text_of(entry, "EventBusName"), "bus");
	/* date -d 2026-11-22T10:11:12Z +%s */
	assert_int_equal((int64_t)cJSON_GetObjectItem(entry, "Time")->valuedouble, 1795342272);
	assert_string_equal(text_of(entry, "TraceHeader"),
		"Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1");
	assert_string_equal(
		cJSON_GetArrayItem(cJSON_GetObjectItem(entry, "Resources"), 1)->valuestring,
		"arn:y");
	/* 14 for Time, source, detail type, detail, resources */
	assert_int_equal(b.p->weight(b.self, &ev), 14 + 14 + 16 + strlen(event_text) + 10);
	assert_int_equal(b.p->weight_max(b.self), 1000 * 1000);
	cJSON_Delete(body);
	event_free(&ev);
	backend_close(&b);
}

static void
global_endpoints(void **state)
{
	struct event ev;
	struct backend b;

	(void)state;
	open_with(&b, "endpointId: abcde.xyz");
	backend_event(&ev, event_text);
	backend_encode(&b, "", &ev);
	assert_string_equal(
		buf_str(&b.req->url), "https://abcde.xyz.endpoint.events.amazonaws.com/");
	assert_non_null(strstr(buf_str(&b.req->headers), "X-Amz-Region-Set: *\n"));
	assert_non_null(strstr(buf_str(&b.req->headers),
		"Authorization: AWS4-ECDSA-P256-SHA256 Credential=AKID/"));
	assert_non_null(strstr(b.req->body, "],\"EndpointId\":\"abcde.xyz\"}"));
	/* rules are the region's */
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_string_equal(buf_str(&b.req->url), "https://events.eu-west-1.amazonaws.com/");
	assert_non_null(strstr(buf_str(&b.req->headers), "Authorization: AWS4-HMAC-SHA256 "));
	event_free(&ev);
	backend_close(&b);
}

static void
other_dialect_in_the_detail(void **state)
{
	struct event ev;
	struct backend b;
	cJSON *body;

	(void)state;
	open_with(&b, "typeStyle: vsphere");
	backend_event(&ev, event_text);
	backend_encode(&b, "", &ev);
	body = cJSON_Parse(b.req->body);
	assert_non_null(strstr(text_of(cJSON_GetObjectItem(body, "Entries")->child, "Detail"),
		"\"type\":\"com.vmware.vsphere.VmPoweredOnEvent.v0\""));
	cJSON_Delete(body);
	event_free(&ev);
	backend_close(&b);
}

static void
large_events_are_refused_or_trimmed(void **state)
{
	struct target target = { .name = (char[]){ "" } };
	char *big = mem_alloc(4000);
	const struct event *events[1];
	struct event ev;
	struct backend b;
	cJSON *body;

	(void)state;
	strcpy(big, event_text);
	strcpy(strstr(big, "12345678901234567890"), "\"");
	memset(big + strlen(big), 'x', 2000);
	strcat(big, "\"}}");
	backend_event(&ev, big);
	events[0] = &ev;
	open_with(&b, "maxRequestBytes: 1024B");
	assert_true(b.p->weight(b.self, &ev) > 2000);
	assert_int_equal(b.p->encode(b.self, &(struct batch){ &target, events, 1 },
				 backend_request(&b), &b.err),
		-1);
	assert_int_equal(b.err.code, ERR_LIMIT);
	backend_close(&b);
	open_with(&b, "maxRequestBytes: 1024B, oversize: trim");
	assert_true(b.p->weight(b.self, &ev) < 1024);
	backend_encode(&b, "", &ev);
	body = cJSON_Parse(b.req->body);
	assert_null(
		strstr(text_of(cJSON_GetObjectItem(body, "Entries")->child, "Detail"), "xxx"));
	assert_non_null(strstr(text_of(cJSON_GetObjectItem(body, "Entries")->child, "Detail"),
		"\"datatrimmed\":\"20"));
	cJSON_Delete(body);
	event_free(&ev);
	free(big);
	backend_close(&b);
}

static void
events_no_bus_would_take(void **state)
{
	static const char *const texts[] = {
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":{}}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"aws.x\",\"type\":\"t\",\"subject\":\"a\",\"data\":{}}",
	};
	struct targets targets = { .target = NULL };
	struct backend b;
	struct event ev;

	(void)state;
	open_with(&b, "");
	for (size_t i = 0; i < COUNT(texts); i++) {
		backend_event(&ev, texts[i]);
		assert_int_equal(b.p->route(b.self, &ev, &targets, &b.err), -1);
		event_free(&ev);
	}
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_that_cannot_be),
		cmocka_unit_test(entries_carry_the_event_byte_for_byte),
		cmocka_unit_test(global_endpoints),
		cmocka_unit_test(other_dialect_in_the_detail),
		cmocka_unit_test(large_events_are_refused_or_trimmed),
		cmocka_unit_test(events_no_bus_would_take),
	};

	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_REGION");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
