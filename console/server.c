// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* MHD wants the socket types */
#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connections.h"
#include "file.h"
#include "listener.h"
#include "mem.h"
#include "server_reply.h"
#include "status_http.h"

enum {
	HEADERS_BYTES_MAX = 32 * 1024,
	STACK_BYTES = 1024 * 1024, /* cJSON nests 1000 deep */
	FILE_BYTES_MAX = 256 * 1024,
	DISCARDED_MAX = 16 * 1024 * 1024, /* of a body that is too large; then the end */
};

struct server {
	struct MHD_Daemon *daemon;
	struct server_options options;
	struct connections *connections;
	struct buf cert, key;
	int port;
};

/* A request that is being received. */
struct incoming {
	struct buf body;
	size_t discarded;
	bool too_large;
};

const char *
server_argument(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *
server_header(const struct server_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- answers */

static enum MHD_Result
send_reply(struct server *s, struct MHD_Connection *connection, struct server_reply *reply)
{
	struct MHD_Response *response = server_reply_make(reply, s->options.cert_file != NULL);
	enum MHD_Result result;

	buf_free(&reply->body);
	if (response == NULL)
		return MHD_NO;
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static void
init_reply(struct server_reply *reply)
{
	*reply = (struct server_reply){ .status = MHD_HTTP_OK,
		.type = "application/json; charset=utf-8" };
	buf_init(&reply->body, SERVER_ANSWER_MAX);
}

static enum MHD_Result
send_too_large(struct server *s, struct MHD_Connection *connection)
{
	struct server_reply reply;

	init_reply(&reply);
	reply.status = MHD_HTTP_CONTENT_TOO_LARGE;
	buf_add_str(&reply.body, "{\"error\":\"the request is larger than 64 KiB\"}");
	return send_reply(s, connection, &reply);
}

/* ---- requests */

static const char *
peer_of(struct MHD_Connection *connection, char text[INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
	const void *at = NULL;

	snprintf(text, INET6_ADDRSTRLEN, "unknown");
	if (a != NULL && a->sa_family == AF_INET)
		at = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	else if (a != NULL && a->sa_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (at != NULL)
		inet_ntop(a->sa_family, at, text, INET6_ADDRSTRLEN);
	if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL)
		memmove(text, text + 7, strlen(text + 7) + 1);
	return text;
}

static void
drop_body(struct incoming *in)
{
	if (in->body.data != NULL)
		mem_wipe(in->body.data, in->body.cap); /* it may be a password */
	buf_free(&in->body);
}

/* A part of the body. False: enough. */
static bool
take_body(struct incoming *in, const char *body, size_t len)
{
	if (in->too_large || in->body.len + len > SERVER_BODY_MAX) {
		in->too_large = true;
		in->discarded += len;
		drop_body(in);
		return in->discarded < DISCARDED_MAX;
	}
	buf_add(&in->body, body, len);
	return true;
}

static enum MHD_Result
answer(struct server *s, struct MHD_Connection *connection, struct server_request *request)
{
	char peer[INET6_ADDRSTRLEN];
	struct server_reply reply;

	request->connection = connection;
	request->https = s->options.cert_file != NULL;
	request->peer = peer_of(connection, peer);
	init_reply(&reply);
	connections_busy(
		s->connections, status_http_fd(connection), true, clock_monotonic_ms());
	s->options.handle(s->options.ctx, request, &reply);
	return send_reply(s, connection, &reply);
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *body, size_t *body_len, void **request)
{
	struct incoming *in = *request;
	const char *length;

	(void)version;
	if (in == NULL) {
		*request = in = mem_alloc(sizeof(*in));
		buf_init(&in->body, SERVER_BODY_MAX);
		length = MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, "Content-Length");
		/* the answer ends the connection, before the body comes */
		return length != NULL && strtoull(length, NULL, 10) > SERVER_BODY_MAX
			? send_too_large(ctx, connection)
			: MHD_YES;
	}
	if (*body_len > 0) {
		bool more = take_body(in, body, *body_len);

		*body_len = 0;
		return more ? MHD_YES : MHD_NO;
	}
	if (in->too_large)
		return send_too_large(ctx, connection);
	return answer(ctx, connection,
		&(struct server_request){ .method = method,
			.path = url,
			.body = buf_str(&in->body),
			.body_len = in->body.len });
}

static void
on_completed(void *ctx, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	struct server *s = ctx;
	struct incoming *in = *request;

	(void)code;
	if (in != NULL)
		drop_body(in);
	free(in);
	*request = NULL;
	connections_busy(
		s->connections, status_http_fd(connection), false, clock_monotonic_ms());
}

/* ---- life */

static int
read_tls(struct server *s, struct err *err)
{
	if (s->options.cert_file == NULL)
		return 0;
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return err_set(err, ERR_CONFIG, "this libmicrohttpd has no TLS");
	return file_read(s->options.cert_file, &s->cert, NULL, err) != 0 ||
			file_read(s->options.key_file, &s->key, NULL, err) != 0
		? -1
		: 0;
}

static void
free_server(struct server *s)
{
	connections_close(s->connections);
	buf_free(&s->cert);
	if (s->key.data != NULL)
		mem_wipe(s->key.data, s->key.cap);
	buf_free(&s->key);
	free(s);
}

static struct MHD_Daemon *
start(struct server *s, int fd)
{
	unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION;
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)buf_str(&s->cert) },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)buf_str(&s->key) },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t)STATUS_HTTP_TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	bool https = s->options.cert_file != NULL;

	if (https)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_BYTES_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_SILENCE_S,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, status_http_connection,
		s->connections, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
		https ? tls : none, MHD_OPTION_END);
}

int
server_open(struct server **server, const struct server_options *options, struct err *err)
{
	struct server *s = mem_alloc(sizeof(*s));
	int fd;

	s->options = *options;
	buf_init(&s->cert, FILE_BYTES_MAX);
	buf_init(&s->key, FILE_BYTES_MAX);
	s->connections = connections_open(&(struct connections_limits){
		SERVER_CONNECTIONS_MAX, SERVER_CONNECTIONS_MAX, SERVER_REQUEST_MS });
	if (read_tls(s, err) != 0) {
		free_server(s);
		return -1;
	}
	if (listener_open(options->listen, &fd, &s->port, err) != 0) {
		free_server(s);
		return err_wrap(err, "listen %s", options->listen);
	}
	s->daemon = start(s, fd);
	/* whether the library has closed fd depends on how far it got */
	if (s->daemon == NULL) {
		free_server(s);
		return err_set(err, options->cert_file != NULL ? ERR_CONFIG : ERR_SYSTEM,
			"listen %s: the HTTP server does not start%s", options->listen,
			options->cert_file != NULL
				? "; are tls.certFile and tls.keyFile a pair?"
				: "");
	}
	*server = s;
	return 0;
}

void
server_close(struct server *s)
{
	if (s == NULL)
		return;
	MHD_stop_daemon(s->daemon);
	free_server(s);
}

int
server_port(const struct server *s)
{
	return s->port;
}

void
server_expire(struct server *s, int64_t now_ms)
{
	connections_expire(s->connections, now_ms);
}
