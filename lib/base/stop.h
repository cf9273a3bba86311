// SPDX-License-Identifier: Apache-2.0
/*
 * Signals, made into flags the main loop looks at: SIGTERM and SIGINT ask for a clean stop, a
 * second one ends the process at once, SIGHUP asks for a reload. Works as pid 1.
 */
#ifndef VCOURIER_STOP_H
#define VCOURIER_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* installs the handlers, ignores SIGPIPE; call once, before any thread */
void stop_init(void);
bool stop_requested(void);   /* from any thread */
void stop_request(void);     /* as if SIGTERM had come */
bool stop_take_reload(void); /* true once for each SIGHUP (or several in a row) */

/*
 * Takes a stop_request back (not a signal), once everything has stopped and is to start again.
 */
void stop_reset(void);

/* A descriptor that turns readable on a signal, for poll sets; never read from it yourself. */
int stop_fd(void);

/* Sleeps up to ms; returns early, and true, when a stop was requested. */
bool stop_sleep(int64_t ms);

#endif
