// SPDX-License-Identifier: Apache-2.0
/*
 * One GET request and an exit status, for health checks of containers that have neither shell
 * nor curl.
 */
#ifndef VCOURIER_HEALTH_H
#define VCOURIER_HEALTH_H

#define HEALTH_DEFAULT_ADDRESS "127.0.0.1:8082"

/*
 * Prints the status and the body of the reply, or an error after the program's name. 0: a 2xx
 * reply came within 3 s; else EXIT_RUNTIME.
 */
int health_ask(const char *program, const char *url);

#endif
