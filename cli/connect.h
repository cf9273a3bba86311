// SPDX-License-Identifier: Apache-2.0
/* vcourier check --connect: tries the connections of a configuration. */
#ifndef VCOURIER_CONNECT_H
#define VCOURIER_CONNECT_H

#include "deployment.h"

/*
 * Prints a line ("ok" or "FAILED", what, why) for each connection, and the certificate of a
 * peer that is not trusted. 0: all work; else the exit status: EXIT_CONFIG (a certificate is
 * not trusted), EXIT_FORBIDDEN (credentials or permissions), EXIT_UNREACHABLE, EXIT_RUNTIME;
 * the highest of them when several connections fail.
 */
int connect_check(const struct deployment *deployment);

#endif
