// SPDX-License-Identifier: Apache-2.0
/* Converts a request from the caller's form to libcurl's options. */
#include "base64.h"
#include "http_internal.h"

#include <string.h>
#include <strings.h>

#include "mem.h"

enum {
	TIMEOUT_MS = 30 * 1000,
	CONNECT_TIMEOUT_MS = 5 * 1000,
	/*
	 * shorter than the idle limit of the usual load balancers (60 s), so that the peer
	 * never closes first
	 */
	CONNECTION_IDLE_S = 50,
	/* so that a moved service is found, and a rotated certificate is used */
	CONNECTION_LIFE_S = 120,
	REPLY_BUFFER =
		1024, /* each transfer has such a buffer, and a delivery's reply is short */
	STREAM_BUFFER = 64 * 1024, /* for on_body: few, large replies */
	/* libcurl sends "Expect: 100-continue" with a body of more than 1 MiB */
	EXPECT_BYTES = 256 * 1024,
};

void
http_header(struct http_request *req, const char *name, const char *value)
{
	struct transfer *t = (struct transfer *)req;

	if (strpbrk(name, "\r\n:; ") != NULL || name[0] == '\0' ||
		strpbrk(value, "\r\n") != NULL)
		t->bad_header = true;
	/* libcurl's notation: "name;" sends a header without a value, "name:" removes it */
	buf_add_str(&req->headers, name);
	buf_add_str(&req->headers, value[0] != '\0' ? ": " : ";");
	buf_add_str(&req->headers, value);
	buf_add_char(&req->headers, '\n');
}

void
http_basic_auth(struct http_request *req, const char *user, const char *password)
{
	struct buf plain, coded;

	buf_init(&plain, HTTP_REQUEST_HEADERS_MAX / 2);
	buf_init(&coded, HTTP_REQUEST_HEADERS_MAX);
	buf_printf(&plain, "%s:%s", user, password);
	buf_add_str(&coded, "Basic ");
	base64_encode(&coded, plain.data, plain.len);
	if (!buf_ok(&plain) || !buf_ok(&coded))
		((struct transfer *)req)->bad_header = true; /* too long to be sent */
	http_header(req, "Authorization", buf_str(&coded));
	mem_wipe(plain.data, plain.len);
	mem_wipe(coded.data, coded.len);
	buf_free(&plain);
	buf_free(&coded);
}

static size_t
count_lines(const struct buf *headers)
{
	size_t n = 0;

	for (const char *p = headers->data; p != NULL && (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

int
http_request_check(const struct http_request *req, struct err *err)
{
	if (((const struct transfer *)req)->bad_header)
		return err_set(err, ERR_PROTOCOL,
			"a header of the request has a line break or is too long");
	if (!buf_ok(&req->headers))
		return err_set(err, ERR_LIMIT, "the request headers are larger than %d bytes",
			HTTP_REQUEST_HEADERS_MAX);
	if (count_lines(&req->headers) > HTTP_HEADER_LINES_MAX - 2)
		return err_set(err, ERR_LIMIT, "more than %d request headers",
			HTTP_HEADER_LINES_MAX - 2);
	if (!buf_ok(&req->url) || req->url.len == 0)
		return err_set(err, ERR_PROTOCOL, "the URL is empty or too long");
	if (!buf_ok(&req->own_body))
		return err_set(err, ERR_LIMIT, "the event is too large for a request");
	return 0;
}

/*
 * The request's header lines as the list that libcurl needs, without copying: line ends become
 * NULs. An empty "Expect:" and "Content-Type:" keep libcurl from adding its own. It compares
 * each line with a dozen names, so they are left out where it would add none.
 */
static void
set_headers(struct transfer *t)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
	size_t most = 2 + count_lines(&t->req.headers), n = 0;
	char *end, *line = t->req.headers.data;
	bool has_type = false;

	if (most > t->cap_lines) {
		t->line = mem_grow(t->line, most, sizeof(*t->line));
		t->cap_lines = most;
	}
	for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		has_type = has_type || strncasecmp(line, no_type, sizeof(no_type) - 1) == 0;
		t->line[n++].data = line;
	}
	if (t->req.body_len > EXPECT_BYTES)
		t->line[n++].data = no_expect;
	if (!has_type)
		t->line[n++].data = no_type;
	for (size_t i = 0; i < n; i++)
		t->line[i].next = i + 1 < n ? &t->line[i + 1] : NULL;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, n > 0 ? t->line : NULL);
}

/* Without a function to go back, libcurl cannot repeat the request: see http_request.once. */
static size_t
read_body(char *out, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t left = t->req.body_len - t->body_read;
	size_t len = size * n < left ? size * n : left;

	memcpy(out, t->req.body + t->body_read, len);
	t->body_read += len;
	return len;
}

static void
set_method(struct transfer *t)
{
	const struct http_request *req = &t->req;
	const char *method = req->method ? req->method : req->body ? "POST" : "GET";
	const char *usual = "GET"; /* libcurl's own for these settings; it copies another */

	if (req->body != NULL || strcmp(method, "POST") == 0) {
		curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(
			t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
		if (req->once) {
			t->body_read = 0;
			curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, read_body);
			curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
		} else {
			curl_easy_setopt(
				t->easy, CURLOPT_POSTFIELDS, req->body ? req->body : "");
		}
		usual = "POST";
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
		usual = method;
	} else {
		curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(
		t->easy, CURLOPT_CUSTOMREQUEST, strcmp(method, usual) == 0 ? NULL : method);
}

static void
set_limits(struct transfer *t)
{
	const struct http_request *req = &t->req;
	int64_t connect = req->peer != NULL ? req->peer->connect_timeout_ms : 0;
	bool gzip = req->peer == NULL || !req->peer->no_compression;
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
		(long)(req->timeout_ms > 0 ? req->timeout_ms : TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(connect > 0 ? connect : CONNECT_TIMEOUT_MS));
	curl_easy_setopt(
		easy, CURLOPT_BUFFERSIZE, (long)(req->on_body ? STREAM_BUFFER : REPLY_BUFFER));
	/* never h2c: libcurl 7.88 breaks every reuse of such a connection (curl issue 10634) */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		(long)(req->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, t->plain || req->http1 ? 0L : 1L);
	if (gzip != t->gzip)
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, gzip ? "gzip" : NULL);
	t->gzip = gzip;
}

void
http_request_prepare(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "vcourier/" VCOURIER_VERSION);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

/* libcurl would parse the URL again for each request: a tenth of a request's cost. */
static void
set_url(struct transfer *t)
{
	const char *url = buf_str(&t->req.url);

	if (strcmp(url, buf_str(&t->url_text)) == 0)
		return;
	buf_clear(&t->url_text);
	curl_easy_setopt(t->easy, CURLOPT_CURLU, NULL);
	curl_easy_setopt(t->easy, CURLOPT_URL, url);
	if (t->url == NULL)
		t->url = curl_url();
	/* a URL that cannot be parsed makes the transfer fail */
	if (t->url == NULL || curl_url_set(t->url, CURLUPART_URL, url, 0) != CURLUE_OK)
		return;
	curl_easy_setopt(t->easy, CURLOPT_CURLU, t->url);
	buf_add_str(&t->url_text, url);
}

int
http_request_setup(struct transfer *t, struct err *err)
{
	if (http_request_check(&t->req, err) != 0)
		return -1;
	set_headers(t);
	set_method(t);
	set_limits(t);
	set_url(t);
	return 0;
}
