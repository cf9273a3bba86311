// SPDX-License-Identifier: Apache-2.0
/*
 * Signals as flags that the main loop checks: SIGTERM and SIGINT request a clean stop, a second
 * one ends the process at once, SIGHUP requests a reload. SIGHUP because the controlling
 * terminal was closed requests a stop, unless the process was started by nohup. Works as pid 1.
 */
#ifndef VCOURIER_STOP_H
#define VCOURIER_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* installs the handlers, ignores SIGPIPE; call once, before any thread */
void stop_init(void);
bool stop_requested(void);   /* from any thread */
void stop_request(void);     /* the same as a SIGTERM */
bool stop_take_reload(void); /* true once for each SIGHUP (or several in a row) */

/*
 * Cancels a stop_request (not a signal), after everything has stopped and before it starts
 * again.
 */
void stop_reset(void);

/*
 * A descriptor that becomes readable on a signal, for poll sets. Never read from it yourself.
 */
int stop_fd(void);

/* Sleeps up to ms; returns early, with true, when a stop was requested. */
bool stop_sleep(int64_t ms);

#endif
