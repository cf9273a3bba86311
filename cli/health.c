// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier health: one GET request and an exit status, for images that have neither shell nor
 * curl.
 */
#include <stdio.h>

#include "command_list.h"
#include "http.h"
#include "stop.h"

enum { TIMEOUT_MS = 3000 };

static int
ask(struct http *http, const char *url)
{
	static const struct http_peer direct = { .proxy = "" };
	struct http_request *req = http_request_new(http);
	struct http_response rsp;
	struct err err;

	buf_add_str(&req->url, url);
	req->peer = &direct;
	req->timeout_ms = TIMEOUT_MS;
	if (http_perform(http, req, &rsp, &err) != 0) {
		fprintf(stderr, "vcourier: %s: %s\n", url, err.text);
		return 1;
	}
	printf("%d %s\n", rsp.status, rsp.body);
	return rsp.status / 100 == 2 ? 0 : 1;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct http *http;
	struct err err;
	int code;

	(void)values;
	stop_init();
	if (http_open(&http, &err) != 0) {
		fprintf(stderr, "vcourier: %s\n", err.text);
		return EXIT_RUNTIME;
	}
	code = ask(http, n_args > 0 ? args[0] : "http://127.0.0.1:8082/readyz");
	http_close(http);
	return code;
}

static const struct command_option options[] = { { NULL } };

static const struct command_exit exits[] = { { 0, "ready (2xx)" }, { 1, "not ready" },
	{ EXIT_USAGE, "wrong usage" }, { 0, NULL } };

const struct command health_command = { .program = "vcourier",
	.name = "health",
	.summary = "ask a metrics port whether its process is ready",
	.arguments = "[URL]",
	.args_max = 1,
	.options = options,
	.about =
		"Gets URL (default http://127.0.0.1:8082/readyz) and prints the reply: for health "
		"checks of containers that have neither shell nor curl.",
	.exits = exits,
	.run = run };
