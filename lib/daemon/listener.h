// SPDX-License-Identifier: Apache-2.0
/* The listening TCP socket of the status server. */
#ifndef VCOURIER_LISTENER_H
#define VCOURIER_LISTENER_H

#include "err.h"

/*
 * Binds and listens on `bind`: "127.0.0.1:9090", "localhost:9090", "[::1]:9090"; "[::]:9090"
 * takes IPv4 too. Port 0 is any free port. The socket does not block; *fd is the caller's,
 * *port is the bound one. ERR_CONFIG: not an address and a port; ERR_SYSTEM: the port is taken,
 * or may not be bound.
 */
int listener_open(const char *bind, int *fd, int *port, struct err *err);

#endif
