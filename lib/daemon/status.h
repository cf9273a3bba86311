// SPDX-License-Identifier: Apache-2.0
/*
 * The metrics port (libmicrohttpd): GET /metrics (Prometheus text), /livez and its alias
 * /healthz (the main loop ran in the last 30 s), /readyz (all checks pass; the JSON body lists
 * them), /stats (the event router's expvar format). Read-only and bounded: 16 connections, 8
 * KiB of request, 5 s, closed after each answer.
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
	const char *user; /* set: basic authentication except for /livez, /readyz */
	const struct secret *password;
	void (*stats)(void *ctx, struct buf *out); /* appends the JSON of /stats; NULL: 404 */
	void *stats_ctx;
	/*
	 * For so long after status_open the first answer of /readyz waits until all checks
	 * pass, and other requests wait with it. Kubernetes asks when the container runs, and
	 * again after periodSeconds: its first request would come before the connections are
	 * made.
	 */
	int64_t start_ms;
};

/* Starts the server in a thread of its own. Port in use: ERR_SYSTEM, and the text says so. */
int status_open(struct status **status, const struct status_options *options, struct err *err);
void status_close(struct status *status);
int status_port(const struct status *status); /* the port in use */

/*
 * Sets the state of one check ("nats", "vcenter"); name: a constant, at most 8 of them. why:
 * one line for people, also when ok ("standby"). Before the first call for a name the check
 * does not exist.
 */
void status_check(const char *name, bool ok, const char *why);
bool status_ready(void); /* every check passes, and there is at least one */

/*
 * Appends the body of /readyz: {"ready":true,"checks":{"nats":{"ok":true,"why":""}}}. Returns
 * status_ready() at that time.
 */
bool status_write(struct buf *out);

/* The main loop calls this on each turn; /livez and systemd's watchdog depend on it. */
void status_beat(void);
int64_t status_beat_age_ms(void); /* since the last call */
/* stop_sleep (stop.h) for the main loop, of any length: it beats meanwhile. */
bool status_sleep(int64_t ms);

#endif
