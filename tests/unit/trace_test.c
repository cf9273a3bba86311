// SPDX-License-Identifier: Apache-2.0
/* Which traceparent and tracestate become headers: https://www.w3.org/TR/trace-context/ */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "backend.h"
#include "trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define VALID "00-" TRACE "-" PARENT "-01"

static void
valid_ones_become_headers(void **state)
{
	static const struct {
		const char *parent, *state, *headers;
	} rows[] = {
		{ VALID, NULL, "traceparent: " VALID "\n" },
		{ "00-" TRACE "-" PARENT "-00", NULL,
			"traceparent: 00-" TRACE "-" PARENT "-00\n" },
		{ VALID, "rojo=" PARENT ",congo=t61rcWkgMzE",
			"traceparent: " VALID "\ntracestate: rojo=" PARENT
			",congo=t61rcWkgMzE\n" },
		/* a later version: its first fields are those of version 00 */
		{ "cc-" TRACE "-" PARENT "-01-what-comes", NULL,
			"traceparent: cc-" TRACE "-" PARENT "-01-what-comes\n" },
		{ "cc-" TRACE "-" PARENT "-01.what", NULL, "" },
		{ "cc-" TRACE "-" PARENT "-01-a\\r\\nHost: x", NULL, "" },
		{ "00-" TRACE "-" PARENT "-01-more", NULL, "" },
		{ "ff-" TRACE "-" PARENT "-01", NULL, "" },
		{ "00-00000000000000000000000000000000-" PARENT "-01", NULL, "" },
		{ "00-" TRACE "-0000000000000000-01", NULL, "" },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", NULL, "" },
		{ "00-" TRACE "-" PARENT "-0", NULL, "" },
		{ "00-" TRACE "-" PARENT "-0g", NULL, "" },
		{ "00_" TRACE "-" PARENT "-01", NULL, "" },
		{ "0-" TRACE "-" PARENT "-01", NULL, "" },
		{ "x", "rojo=1", "" },
		{ "", "rojo=1", "" },
		{ VALID, "rojo=1\\r\\nHost: x", "traceparent: " VALID "\n" },
		{ VALID, "rojo=\\u20ac", "traceparent: " VALID "\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char json[1024], more[256] = "";
		struct http_request *req;
		struct http *http;
		struct event ev;
		struct err err;

		if (rows[i].state != NULL)
			snprintf(more, sizeof(more), ",\"tracestate\":\"%s\"", rows[i].state);
		snprintf(json, sizeof(json),
			"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\","
			"\"traceparent\":\"%s\"%s}",
			rows[i].parent, more);
		backend_event(&ev, json);
		assert_int_equal(http_open(&http, &err), 0);
		req = http_request_new(http);
		trace_add_headers(&ev, req);
		assert_string_equal(buf_str(&req->headers), rows[i].headers);
		http_request_free(http, req);
		http_close(http);
		event_free(&ev);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_ones_become_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
