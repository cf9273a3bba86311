// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* getaddrinfo, SOCK_CLOEXEC */
#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 2000, HOST_SIZE = 256 };

/* "nats://[::1]:4222/" to "::1" and "4222". */
static void
split(const char *url, char host[HOST_SIZE], char port[8])
{
	const char *at = strstr(url, "://"), *end, *colon;

	at = at != NULL ? at + 3 : url;
	end = at + strcspn(at, "/");
	colon = end;
	while (colon > at && *colon != ':' && *colon != ']')
		colon--;
	snprintf(port, 8, "4222");
	if (*colon == ':')
		snprintf(port, 8, "%.*s", (int)(end - colon - 1), colon + 1);
	else
		colon = end;
	if (*at == '[' && colon > at + 1 && colon[-1] == ']') {
		at++;
		colon--;
	}
	snprintf(host, HOST_SIZE, "%.*s", (int)(colon - at), at);
}

/* 0, or the errno of the connection. */
static int
try_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int failed = 0;
	socklen_t size = sizeof(failed);

	if (fd < 0)
		return errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS)
		failed = errno;
	else if (poll(&p, 1, WAIT_MS) == 0)
		failed = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size);
	close(fd);
	return failed;
}

int
reach_try(const char *url, struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	char host[HOST_SIZE], port[8];
	int rc, failed;

	split(url, host, port);
	rc = getaddrinfo(host, port, &hints, &all);
	if (rc != 0)
		return err_set(err, ERR_CONNECT, "%.200s: %s", host, gai_strerror(rc));
	failed = try_address(all);
	if (failed != 0 && all->ai_next != NULL)
		failed = try_address(all->ai_next); /* the other of IPv6 and IPv4 */
	freeaddrinfo(all);
	return failed == 0 ? 0 : err_set(err, ERR_CONNECT, "%s", err_strerror(failed));
}
