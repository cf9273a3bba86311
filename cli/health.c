// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier health: one GET request and an exit status, for images that have neither shell nor
 * curl.
 */
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "http.h"
#include "stop.h"

enum { TIMEOUT_MS = 3000 };

int health_main(int argc, char **argv);

static int
usage(FILE *to, int code)
{
	fputs("usage: vcourier health [URL]\n\n"
	      "Gets URL (default http://127.0.0.1:8082/readyz) and prints the reply. Exit status: 0 for 2xx, else 1.\n",
		to);
	return code;
}

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

int
health_main(int argc, char **argv)
{
	const char *url = argc > 1 ? argv[1] : "http://127.0.0.1:8082/readyz";
	struct http *http;
	struct err err;
	int code;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return usage(stdout, 0);
	if (argc > 2 || *url == '-')
		return usage(stderr, EXIT_USAGE);
	stop_init();
	if (http_open(&http, &err) != 0) {
		fprintf(stderr, "vcourier: %s\n", err.text);
		return 1;
	}
	code = ask(http, url);
	http_close(http);
	return code;
}
