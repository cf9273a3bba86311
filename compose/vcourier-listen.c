// SPDX-License-Identifier: Apache-2.0
/*
 * The entry point of the images of collector and dispatcher: opens the socket of the metrics
 * port and executes the program, which takes it (listener.h). The kubelet probes a container 4
 * to 15 ms after its start. The program listens after 7 to 30 ms, most of them for its 37
 * libraries, and the first probe would be refused. This one is linked statically.
 *
 *     vcourier-listen PROGRAM [ARGUMENT...]
 *
 * The socket has the address of the argument --metrics ADDRESS. Without it, or if it cannot be
 * opened, the program is executed without a socket: it reports errors itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit_status.h"
#include "listener.h"

/* Exit status when PROGRAM cannot be executed, as of sh(1) and env(1). */
enum { EXIT_NOT_EXECUTED = 127 };

static void
pass_socket(const char *address)
{
	struct err err;
	char pid[16];
	int fd, port;

	if (listener_open(address, &fd, &port, &err) != 0)
		return;
	if (fd != LISTENER_PASSED_FD) {
		dup2(fd, LISTENER_PASSED_FD);
		close(fd);
	}
	fcntl(LISTENER_PASSED_FD, F_SETFD, 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: vcourier-listen PROGRAM [ARGUMENT...]\n");
		return EXIT_USAGE;
	}
	for (int i = 2; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--metrics") == 0)
			pass_socket(argv[i + 1]);
	}
	execv(argv[1], argv + 1);
	fprintf(stderr, "vcourier-listen: %s: %s\n", argv[1], strerror(errno));
	return EXIT_NOT_EXECUTED;
}
