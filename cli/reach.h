// SPDX-License-Identifier: Apache-2.0
/* Why a server cannot be reached: the library of NATS does not tell. */
#ifndef VCOURIER_REACH_H
#define VCOURIER_REACH_H

#include "err.h"

/*
 * Tries a TCP connection to the server of a URL, nats://host:port, for 2 s at most. 0: it is
 * accepted; -1 and the reason.
 */
int reach_try(const char *url, struct err *err);

#endif
