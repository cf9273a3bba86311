// SPDX-License-Identifier: Apache-2.0
/*
 * The socket is opened here and not by libmicrohttpd, because its version 1.0.1 closes a socket
 * twice when the port is in use, and loses errno.
 */
#define _GNU_SOURCE
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.h"

union listen_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int
parse(const char *text, union listen_address *addr, struct err *err)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	int64_t port = 0;

	memset(addr, 0, sizeof(*addr));
	if (len == 0 || len >= sizeof(host) || !text_int(colon + 1, 0, 65535, &port))
		return err_set(err, ERR_CONFIG, "is not an address and a port");
	memcpy(host, text, len);
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		addr->v6.sin6_family = AF_INET6;
		addr->v6.sin6_port = htons((uint16_t)port);
		if (inet_pton(AF_INET6, host + 1, &addr->v6.sin6_addr) == 1)
			return 0;
	} else {
		addr->v4.sin_family = AF_INET;
		addr->v4.sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, host, &addr->v4.sin_addr) == 1)
			return 0;
	}
	return err_set(err, ERR_CONFIG, "is not an IP address and a port");
}

static int
port_of(const union listen_address *addr)
{
	return ntohs(addr->any.sa_family == AF_INET6 ? addr->v6.sin6_port : addr->v4.sin_port);
}

/*
 * The socket with this address that vcourier-listen has opened, or -1. It is passed once: who
 * took it has closed it when the port is opened again.
 */
static int
passed_socket(const union listen_address *addr, socklen_t len)
{
	static atomic_flag taken = ATOMIC_FLAG_INIT;
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	union listen_address of_socket;
	socklen_t of_socket_len = sizeof(of_socket);
	int64_t for_pid;

	memset(&of_socket, 0, sizeof(of_socket));
	if (pid == NULL || n == NULL || strcmp(n, "1") != 0 ||
		!text_int(pid, 1, INT32_MAX, &for_pid) || for_pid != getpid())
		return -1;
	if (getsockname(LISTENER_PASSED_FD, &of_socket.any, &of_socket_len) != 0 ||
		of_socket_len != len || memcmp(&of_socket, addr, len) != 0)
		return -1;
	if (atomic_flag_test_and_set(&taken))
		return -1;
	fcntl(LISTENER_PASSED_FD, F_SETFD, FD_CLOEXEC);
	return LISTENER_PASSED_FD;
}

int
listener_open(const char *bind_to, int *fd, int *port, struct err *err)
{
	const int on = 1, off = 0;
	union listen_address addr;
	socklen_t len;
	int s;

	if (parse(bind_to, &addr, err) != 0)
		return -1;
	len = addr.any.sa_family == AF_INET6 ? sizeof(addr.v6) : sizeof(addr.v4);
	*port = port_of(&addr);
	*fd = passed_socket(&addr, len);
	if (*fd >= 0)
		return 0;
	s = socket(addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return err_set(err, ERR_SYSTEM, "%s", err_strerror(errno));
	/* without it a restart would wait for TIME_WAIT */
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr.any.sa_family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(s, &addr.any, len) != 0 || listen(s, SOMAXCONN) != 0 ||
		getsockname(s, &addr.any, &len) != 0) {
		err_set(err, ERR_SYSTEM, "%s",
			errno == EADDRINUSE ? "in use by another program"
					    : err_strerror(errno));
		close(s);
		return -1;
	}
	*port = port_of(&addr);
	*fd = s;
	return 0;
}
