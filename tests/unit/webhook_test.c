// SPDX-License-Identifier: Apache-2.0
/*
 * The webhook's pure parts: values of `wrap`, who may send, and requests as messages. Expected
 * forms come from CloudEvents 1.0.2, RFC 6901, RFC 6750 and RFC 7617.
 */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deployment.h"
#include "webhook_auth.h"
#include "webhook_parse.h"

enum { OUT_MAX = 4096, MESSAGE_MAX = 64 * 1024 };

/* ---- wrap */

static const char body[] =
	"{\"a\":{\"b\":\"text \\u00e4\",\"c.d\":1.50,\"e/f\":true,\"m~n\":\"t\",\"\":2},"
	"\"list\":[10,{\"x\":\"y\"},\"z\"],\"none\":null,\"\\u0061b\":\"escaped\",\"nul\":\"\\u0000\"}";

static const struct {
	const char *value, *want; /* NULL: there is none */
} values[] = {
	{ "$.a.b", "text \xc3\xa4" },
	{ "$/a/b", "text \xc3\xa4" },
	{ "$/a/c.d", "1.50" },
	{ "$.a.c.d", NULL },
	{ "$/a/e~1f", "true" },
	{ "$/a/m~0n", "t" },
	{ "$/a/", "2" },
	{ "$.list.0", "10" },
	{ "$.list.1.x", "y" },
	{ "$/list/2", "z" },
	{ "$.list.3", NULL },
	{ "$.list.x", NULL },
	{ "$.ab", "escaped" },
	{ "$.a", NULL },
	{ "$.list", NULL },
	{ "$.none", NULL },
	{ "$.none.x", NULL },
	{ "$.nul", NULL },
	{ "$.missing", NULL },
	{ "$.a.b.c", NULL },
	{ "header:x-event", "push" },
	{ "header:X-Other", NULL },
	{ "com.example.fixed", "com.example.fixed" },
	{ "/a/path", "/a/path" },
};

static void
wrap_reads_the_request(void **state)
{
	static const struct webhook_header headers[] = { { "X-Event", "push" } };
	const struct webhook_content content = { headers, 1, body, sizeof(body) - 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct buf out;
		bool found;

		buf_init(&out, OUT_MAX);
		found = webhook_wrap_read(values[i].value, &content, &out);
		if (found != (values[i].want != NULL) ||
			(found && strcmp(buf_str(&out), values[i].want) != 0))
			fail_msg("%s: %d \"%s\"", values[i].value, found, buf_str(&out));
		buf_free(&out);
	}
}

