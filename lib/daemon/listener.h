// SPDX-License-Identifier: Apache-2.0
/* The listening TCP socket of the status server. */
#ifndef VCOURIER_LISTENER_H
#define VCOURIER_LISTENER_H

#include "err.h"

/*
 * SD_LISTEN_FDS_START of sd_listen_fds(3): vcourier-listen leaves its socket there, LISTEN_FDS
 * is 1 and LISTEN_PID this process.
 */
enum { LISTENER_PASSED_FD = 3 };

/*
 * Binds and listens on `bind`: "127.0.0.1:9090", "localhost:9090", "[::1]:9090"; "[::]:9090"
 * includes IPv4. Port 0 is any free port. Takes the socket that vcourier-listen passed, if it
 * has this address. The socket is non-blocking; *fd is the caller's, *port is the bound port.
 * ERR_CONFIG: not an address and a port; ERR_SYSTEM: the port is in use, or may not be bound.
 */
int listener_open(const char *bind, int *fd, int *port, struct err *err);

#endif
