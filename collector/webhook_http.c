// SPDX-License-Identifier: Apache-2.0
/* One request of the webhook, from its headers to its answer. In libmicrohttpd's thread. */
#define _GNU_SOURCE /* MHD wants the socket types */
#include "webhook_http.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connections.h"
#include "hash.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "status_http.h"
#include "text.h"
#include "webhook_auth.h"
#include "webhook_metrics.h"
#include "webhook_parse.h"
#include "webhook_server_internal.h"

enum {
	/*
	 * A body that is not wanted is read up to this size, because a sender that is still
	 * writing when the connection is closed does not see the answer.
	 */
	DISCARD_MAX = 16 * 1024 * 1024,
	REPLY_MAX = 2 * 1024 * 1024,
};

#define RETRY_AFTER "5" /* seconds */

static const char too_many[] = "too many requests at once";

static const char *
header(const struct webhook_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* ---- the headers */

static enum MHD_Result
add_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct webhook_request *r = cls;

	(void)kind;
	if (value == NULL)
		return MHD_YES;
	if (r->n_headers == WEBHOOK_HEADERS_MAX) {
		r->status = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
		err_set(&r->why, ERR_LIMIT, "more than %d headers", WEBHOOK_HEADERS_MAX);
		return MHD_NO;
	}
	r->header[r->n_headers++] = (struct webhook_header){ name, value };
	return MHD_YES;
}

static const struct webhook_path *
find_path(const struct webhook_options *o, const char *url)
{
	const struct webhook_path *p;
	size_t len = strlen(url);

	while (len > 1 && url[len - 1] == '/')
		len--;
	for (size_t i = 0; (p = webhook_options_path(o, i)) != NULL; i++)
		if (strlen(p->path) == len && memcmp(p->path, url, len) == 0)
			return p;
	return NULL;
}

static void
refuse(struct webhook_request *r, unsigned status, const char *why)
{
	r->status = status;
	err_set(&r->why, ERR_PROTOCOL, "%s", why);
}

static void
check_length(struct webhook_request *r)
{
	const char *text = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t length = 0;

	if (text != NULL && !text_int(text, 0, INT64_MAX, &length))
		length = INT64_MAX;
	if (length <= r->path->max_bytes)
		return;
	r->status = MHD_HTTP_CONTENT_TOO_LARGE;
	err_set(&r->why, ERR_LIMIT, "the body has more than %lld bytes",
		(long long)r->path->max_bytes);
}

/* Decides what can be decided before the body is read. */
static void
check_headers(struct webhook_request *r, const char *method)
{
	unsigned auth;

	if (r->path == NULL) {
		refuse(r, MHD_HTTP_NOT_FOUND, "there is no such path");
		return;
	}
	if (strcmp(method, "OPTIONS") == 0) {
		r->status = MHD_HTTP_OK;
		return;
	}
	auth = webhook_auth_check(r->path, header(r, "Authorization"), &r->why);
	if (auth == MHD_HTTP_UNAUTHORIZED) {
		refuse(r, auth, "the credentials are missing or wrong");
	} else if (auth != 0) {
		log_error("webhook: the secret of a path cannot be read",
			L_STR("path", r->path->path), L_ERR(&r->why));
		refuse(r, auth, "not ready");
	} else if (strcmp(method, "POST") != 0) {
		refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, "the method must be POST");
	} else {
		check_length(r);
	}
}

static struct webhook_request *
begin(struct webhook_listener *listener, struct MHD_Connection *connection, const char *url,
	const char *method)
{
	struct webhook_request *r = mem_alloc(sizeof(*r));

	r->listener = listener;
	r->connection = connection;
	r->fd = status_http_fd(connection);
	r->path = find_path(listener->server->options, url);
	buf_init(&r->body, r->path != NULL ? (size_t)r->path->max_bytes : 0);
	webhook_events_init(&r->events);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, r);
	if (r->status == 0)
		check_headers(r, method);
	connections_touch(listener->server->connections, r->fd, clock_monotonic_ms());
	return r;
}

/* The sender has not begun the body, or it is too large to be read for nothing. */
static bool
answers_at_once(const struct webhook_request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t bytes = 0;

	if (header(r, MHD_HTTP_HEADER_EXPECT) != NULL)
		return true;
	return length != NULL && !text_int(length, 0, DISCARD_MAX, &bytes);
}

/* ---- the body */

/* False: close the connection, no answer is possible. */
static bool
take_body(struct webhook_request *r, const char *data, size_t len)
{
	if (r->status == 0 && !webhook_server_reserve(r, len))
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, too_many);
	if (r->status == 0) {
		buf_add(&r->body, data, len);
		if (buf_ok(&r->body))
			return true;
		r->status = MHD_HTTP_CONTENT_TOO_LARGE;
		err_set(&r->why, ERR_LIMIT, "the body has more than %lld bytes",
			(long long)r->path->max_bytes);
	}
	buf_free(&r->body);
	r->discarded += len;
	return r->discarded <= DISCARD_MAX;
}

