// SPDX-License-Identifier: Apache-2.0
#include "health.h"

#include <stdio.h>

#include "exit_status.h"
#include "http.h"
#include "stop.h"

enum { TIMEOUT_MS = 3000 };

static int
ask(struct http *http, const char *program, const char *url)
{
	static const struct http_peer direct = { .proxy = "" };
	struct http_request *req = http_request_new(http);
	struct http_response rsp;
	struct err err;

	buf_add_str(&req->url, url);
	req->peer = &direct;
	req->timeout_ms = TIMEOUT_MS;
	if (http_perform(http, req, &rsp, &err) != 0) {
		fprintf(stderr, "%s: %s: %s\n", program, url, err.text);
		return EXIT_RUNTIME;
	}
	printf("%d %s\n", rsp.status, rsp.body);
	return rsp.status / 100 == 2 ? 0 : EXIT_RUNTIME;
}

int
health_ask(const char *program, const char *url)
{
	struct http *http;
	struct err err;
	int code;

	stop_init();
	if (http_open(&http, &err) != 0) {
		fprintf(stderr, "%s: %s\n", program, err.text);
		return EXIT_RUNTIME;
	}
	code = ask(http, program, url);
	http_close(http);
	return code;
}
