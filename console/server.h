// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP for browsers (libmicrohttpd): one thread for each connection, requests of bounded size
 * and time, and on every answer the headers that keep other sites out. What the answer is,
 * the handler decides.
 */
#ifndef VCOURIER_SERVER_H
#define VCOURIER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum {
	SERVER_BODY_MAX = 64 * 1024,          /* of a request */
	SERVER_ANSWER_MAX = 32 * 1024 * 1024, /* of an answer */
	SERVER_CONNECTIONS_MAX = 1024,
	SERVER_SILENCE_S = 20,         /* a connection without traffic is closed */
	SERVER_REQUEST_MS = 20 * 1000, /* in which a request must have come */
};

struct server;

struct server_request {                   /* strings live as long as the call */
	const char *method, *path, *peer; /* peer: an IP address */
	const char *body;
	size_t body_len;
	bool https;
	void *connection;
};

/* NULL: there is none. An argument is of the query, decoded. */
const char *server_argument(const struct server_request *request, const char *name);
const char *server_header(const struct server_request *request, const char *name);

/* A stream of events: next appends a part and waits as long as it needs; false ends it. */
struct server_stream {
	bool (*next)(void *ctx, struct buf *out);
	void (*close)(void *ctx);
	void *ctx;
};

struct server_reply {
	unsigned status;
	const char *type; /* Content-Type */
	struct buf body;
	const char *fixed; /* instead of body: bytes that live as long as the program */
	size_t fixed_len;
	char cookie[256];  /* Set-Cookie; "": none */
	const char *etag;  /* the browser may keep the answer and ask whether it changed */
	int retry_after_s; /* 0: no such header */
	struct server_stream stream; /* instead of body, when next is set */
};

struct server_options {
	const char *listen;
	const char *cert_file, *key_file; /* NULL: no TLS */
	void (*handle)(
		void *ctx, const struct server_request *request, struct server_reply *reply);
	void *ctx;
};

/*
 * ERR_CONFIG: the address or a file of TLS is not valid. ERR_SYSTEM: the port is in use. The
 * options are borrowed.
 */
int server_open(struct server **server, const struct server_options *options, struct err *err);
/* Waits for the requests in progress; streams must end by themselves. NULL is fine. */
void server_close(struct server *server);
int server_port(const struct server *server);

/* Closes connections whose request does not come. To be called every second or so. */
void server_expire(struct server *server, int64_t now_ms);

#endif