static void
wrap_values_are_checked(void **state)
{
	static const char *const good[] = { "$.a", "$/a~1b", "$/a//", "text", "header:X" },
				 *const bad[] = { "", "$", "$a", "$.", "$/", "$.a..b", "$.a.",
					 "header:" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (webhook_wrap_check(good[i], &err) != 0)
			fail_msg("%s: %s", good[i], err.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (webhook_wrap_check(bad[i], &err) == 0)
			fail_msg("%s passed", bad[i]);
}

/* ---- authentication */

static const struct {
	bool basic;
	const char *header;
	unsigned status;
} authorizations[] = {
	/* base64 of user:pass:word */
	{ true, "Basic dXNlcjpwYXNzOndvcmQ=", 0 },
	{ true, "basic  dXNlcjpwYXNzOndvcmQ=", 0 },
	{ true, "Basic dXNlcjpwYXNzOndvcmQ", 401 },
	{ true, "Basic dXNlcjpwYXNz", 401 },
	{ true, "Basic dXNlcg==", 401 }, /* user */
	{ true, "Basic ", 401 },
	{ true, "Basic", 401 },
	{ true, "Bearer pass:word", 401 },
	{ true, NULL, 401 },
	{ false, "Bearer pass:word", 0 },
	{ false, "BEARER pass:word", 0 },
	{ false, "Bearer pass:wor", 401 },
	{ false, "Bearer pass:word2", 401 },
	{ false, "Bearerpass:word", 401 },
	{ false, "Bearer ", 401 },
	{ false, "Basic dXNlcjpwYXNzOndvcmQ=", 401 },
	{ false, NULL, 401 },
};

static void
a_sender_authenticates(void **state)
{
	struct webhook_path basic = { .user = (char *)"user",
		.password = { .value = (char *)"pass:word" } };
	struct webhook_path bearer = { .token = { .value = (char *)"pass:word" } },
			    open = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(authorizations) / sizeof(authorizations[0]); i++) {
		unsigned got = webhook_auth_check(authorizations[i].basic ? &basic : &bearer,
			authorizations[i].header, &err);

		if (got != authorizations[i].status)
			fail_msg("row %zu: %u", i, got);
	}
	assert_int_equal(webhook_auth_check(&open, NULL, &err), 0);
	bearer.token = (struct secret){ .file = (char *)"/nonexistent" };
	assert_int_equal(webhook_auth_check(&bearer, "Bearer x", &err), 503);
}

/* ---- requests */

static unsigned
parse(const char *type, const char *text, struct webhook_events *events, struct err *err)
{
	static char *const allowed[] = { (char *)"a.*", (char *)"b", NULL };
	const struct webhook_path path = { .path = (char *)"/webhook",
		.allowed_types = (char **)allowed,
		.wrap = {
			.source = (char *)"/s", .type = (char *)"a.b", .id = (char *)"$.id" } };
	const struct webhook_header header = { "content-type", type };
	const struct webhook_input in = { .path = &path,
		.source = "my hooks",
		.content = { &header, 1, text, strlen(text) },
		.now_us = 0,
		.message_max = MESSAGE_MAX };

	webhook_events_init(events);
	return webhook_parse(&in, events, err);
}

#define CE "application/cloudevents+json"
#define EVENT(type) \
	"{\"type\":\"" type "\",\"specversion\":\"1.0\",\"source\":\"/s s\",\"id\":\"i\"}"

static const struct {
	const char *type, *text;
	unsigned status;
	size_t n;
	const char *subject, *msg_id, *data; /* of the first event; NULL: not checked */
} requests[] = {
	{ CE, EVENT("a.b"), 202, 1, "ce.my=20hooks.a.b", "/s%20s i",
		"{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"/s s\",\"type\":\"a.b\"}" },
	{ CE "; charset=utf-8", EVENT("b"), 202, 1, "ce.my=20hooks.b", NULL, NULL },
	{ "APPLICATION/CloudEvents+JSON", EVENT("a.x*y"), 202, 1, "ce.my=20hooks.a.x=2Ay", NULL,
		NULL },
	{ CE "x", EVENT("b"), 415, 0, NULL, NULL, NULL },
	{ CE, EVENT("b2"), 400, 0, NULL, NULL, NULL },
	{ CE, EVENT("b") "x", 400, 0, NULL, NULL, NULL },
	{ "application/cloudevents-batch+json", "[" EVENT("b") "," EVENT("a.") "]", 202, 2,
		"ce.my=20hooks.b", NULL, NULL },
	{ "application/cloudevents-batch+json", "[1," EVENT("b") ",{}]", 400, 1,
		"ce.my=20hooks.b", NULL, NULL },
	{ "application/cloudevents-batch+json", " [ ] ", 202, 0, NULL, NULL, NULL },
	{ "application/json", "{\"id\":7}", 202, 1, "ce.my=20hooks.a.b", "/s 7",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"/s\",\"type\":\"a.b\","
		"\"time\":\"1970-01-01T00:00:00Z\",\"datacontenttype\":\"application/json\","
		"\"data\":{\"id\":7}}" },
	{ "application/vnd.x+json", "{\"id\":\"\"}", 400, 0, NULL, NULL, NULL },
	{ "", "{\"id\":1}", 415, 0, NULL, NULL, NULL },
};

static void
requests_become_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct webhook_events events;
		struct err err = { .code = ERR_NONE };
		unsigned status = parse(requests[i].type, requests[i].text, &events, &err);

		if (status != requests[i].status || events.n != requests[i].n)
			fail_msg("row %zu: %u, %zu events, %s", i, status, events.n, err.text);
		if (requests[i].subject != NULL)
			assert_string_equal(events.event[0].subject, requests[i].subject);
		if (requests[i].msg_id != NULL)
			assert_string_equal(events.event[0].msg_id, requests[i].msg_id);
		if (requests[i].data != NULL)
			assert_string_equal(events.event[0].data, requests[i].data);
		webhook_events_free(&events);
	}
}

/*
 * Each byte that is not UTF-8 would be written as U+FFFD: an event that was accepted would be
 * too large for the dispatchers.
 */
static void
a_content_type_is_utf8(void **state)
{
	char type[6000] = "application/json; x=";
	struct webhook_header header[] = { { "ce-specversion", "1.0" }, { "ce-id", "1" },
		{ "ce-source", "/s" }, { "ce-type", "t" }, { "content-type", type } };
	const struct webhook_path path = { .path = (char *)"/webhook" };
	const struct webhook_input in = { .path = &path,
		.source = "hooks",
		.content = { header, sizeof(header) / sizeof(header[0]), "{}", 2 },
		.message_max = MESSAGE_MAX };
	struct webhook_events events;
	struct err err;

	(void)state;
	memset(type + strlen(type), 0x80, sizeof(type) - 1 - strlen(type));
	webhook_events_init(&events);
	assert_int_equal(webhook_parse(&in, &events, &err), 400);
	assert_string_equal(err.text, "attribute datacontenttype is not UTF-8 text");
	webhook_events_free(&events);
}

