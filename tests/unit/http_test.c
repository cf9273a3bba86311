// SPDX-License-Identifier: Apache-2.0
/* HTTP client against a scripted server: what comes back, what is bounded, what is reused. */
#include "test.h"

#include <signal.h>

#include "clock.h"
#include "http_lab.h"
#include "mem.h"
#include "stop.h"

#define OK "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"

static const struct server_answer script[] = {
	{ "/ok", OK, THEN_NEXT_REQUEST, NULL },
	{ "/retry",
		"HTTP/1.1 503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n"
		"Content-Length: 0\r\n\r\n",
		THEN_NEXT_REQUEST, NULL },
	{ "/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
		THEN_NEXT_REQUEST, NULL },
	{ "/early-hints",
		"HTTP/1.1 103 Early\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-B:  2 \r\nContent-Length: 0\r\n\r\n",
		THEN_NEXT_REQUEST, NULL },
	{ "/204", "HTTP/1.1 204 No Content\r\n\r\n", THEN_NEXT_REQUEST, NULL },
	{ "/endless-body", "HTTP/1.1 200 OK\r\n\r\n", THEN_REPEAT,
		"0123456789abcdef0123456789abcdef" },
	{ "/endless-headers", "HTTP/1.1 200 OK\r\n", THEN_REPEAT,
		"X-Filler: 0123456789abcdef0123456789abcdef\r\n" },
	{ "/endless-1xx", "", THEN_REPEAT, "HTTP/1.1 103 Early\r\nX: y\r\n\r\n" },
	{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", THEN_CLOSE,
		NULL },
	{ "/garbage", "\x16\x03\x01 what is this\r\n\r\n", THEN_CLOSE, NULL },
	{ "/nothing", "", THEN_CLOSE, NULL },
	{ "/silence", "", THEN_SILENCE, NULL },
	{ "/stuck-body", "HTTP/1.1 500 Oops\r\nContent-Length: 50\r\n\r\nhalf", THEN_SILENCE,
		NULL },
	{ NULL, NULL, THEN_CLOSE, NULL },
};

static void
replies(void **state)
{
	static const struct {
		const char *path;
		int status;
		enum err_code error;
		const char *body;
		bool cut;
		int64_t timeout_ms;
	} rows[] = {
		{ "/ok", 202, ERR_NONE, "ok", false, 0 },
		{ "/redirect", 302, ERR_NONE, "", false, 0 },
		{ "/early-hints", 200, ERR_NONE, "", false, 0 },
		{ "/204", 204, ERR_NONE, "", false, 0 },
		{ "/short", 200, ERR_NONE, "only this", true, 0 },
		{ "/stuck-body", 500, ERR_NONE, "half", true, 300 },
		{ "/endless-body", 200, ERR_NONE, NULL, true, 0 },
		{ "/endless-headers", 0, ERR_PROTOCOL, "", false, 0 },
		{ "/endless-1xx", 0, ERR_PROTOCOL, "", false, 0 },
		{ "/garbage", 0, ERR_PROTOCOL, "", false, 0 },
		{ "/nothing", 0, ERR_CONNECT, "", false, 0 },
		{ "/silence", 0, ERR_TIMEOUT, "", false, 300 },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, script, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_request *req = request(&f, rows[i].path);
		struct http_response rsp;
		struct err err;

		if (rows[i].timeout_ms > 0)
			req->timeout_ms = rows[i].timeout_ms;
		assert_int_equal(http_perform(f.http, req, &rsp, &err),
			rows[i].error == ERR_NONE ? 0 : -1);
		assert_int_equal(rsp.error, rows[i].error);
		assert_int_equal(rsp.status, rows[i].status);
		assert_int_equal(rsp.body_cut, rows[i].cut);
		if (rows[i].body != NULL)
			assert_string_equal(rsp.body, rows[i].body);
		else
			assert_int_equal(rsp.body_len, 64 * 1024);
		assert_int_equal(http_in_flight(f.http), 0);
	}
	fixture_stop(&f);
}

