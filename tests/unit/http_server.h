// SPDX-License-Identifier: Apache-2.0
/*
 * A scripted HTTP server on a loopback port, in a thread of its own: one connection after the
 * other, each request answered with the bytes that `script` has for its path, then as its flags
 * say.
 */
#ifndef VCOURIER_TEST_HTTP_SERVER_H
#define VCOURIER_TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum server_then { THEN_NEXT_REQUEST, THEN_CLOSE, THEN_SILENCE, THEN_REPEAT };

struct server_answer {
	const char *path, *bytes;
	enum server_then then; /* REPEAT: `again` until the peer hangs up */
	const char *again;
};

struct server {
	const struct server_answer *script;
	SSL_CTX *tls;
	int listener, port;
	unsigned connections, requests;
	char incoming[8192];
	char last_request[8192]; /* whole; only written between its arrival and its answer */
	pthread_t thread;
};

struct server_io {
	int fd;
	SSL *ssl;
};

static inline bool
server_write(struct server_io *io, const char *bytes)
{
	size_t len = strlen(bytes);

	if (io->ssl != NULL)
		return len == 0 || SSL_write(io->ssl, bytes, (int)len) == (int)len;
	return send(io->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline long
server_read(struct server_io *io, char *buf, size_t size)
{
	return io->ssl != NULL ? SSL_read(io->ssl, buf, (int)size) : read(io->fd, buf, size);
}

/* One request, its body included, into s->last_request; false at the end of the connection. */
static inline bool
server_receive(struct server *s, struct server_io *io)
{
	size_t len = 0, want = 0;

	for (;;) {
		long n = server_read(io, s->incoming + len, sizeof(s->incoming) - 1 - len);
		const char *end, *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		s->incoming[len] = '\0';
		end = strstr(s->incoming, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strstr(s->incoming, "Content-Length: ");
		want = (size_t)(end + 4 - s->incoming) +
			(length ? strtoul(length + 16, NULL, 10) : 0);
		if (len >= want) {
			memcpy(s->last_request, s->incoming, len + 1);
			return true;
		}
	}
}

static inline bool
server_answer(struct server *s, struct server_io *io)
{
	const struct server_answer *a = s->script;
	char path[128] = "";
	char rest[64];

	sscanf(s->last_request, "%*s %127s", path);
	while (a->path != NULL && strcmp(a->path, path) != 0)
		a++;
	if (a->path == NULL || !server_write(io, a->bytes))
		return false;
	if (a->then == THEN_SILENCE)
		while (server_read(io, rest, sizeof(rest)) > 0)
			;
	while (a->then == THEN_REPEAT && server_write(io, a->again))
		;
	return a->then == THEN_NEXT_REQUEST;
}

static inline void *
server_main(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		struct server_io io = { .fd = fd };

		s->connections++;
		if (s->tls != NULL) {
			io.ssl = SSL_new(s->tls);
			SSL_set_fd(io.ssl, fd);
		}
		if (io.ssl == NULL || SSL_accept(io.ssl) == 1)
			while (server_receive(s, &io)) {
				s->requests++;
				if (!server_answer(s, &io))
					break;
			}
		SSL_free(io.ssl);
		close(fd);
	}
	return NULL;
}

static inline void
server_start(struct server *s)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		listen(s->listener, 16) != 0)
		abort();
	getsockname(s->listener, (struct sockaddr *)&addr, &len);
	s->port = ntohs(addr.sin_port);
	if (pthread_create(&s->thread, NULL, server_main, s) != 0)
		abort();
}

static inline void
server_stop(struct server *s) /* after the client has closed its connections */
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

#endif