/* A batch of the smallest events: what is counted is at least what they take. */
static void
the_memory_of_events_is_counted(void **state)
{
	struct webhook_events events;
	struct err err;
	size_t taken = 0;
	struct buf text;

	(void)state;
	buf_init(&text, 1024 * 1024);
	for (size_t i = 0; i < WEBHOOK_BATCH_MAX; i++)
		buf_printf(&text, "%c" EVENT("b"), i == 0 ? '[' : ',');
	buf_add_char(&text, ']');
	assert_int_equal(
		parse("application/cloudevents-batch+json", buf_str(&text), &events, &err),
		202);
	for (size_t i = 0; i < events.n; i++)
		taken += malloc_usable_size(events.event[i].subject) +
			malloc_usable_size(events.event[i].msg_id) +
			malloc_usable_size(events.event[i].data);
	taken += malloc_usable_size(events.event);
	assert_in_range(taken, 1, events.bytes);
	assert_in_range(events.bytes, 1, 8 * text.len);
	webhook_events_free(&events);
	assert_int_equal(events.bytes, 0);
	buf_free(&text);
}

/* ---- options */

#define BIND "bindAddress: '127.0.0.1:0'"

static const struct {
	const char *text, *error; /* a part of it; NULL: valid */
} files[] = {
	{ "eventProvider: {type: webhook, name: a, webhook: {}}\n",
		"eventProvider.webhook: bindAddress is missing" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND "}}\n", NULL },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", path: //}}\n",
		"webhook.path: must be the path of a URL" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", path: 'a?b'}}\n",
		"webhook.path: must be the path of a URL" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", auth: {type: "
	  "basic_auth}}}\n",
		"auth: type basic_auth needs the block basicAuth" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", auth: {type: bearer, "
	  "basicAuth: {username: u, password: p}}}}\n",
		"auth: type bearer needs the block bearer" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", paths: [{path: /A/}, "
	  "{path: a}]}}\n",
		"the path /a is given twice" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", paths: [{name: x}]}}\n",
		"path is missing" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", wrap: {type: t}}}\n",
		"wrap: source is missing" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", wrap: {source: s, type: "
	  "'$x'}}}\n",
		"wrap.type: must be $.name or $/name" },
	{ "eventProvider: {type: webhook, name: a, webhook: {" BIND ", certFile: /a}}\n",
		"certFile and keyFile belong together" },
	{ "bus: {subjectPrefix: ce}\neventProvider: {type: webhook, name: a, webhook: {" BIND
	  "}}\n",
		"subjectPrefix: must be letters" },
};

static void
options_are_checked(void **state)
{
	char path[] = "/tmp/webhook_test_XXXXXX";

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *f = fopen(path, "w");
		struct config_errors errors;
		struct deployment d;
		int rc;

		assert_non_null(f);
		fputs(files[i].text, f);
		fclose(f);
		config_errors_init(&errors);
		rc = deployment_load(&d, path, &errors);
		if ((rc == 0) != (files[i].error == NULL) ||
			(rc != 0 && strstr(buf_str(&errors.text), files[i].error) == NULL))
			fail_msg("row %zu: %s", i, buf_str(&errors.text));
		deployment_free(&d);
		config_errors_free(&errors);
	}
	remove(path);
}

/* VMware Event Router: slashes around it are cut, it is served in lower case. */
static void
a_path_is_normalized(void **state)
{
	static const struct {
		const char *given, *path;
	} paths[] = { { "''", "/webhook" }, { "/Events/", "/events" }, { "a/B", "/a/b" },
		{ "//x y//", "/x y" } };
	char file[] = "/tmp/webhook_test_XXXXXX";

	(void)state;
	close(mkstemp(file));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		FILE *f = fopen(file, "w");
		struct config_errors errors;
		struct deployment d;

		assert_non_null(f);
		fprintf(f,
			"eventProvider: {type: webhook, name: a, webhook: {" BIND
			", path: %s}}\n",
			paths[i].given);
		fclose(f);
		config_errors_init(&errors);
		assert_int_equal(deployment_load(&d, file, &errors), 0);
		assert_string_equal(
			webhook_options_path(d.source[0].options, 0)->path, paths[i].path);
		assert_null(webhook_options_path(d.source[0].options, 1));
		deployment_free(&d);
		config_errors_free(&errors);
	}
	remove(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrap_reads_the_request),
		cmocka_unit_test(wrap_values_are_checked),
		cmocka_unit_test(a_sender_authenticates),
		cmocka_unit_test(requests_become_messages),
		cmocka_unit_test(a_content_type_is_utf8),
		cmocka_unit_test(the_memory_of_events_is_counted),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(a_path_is_normalized),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
