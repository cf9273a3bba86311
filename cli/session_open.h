// SPDX-License-Identifier: Apache-2.0
/* A session of a command: opened as its options say, with error messages for people. */
#ifndef VCOURIER_SESSION_OPEN_H
#define VCOURIER_SESSION_OPEN_H

#include <stdio.h>

#include "connection.h"
#include "exit_status.h"
#include "session.h"

/*
 * Connects as the options say. EXIT_NOT_YET, or the exit status after an error message. Close
 * it in the first case only.
 */
int session_open(struct session *s, const struct connection_flags *flags);
void session_close(struct session *s);

/*
 * Waits until the bus is connected. The first failure counts: waiting for a server that refuses
 * is useless. again: there is a credentials file, with which a login may fail by chance
 * (bus_security.c).
 */
int session_wait_connected(struct bus *bus, bool again, struct err *err);

/*
 * Prints the error, what NATS did not permit if that is the reason; returns the exit status:
 * EXIT_UNREACHABLE, EXIT_FORBIDDEN, EXIT_USAGE, EXIT_CONFIG, or EXIT_RUNTIME for the rest.
 */
int session_fail(struct session *s, struct err *err);

/*
 * session_dispatcher_token. EXIT_NOT_YET; EXIT_USAGE, after an error message, when there is no
 * dispatcher of that name.
 */
int session_dispatcher(struct session *s, const char *name, char token[96]);

/* Prints text from outside, without characters that control a terminal. */
void session_print_safe(FILE *f, const char *text, size_t max);

/* "3m12s"; "-" for a negative age. */
const char *session_age(int64_t us, char *buf, size_t size);

#endif