static void
headers_of_the_final_reply_only(void **state)
{
	struct fixture f;
	struct http_response rsp;
	struct err err;
	char value[32];

	(void)state;
	fixture_start(&f, script, NULL);
	assert_int_equal(http_perform(f.http, request(&f, "/early-hints"), &rsp, &err), 0);
	assert_true(http_response_header(&rsp, "x-b", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_false(http_response_header(&rsp, "x-a", value, sizeof(value)));
	assert_false(http_response_header(&rsp, "x-b", value, 1));
	assert_int_equal(http_perform(f.http, request(&f, "/retry"), &rsp, &err), 0);
	assert_int_equal(rsp.retry_after_ms, 120000); /* by the peer's clock, not ours */
	assert_int_equal(rsp.date_us, INT64_C(784111777000000));
	fixture_stop(&f);
}

/*
 * The connection is reused and ends without a reply: libcurl would repeat the request. libcurl
 * 8.14.1-2+deb13u7 then fails all later requests of the same handle without sending them.
 */
static void
a_request_that_is_sent_once(void **state)
{
	struct fixture f;
	struct http_response rsp;
	struct err err;

	(void)state;
	fixture_start(&f, script, NULL);
	for (int i = 0; i < 4; i++) {
		struct http_request *req = request(&f, i % 2 == 0 ? "/ok" : "/nothing");
		int rc;

		req->once = true;
		req->body = "{\"a\":1}";
		req->body_len = 7;
		rc = http_perform(f.http, req, &rsp, &err);
		assert_int_equal(rc, i % 2 == 0 ? 0 : -1);
		if (rc != 0)
			assert_int_equal(err.code, ERR_CONNECT);
		assert_int_equal(f.server.requests, i + 1);
		assert_non_null(strstr(f.server.last_request, "\r\n\r\n{\"a\":1}"));
	}
	fixture_stop(&f);
}

static void
requests_as_written(void **state)
{
	struct fixture f;
	struct http_response rsp;
	struct http_request *req;
	struct err err;

	(void)state;
	fixture_start(&f, script, NULL);
	for (int i = 0; i < 5; i++) { /* one connection for all */
		req = request(&f, "/ok");
		req->body = "{\"a\":1}";
		req->body_len = 7;
		http_header(req, "X-Empty", "");
		http_basic_auth(req, "Aladdin", "open sesame");
		if (i == 0)
			http_header(req, "Content-Type", "application/json");
		assert_int_equal(http_perform(f.http, req, &rsp, &err), 0);
		assert_int_equal(rsp.new_connection, i == 0);
		assert_non_null(strstr(f.server.last_request, "POST /ok HTTP/1.1\r\n"));
		assert_non_null(strstr(f.server.last_request, "\r\nX-Empty:\r\n"));
		/* RFC 7617 section 2 */
		assert_non_null(strstr(f.server.last_request,
			"\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
		assert_null(strstr(f.server.last_request, "Expect"));
		assert_int_equal(
			strstr(f.server.last_request, "Content-Type: ") != NULL, i == 0);
		assert_non_null(strstr(f.server.last_request, "\r\n\r\n{\"a\":1}"));
	}
	assert_int_equal(f.server.connections, 1);
	req = request(&f, "/ok");
	http_header(req, "X-Evil", "a\r\nX-Injected: b");
	assert_int_equal(http_perform(f.http, req, &rsp, &err), -1);
	assert_int_equal(err.code, ERR_PROTOCOL);
	req = http_request_new(f.http);
	buf_add_str(&req->url, "file:///etc/passwd");
	assert_int_equal(http_perform(f.http, req, &rsp, &err), -1);
	assert_int_equal(f.server.requests, 5);
	fixture_stop(&f);
}

/* Handles are used again: what one request asked for is no part of the next. */
static void
requests_inherit_nothing(void **state)
{
	static const struct http_peer picky = { .no_compression = true, .proxy = "" };
	static const struct {
		const char *method, *body;
		const struct http_peer *peer;
		const char *line, *length;
		bool gzip;
	} rows[] = {
		{ NULL, "{}", NULL, "POST /ok HTTP/1.1\r\n", "\r\nContent-Length: 2\r\n",
			true },
		{ NULL, NULL, &picky, "GET /ok HTTP/1.1\r\n", NULL, false },
		{ "PUT", "123", NULL, "PUT /ok HTTP/1.1\r\n", "\r\nContent-Length: 3\r\n",
			true },
		{ "HEAD", NULL, NULL, "HEAD /204 HTTP/1.1\r\n", NULL, true },
		{ "POST", NULL, &picky, "POST /ok HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n",
			false },
		{ NULL, NULL, NULL, "GET /ok HTTP/1.1\r\n", NULL, true },
		{ "DELETE", NULL, NULL, "DELETE /ok HTTP/1.1\r\n", NULL, true },
		{ NULL, "{}", NULL, "POST /ok HTTP/1.1\r\n", "\r\nContent-Length: 2\r\n",
			true },
	};
	struct fixture f;
	struct http_response rsp;
	struct err err;

	(void)state;
	fixture_start(&f, script, NULL);
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct http_request *req = request(
			&f, strstr(rows[r].line, "/204") ? "/204" : "/ok");

		req->method = rows[r].method;
		req->body = rows[r].body;
		req->body_len = rows[r].body ? strlen(rows[r].body) : 0;
		req->peer = rows[r].peer;
		assert_int_equal(http_perform(f.http, req, &rsp, &err), 0);
		assert_non_null(strstr(f.server.last_request, rows[r].line));
		assert_int_equal(strstr(f.server.last_request, "Content-Length:") != NULL,
			rows[r].length != NULL);
		if (rows[r].length != NULL)
			assert_non_null(strstr(f.server.last_request, rows[r].length));
		assert_int_equal(strstr(f.server.last_request, "Accept-Encoding: gzip") != NULL,
			rows[r].gzip);
	}
	fixture_stop(&f);
}

static void
count_done(void *ctx, const struct http_response *rsp)
{
	unsigned *n = ctx;

	assert_int_equal(rsp->error, ERR_CONNECT);
	(*n)++;
}

static void
many_at_once_and_closing_with_some_left(void **state)
{
	struct fixture f;
	struct err err;
	unsigned done = 0;
	int listener = socket(AF_INET, SOCK_STREAM, 0); /* bound, not listening: refuses */
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	(void)state;
	fixture_start(&f, script, NULL);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	getsockname(listener, (struct sockaddr *)&addr, &len);
	for (int i = 0; i < 100; i++) {
		struct http_request *req = http_request_new(f.http);

		buf_printf(&req->url, "http://127.0.0.1:%d/", ntohs(addr.sin_port));
		assert_int_equal(http_submit(f.http, req, count_done, &done, &err), 0);
	}
	assert_int_equal(http_in_flight(f.http), 100);
	while (done < 100)
		assert_int_equal(http_run(f.http, 1000, &err), 0);
	assert_int_equal(
		http_submit(f.http, request(&f, "/silence"), count_done, &done, &err), 0);
	http_wakeup(f.http);
	assert_int_equal(http_run(f.http, 60000, &err), 0);
	close(listener);
	fixture_stop(&f); /* with one under way: no callback */
	assert_int_equal(done, 100);
}

static void
perform_stops_and_still_says_goodbye(void **state)
{
	struct fixture f;
	struct http_response rsp;
	struct err err;

	(void)state;
	fixture_start(&f, script, NULL);
	stop_init();
	stop_request();
	assert_int_equal(http_perform(f.http, request(&f, "/ok"), &rsp, &err), 0);
	assert_int_equal(rsp.status, 202);
	fixture_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
		cmocka_unit_test(headers_of_the_final_reply_only),
		cmocka_unit_test(a_request_that_is_sent_once),
		cmocka_unit_test(requests_as_written),
		cmocka_unit_test(requests_inherit_nothing),
		cmocka_unit_test(many_at_once_and_closing_with_some_left),
		/* last: there is no way back */
		cmocka_unit_test(perform_stops_and_still_says_goodbye),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
