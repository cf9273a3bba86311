// SPDX-License-Identifier: Apache-2.0
/*
 * The metrics port (libmicrohttpd): GET /metrics (Prometheus text), /livez and its alias
 * /healthz (the loop turned in the last 30 s), /readyz (every check passes; JSON body names
 * each), /stats (the old router's expvar shape). Read-only, bounded: 16 connections, 8 KiB of
 * request, 5 s, closed after each answer.
 */
#ifndef VCOURIER_STATUS_H
#define VCOURIER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "err.h"

struct status;

struct status_options {
	const char *bind; /* "127.0.0.1:8082", "[::]:8082"; port 0: any free one */
	const char *user; /* basic auth for everything but /livez and /readyz when set */
	const struct secret *password;
	void (*stats)(void *ctx, struct buf *out); /* appends the JSON of /stats; NULL: 404 */
	void *stats_ctx;
};

/*
 * Starts the listener in a thread of its own. Port taken: ERR_SYSTEM with a text that says so.
 */
int status_open(struct status **status, const struct status_options *options, struct err *err);
void status_close(struct status *status);
int status_port(const struct status *status); /* the port in use */

/*
 * Says how one check stands ("nats", "vcenter"); name constant, at most 8 of them. why: one
 * line for people, also when ok ("standby"). Before the first call for a name the check does
 * not exist.
 */
void status_check(const char *name, bool ok, const char *why);
bool status_ready(void); /* every check passes, and there is at least one */

/* The main loop calls this on each turn: it is what /livez and systemd's watchdog look at. */
void status_beat(void);
/* stop_sleep (stop.h) for the main loop, of any length: it beats meanwhile. */
bool status_sleep(int64_t ms);

#endif
