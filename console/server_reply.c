// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* MHD wants the socket types */
#include "server_reply.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { STREAM_BLOCK = 16 * 1024 };

static const char *const headers[][2] = {
	{ "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
		"require-trusted-types-for 'script'" },
	{ "X-Frame-Options", "DENY" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Permissions-Policy", "camera=(), geolocation=(), microphone=()" },
};

static void
add_headers(struct MHD_Response *response, const struct server_reply *reply, bool https)
{
	char seconds[16];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	if (https)
		MHD_add_response_header(
			response, "Strict-Transport-Security", "max-age=31536000");
	MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(
		response, "Cache-Control", reply->etag != NULL ? "no-cache" : "no-store");
	if (reply->etag != NULL)
		MHD_add_response_header(response, "ETag", reply->etag);
	if (reply->cookie[0] != '\0')
		MHD_add_response_header(response, "Set-Cookie", reply->cookie);
	if (reply->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%d", reply->retry_after_s);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
}

/* What a stream has appended and MHD has not taken. */
struct streaming {
	struct server_stream stream;
	struct buf part;
	size_t at;
};

static ssize_t
read_stream(void *ctx, uint64_t position, char *out, size_t max)
{
	struct streaming *s = ctx;
	size_t n;

	(void)position;
	if (s->at == s->part.len) {
		buf_clear(&s->part);
		s->at = 0;
		if (!s->stream.next(s->stream.ctx, &s->part) || s->part.len == 0)
			return MHD_CONTENT_READER_END_OF_STREAM;
	}
	n = s->part.len - s->at < max ? s->part.len - s->at : max;
	memcpy(out, s->part.data + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void
free_stream(void *ctx)
{
	struct streaming *s = ctx;

	s->stream.close(s->stream.ctx);
	buf_free(&s->part);
	free(s);
}

static struct MHD_Response *
new_stream(const struct server_stream *stream)
{
	struct streaming *s = mem_alloc(sizeof(*s));

	s->stream = *stream;
	buf_init(&s->part, 1024 * 1024);
	return MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, s, free_stream);
}

static struct MHD_Response *
new_response(struct server_reply *reply)
{
	size_t len;
	char *text;

	if (reply->stream.next != NULL)
		return new_stream(&reply->stream);
	if (reply->fixed != NULL)
		return MHD_create_response_from_buffer(reply->fixed_len,
			(void *)(uintptr_t)reply->fixed, MHD_RESPMEM_PERSISTENT);
	if (!buf_ok(&reply->body)) {
		buf_clear(&reply->body);
		buf_add_str(&reply->body, "{\"error\":\"the answer is too large\"}");
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	text = buf_take(&reply->body, &len);
	return MHD_create_response_from_buffer(
		len, text != NULL ? text : mem_alloc(1), MHD_RESPMEM_MUST_FREE);
}

struct MHD_Response *
server_reply_make(struct server_reply *reply, bool https)
{
	struct MHD_Response *response = new_response(reply);

	if (response != NULL)
		add_headers(response, reply, https);
	return response;
}
