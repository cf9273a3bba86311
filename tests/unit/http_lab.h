// SPDX-License-Identifier: Apache-2.0
/* The HTTP client beside a scripted server. */
#ifndef VCOURIER_TEST_HTTP_LAB_H
#define VCOURIER_TEST_HTTP_LAB_H

#include "http.h"
#include "http_server.h"

struct fixture {
	struct server server;
	struct http *http;
};

static inline void
fixture_start(struct fixture *f, const struct server_answer *script, SSL_CTX *tls)
{
	struct err err;

	*f = (struct fixture){ .server = { .script = script, .tls = tls } };
	server_start(&f->server);
	assert_int_equal(http_open(&f->http, &err), 0);
}

static inline void
fixture_stop(struct fixture *f)
{
	http_close(f->http);
	server_stop(&f->server);
}

static inline struct http_request *
request(struct fixture *f, const char *path)
{
	struct http_request *req = http_request_new(f->http);

	buf_printf(&req->url, "%s://127.0.0.1:%d%s", f->server.tls ? "https" : "http",
		f->server.port, path);
	req->timeout_ms = 10000;
	return req;
}

#endif