static void
parse(struct webhook_request *r)
{
	struct webhook_server *s = r->listener->server;
	uint64_t seed = (uint64_t)clock_wall_us() ^ (uint64_t)(uintptr_t)r;
	struct webhook_input in = { .path = r->path,
		.source = s->source,
		.content = { r->header, r->n_headers, buf_str(&r->body), r->body.len },
		.now_us = clock_wall_us(),
		.random = hash_splitmix64(&seed) };
	unsigned status;

	pthread_mutex_lock(&s->lock);
	in.message_max = s->message_max;
	if (!s->ready)
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, "events cannot be stored now");
	pthread_mutex_unlock(&s->lock);
	if (r->status != 0)
		return;
	status = webhook_parse(&in, &r->events, &r->why);
	buf_free(&r->body);
	if (!webhook_server_recount(r, r->events.bytes)) {
		webhook_events_free(&r->events);
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, too_many);
	} else if (r->events.n > 0)
		r->accepted = status;
	else
		r->status = status;
}

/* ---- the answer */

static void
write_reply(const struct webhook_request *r, struct buf *out)
{
	buf_add_char(out, '{');
	if (r->accepted != 0 && r->status == r->accepted)
		buf_printf(out, "\"accepted\":%zu", r->events.n);
	else if (r->status == MHD_HTTP_ACCEPTED ||
		(r->events.n_refused > 0 && r->status == MHD_HTTP_BAD_REQUEST))
		buf_add_str(out, "\"accepted\":0");
	else
		json_add_member(out, "error", r->why.text);
	if (r->events.n_refused > 0 && r->status == MHD_HTTP_BAD_REQUEST) {
		buf_add_str(out, ",\"refused\":[");
		buf_add(out, buf_str(&r->events.refused), r->events.refused.len);
		buf_add_char(out, ']');
	}
	buf_add_str(out, "}\n");
}

/*
 * The handshake by which a sender asks whether it may send:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
 */
static void
add_handshake(struct webhook_request *r, struct MHD_Response *response)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST, OPTIONS");
	MHD_add_response_header(response, "WebHook-Allowed-Origin", "*");
	if (header(r, "WebHook-Request-Rate") != NULL)
		MHD_add_response_header(response, "WebHook-Allowed-Rate", "*");
}

static void
add_headers(struct webhook_request *r, struct MHD_Response *response)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	switch (r->status) {
	case MHD_HTTP_OK:
		add_handshake(r, response);
		break;
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST, OPTIONS");
		break;
	case MHD_HTTP_UNAUTHORIZED:
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			webhook_auth_challenge(r->path));
		break;
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER);
		break;
	default:
		break;
	}
	if (r->listener->closing)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static enum MHD_Result
answer(struct webhook_request *r)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	struct buf out;
	size_t len;
	char *text;

	buf_init(&out, REPLY_MAX);
	if (r->status != MHD_HTTP_OK)
		write_reply(r, &out);
	if (!buf_ok(&out)) /* very many events of a batch were refused */
		buf_clear(&out);
	text = buf_take(&out, &len);
	response = MHD_create_response_from_buffer(
		len, text != NULL ? text : mem_alloc(1), MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return MHD_NO;
	add_headers(r, response);
	result = MHD_queue_response(r->connection, r->status, response);
	MHD_destroy_response(response);
	webhook_metrics_request(
		r->path, r->status, r->begun_ms != 0 ? clock_monotonic_ms() - r->begun_ms : 0);
	return result;
}

/* ---- the callbacks */

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **request)
{
	struct webhook_request *r = *request;

	(void)version;
	if (r == NULL) {
		*request = r = begin(cls, connection, url, method);
		return r->status != 0 && answers_at_once(r) ? answer(r) : MHD_YES;
	}
	if (*len != 0) {
		bool go_on = take_body(r, data, *len);

		*len = 0;
		return go_on ? MHD_YES : MHD_NO;
	}
	if (r->status == 0) {
		r->begun_ms = clock_monotonic_ms();
		parse(r);
	}
	if (r->status == 0) {
		if (webhook_server_queue(r))
			return MHD_YES; /* called again when the events are stored */
		refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, "events cannot be stored now");
	}
	return answer(r);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct webhook_request *r = *request;

	(void)cls;
	(void)connection;
	(void)code;
	if (r == NULL)
		return;
	connections_touch(r->listener->server->connections, r->fd, clock_monotonic_ms());
	webhook_server_release(r);
	buf_free(&r->body);
	webhook_events_free(&r->events);
	free(r);
	*request = NULL;
}

int
webhook_http_open(struct webhook_server **server, const struct webhook_options *options,
	const char *source, struct err *err)
{
	const struct webhook_server_config config = { options, source, on_request,
		on_completed };

	return webhook_server_open(server, &config, err);
}
