// SPDX-License-Identifier: Apache-2.0
/* The reply of a transfer: the parts that are kept, and the result. */
#include "http_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clock.h"
#include "text.h"

/*
 * One header line with its line end. A callback that accepts fewer bytes makes libcurl stop the
 * transfer.
 */
size_t
http_reply_header(char *data, size_t size, size_t n, void *transfer)
{
	struct transfer *t = transfer;
	size_t len = size * n, end = len, name;
	const char *colon;
	char *room;

	t->header_bytes += len;
	if (t->header_bytes > HTTP_HEADERS_MAX) {
		t->headers_cut = true;
		return 0;
	}
	while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
		end--;
	if (end == 0) { /* the block is complete: after a 1xx another one follows */
		long status = 0;

		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->final = status >= 200;
		return len;
	}
	if (end >= 5 && strncasecmp(data, "HTTP/", 5) == 0) {
		buf_clear(&t->headers);
		return len;
	}
	room = buf_room(&t->headers, end + 1);
	if (room == NULL) /* its limit is HTTP_HEADERS_MAX, too */
		return 0;
	colon = memchr(data, ':', end);
	name = colon != NULL ? (size_t)(colon - data) : end;
	for (size_t i = 0; i < name; i++)
		room[i] = data[i] >= 'A' && data[i] <= 'Z' ? (char)(data[i] + 32) : data[i];
	memcpy(room + name, data + name, end - name);
	room[end] = '\n';
	buf_grew(&t->headers, end + 1);
	return len;
}

size_t
http_reply_body(char *data, size_t size, size_t n, void *transfer)
{
	struct transfer *t = transfer;
	size_t len = size * n, room = t->body.max - t->body.len;

	if (t->req.on_body != NULL) {
		if (t->req.on_body(t->req.on_body_ctx, data, len))
			return len;
		t->body_cut = true;
		return 0;
	}
	buf_add(&t->body, data, len < room ? len : room);
	if (len <= room)
		return len;
	/* the limit is reached: the rest is not worth the transfer, however long it is */
	t->body_cut = true;
	return 0;
}

static enum err_code
error_of(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_FAIL_REWIND: /* http_request.once */
	case CURLE_PROXY:
		return ERR_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CLIENTCERT:
		return ERR_TLS;
	default:
		return ERR_PROTOCOL;
	}
}

static void
describe(struct transfer *t, CURLcode result, struct http_response *rsp)
{
	const char *text = t->error[0] != '\0' ? t->error : curl_easy_strerror(result);

	if (t->headers_cut)
		err_set(&rsp->why, ERR_PROTOCOL, "reply headers larger than %d bytes",
			HTTP_HEADERS_MAX);
	else if (result == CURLE_SEND_FAIL_REWIND)
		err_set(&rsp->why, error_of(result), "the connection ended without a reply");
	else
		err_set(&rsp->why, error_of(result), "%s", text);
	for (char *p = rsp->why.text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	/*
	 * behind an https:// proxy OpenSSL drops the reason of a failed handshake, so libcurl
	 * does not know it either
	 */
	if (t->wrong_thumbprint)
		err_set(&rsp->why, ERR_TLS,
			"the certificate's thumbprint is %s, not the configured one",
			t->http->seen_thumbprint);
	else if (t->chain_problem != NULL)
		err_set(&rsp->why, ERR_TLS, "SSL certificate problem: %s", t->chain_problem);
	http_proxy_explain(t, &rsp->why);
}

/* More than a century is a wish too, just not one to compute with. */
#define CENTURY_S INT64_C(3155760000)

/* The last second of the year 9999: curl_getdate reads later years, too. */
#define DATE_MAX ((time_t)253402300799)

/*
 * The Date header. It mostly has the same text as in the reply before, and parsing it is slow.
 */
static int64_t
date_of(struct http *http, const struct http_response *rsp)
{
	char text[sizeof(http->date_text)];
	time_t date;

	if (!http_response_header(rsp, "date", text, sizeof(text)))
		return 0;
	if (strcmp(text, http->date_text) != 0) {
		memcpy(http->date_text, text, sizeof(text));
		date = curl_getdate(text, NULL);
		http->date_us = date > 0 && date <= DATE_MAX ? (int64_t)date * 1000000 : 0;
	}
	return http->date_us;
}

void
http_reply_finish(struct transfer *t, CURLcode result, struct http_response *rsp)
{
	char value[64];
	long n = 0;

	*rsp = (struct http_response){ .retry_after_ms = -1,
		.headers = buf_str(&t->headers),
		.body = buf_str(&t->body),
		.body_len = t->body.len };
	rsp->duration_ms = clock_monotonic_ms() - t->started_ms;
	if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &n) == CURLE_OK)
		rsp->new_connection = n > 0;
	rsp->stream_broken = result == CURLE_HTTP2_STREAM;
	if (result != CURLE_OK)
		describe(t, result, rsp);
	if (!t->final || t->headers_cut) {
		rsp->error = result != CURLE_OK ? rsp->why.code : ERR_PROTOCOL;
		if (result == CURLE_OK)
			err_set(&rsp->why, ERR_PROTOCOL, "no complete reply");
		return;
	}
	/* an incomplete body still has a status: it counts as a reply, and is marked */
	rsp->body_cut = t->body_cut || result != CURLE_OK;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &n);
	/* an http:// request through the proxy: the peer did not receive it */
	if (n == 407 && t->proxy != NULL) {
		err_set(&rsp->why, ERR_CONNECT,
			"the proxy %s refused the request: HTTP 407 (it requires a user name and "
			"password)",
			t->proxy->url);
		rsp->error = rsp->why.code;
		return;
	}
	rsp->status = (int)n;
	rsp->date_us = date_of(t->http, rsp);
	if (http_response_header(rsp, "retry-after", value, sizeof(value)))
		rsp->retry_after_ms = http_parse_retry_after(
			value, rsp->date_us ? rsp->date_us : clock_wall_us());
}

bool
http_response_header(const struct http_response *rsp, const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	for (const char *line = rsp->headers, *end; line != NULL && *line != '\0';
		line = end + 1) {
		const char *value = line + len + 1;
		size_t n;

		end = strchr(line, '\n');
		if (end == NULL)
			return false;
		if ((size_t)(end - line) <= len || line[len] != ':' ||
			memcmp(line, name, len) != 0)
			continue;
		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		n = (size_t)(end - value);
		while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
			n--;
		if (n >= size)
			return false;
		memcpy(buf, value, n);
		buf[n] = '\0';
		return true;
	}
	return false;
}

int64_t
http_parse_retry_after(const char *value, int64_t now_us)
{
	int64_t seconds, us;
	time_t date;

	if (value[0] != '\0' && value[strspn(value, "0123456789")] == '\0') {
		if (!text_int(value, 0, CENTURY_S, &seconds))
			seconds = CENTURY_S;
		return seconds * 1000;
	}
	if (!isalpha((unsigned char)
			    value[0])) /* curl_getdate would parse "-5" and "1.5" as dates */
		return -1;
	date = curl_getdate(value, NULL);
	if (date < 0)
		return -1;
	if (date > now_us / 1000000 + CENTURY_S)
		return CENTURY_S * 1000;
	us = (int64_t)date * 1000000;
	return us > now_us ? (us - now_us) / 1000 : 0;
}
