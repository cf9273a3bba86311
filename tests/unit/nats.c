// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "nats.h"

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus_private.h"

/*
 * Below those that the kernel gives to outgoing connections: one of them could take it before
 * the server starts, or while it starts again; one that tries to reach a server that is not
 * there yet can even connect to itself.
 */
static int
free_port(void)
{
	for (;;) {
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			.sin_port = htons((uint16_t)(15000 + arc4random_uniform(17000))) };
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int failed = bind(fd, (struct sockaddr *)&a, sizeof(a));

		close(fd);
		if (!failed)
			return ntohs(a.sin_port);
	}
}

static void
wait_for_port(const struct nats_server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int i = 0; i < 3000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int failed = connect(fd, (struct sockaddr *)&a, sizeof(a));

		close(fd);
		if (!failed)
			return;
		usleep(20000);
	}
	fail_msg("nats-server does not listen");
}

void
nats_server_again(struct nats_server *s)
{
	char port[16];

	snprintf(port, sizeof(port), "%d", s->port);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		if (s->tls)
			execlp("nats-server", "nats-server", "-js", "-a", "127.0.0.1", "-p",
				port, "-sd", s->dir, "--tls", "--tlscert", s->ca, "--tlskey",
				s->ca, (char *)NULL);
		if (s->plain)
			execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port,
				(char *)NULL);
		execlp("nats-server", "nats-server", "-js", "-a", "127.0.0.1", "-p", port,
			"-sd", s->dir, (char *)NULL);
		_exit(127);
	}
	wait_for_port(s);
}

/* One file with key and self-signed certificate. */
static void
make_certificate(struct nats_server *s, const char *name)
{
	char command[1024];

	snprintf(s->ca, sizeof(s->ca), "%s/cert.pem", s->dir);
	snprintf(command, sizeof(command),
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test"
		" -addext subjectAltName=%s -keyout %s -out %s.crt 2>/dev/null && cat %s.crt >>%s",
		name, s->ca, s->ca, s->ca, s->ca);
	assert_int_equal(system(command), 0);
}

static void
prepare(struct nats_server *s)
{
	*s = (struct nats_server){ .dir = "/tmp/vcourier-nats-XXXXXX" };
	assert_non_null(mkdtemp(s->dir));
	s->port = free_port();
	snprintf(s->url, sizeof(s->url), "nats://127.0.0.1:%d", s->port);
	s->urls[0] = s->url;
}

void
nats_server_start_plain(struct nats_server *s)
{
	prepare(s);
	s->plain = true;
	nats_server_again(s);
}

void
nats_server_start(struct nats_server *s, const char *tls_name)
{
	prepare(s);
	s->tls = tls_name != NULL;
	if (s->tls)
		make_certificate(s, tls_name);
	nats_server_again(s);
}

void
nats_server_kill(struct nats_server *s)
{
	kill((pid_t)s->pid, SIGKILL);
	waitpid((pid_t)s->pid, NULL, 0);
}

void
nats_server_stop(struct nats_server *s)
{
	char command[128];

	nats_server_kill(s);
	snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
	assert_int_equal(system(command), 0);
}

int
nats_library_open(void **state)
{
	(void)state;
	return nats_Open(-1) == NATS_OK ? 0 : -1;
}

int
nats_library_close(void **state)
{
	(void)state;
	bus_destroy_messages();
	nats_Close();
	return 0;
}
