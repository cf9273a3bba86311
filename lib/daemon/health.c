// SPDX-License-Identifier: Apache-2.0
#include "health.h"

#include <stdio.h>

#include "exit_status.h"
#include "http.h"
#include "printable.h"
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
		printable_line(stderr, "%s: %s: %s", program, url, err.text);
		return EXIT_RUNTIME;
	}
	printf("%d ", rsp.status);
	printable_lines(stdout, rsp.body, rsp.body_len);
	putchar('\n');
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
		printable_line(stderr, "%s: %s", program, err.text);
		return EXIT_RUNTIME;
	}
	code = ask(http, program, url);
	http_close(http);
	return code;
}
