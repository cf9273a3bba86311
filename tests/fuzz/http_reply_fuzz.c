// SPDX-License-Identifier: Apache-2.0
/*
 * Input: header lines of an HTTP reply, as libcurl gives them one by one, a NUL byte, and a
 * value of Retry-After. What is kept is within its bound, one line each, names in lower case;
 * times are sane or absent.
 */
#define _DEFAULT_SOURCE /* strdup, strncasecmp */
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http_internal.h"

#undef curl_easy_getinfo
CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...);

/* The status of the last "HTTP/" line; one connection. */
static long status;

CURLcode
__wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list args;

	(void)easy;
	va_start(args, info);
	*va_arg(args, long *) = info == CURLINFO_RESPONSE_CODE ? status : 1;
	va_end(args);
	return CURLE_OK;
}

/* With its line end, in memory of its own size. */
static bool
feed_line(struct transfer *t, const char *line, size_t len)
{
	char *copy = malloc(len);
	bool taken;

	memcpy(copy, line, len);
	if (!t->final && len > 9 && strncasecmp(line, "HTTP/", 5) == 0)
		status = strtol(line + 9, NULL, 10) % 1000;
	taken = http_reply_header(copy, 1, len, t) == len;
	free(copy);
	return taken;
}

static void
feed(struct transfer *t, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		if (!feed_line(t, text, len))
			return;
		text += len;
	}
}

static void
check(const struct transfer *t, const struct http_response *rsp)
{
	static const char *const names[] = { "date", "retry-after", "x-amzn-errortype", "a" };
	char value[64];
	bool in_name = true;

	assert(t->headers.len <= HTTP_HEADERS_MAX);
	for (const char *p = rsp->headers; *p != '\0'; p++) {
		if (*p == '\n')
			in_name = true;
		else if (*p == ':')
			in_name = false;
		assert(!in_name || !isupper((unsigned char)*p));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (http_response_header(rsp, names[i], value, sizeof(value)))
			assert(strchr(value, '\n') == NULL && strlen(value) < sizeof(value));
	assert(rsp->date_us >= 0 && rsp->retry_after_ms >= -1);
	assert(rsp->error != ERR_NONE || (rsp->status >= 200 && rsp->status < 1000));
	assert(rsp->error == ERR_NONE || rsp->why.text[0] != '\0');
}

static void
check_retry_after(const char *value)
{
	int64_t ms = http_parse_retry_after(value, INT64_C(1700000000) * 1000000);

	assert(ms >= -1 && ms <= INT64_C(3155760000000));
	if (*value != '\0' && strlen(value) < 10 &&
		strspn(value, "0123456789") == strlen(value))
		assert(ms == strtoll(value, NULL, 10) * 1000);
}

static bool
take_body(void *n, const char *data, size_t len)
{
	(void)data;
	return (*(size_t *)n += len) < 10;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http http;
	struct transfer t = { .http = &http };
	struct http_response rsp;
	struct fuzz_parts parts;
	size_t len, streamed = 0;
	const char *body;

	status = 0;
	buf_init(&t.headers, HTTP_HEADERS_MAX);
	buf_init(&t.body, 64);
	fuzz_parts_init(&parts, data, size);
	feed(&t, fuzz_part(&parts));
	check_retry_after(fuzz_part(&parts));
	body = fuzz_rest(&parts, &len);
	if (len % 2 == 1) {
		t.req.on_body = take_body;
		t.req.on_body_ctx = &streamed;
	}
	http_reply_body((char *)(uintptr_t)body, 1, len, &t);
	assert(t.body.len <= 64);
	http_reply_finish(&t, (CURLcode)(len % 100), &rsp);
	check(&t, &rsp);
	buf_free(&t.headers);
	buf_free(&t.body);
	fuzz_parts_free(&parts);
	return 0;
}
