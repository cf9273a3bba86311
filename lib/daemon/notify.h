// SPDX-License-Identifier: Apache-2.0
/*
 * systemd's notification protocol (sd_notify(3)), without libsystemd: one datagram to
 * $NOTIFY_SOCKET. Everywhere else than under systemd all of this does nothing.
 */
#ifndef VCOURIER_NOTIFY_H
#define VCOURIER_NOTIFY_H

#include <stdint.h>

/*
 * "READY=1", "STOPPING=1"; several lines may stand in one state. 0 also when nobody listens, -1
 * when it failed.
 */
int notify(const char *state);

/* STATUS=<text>, what `systemctl status` shows; sent only when it differs from the last one. */
void notify_status(const char *text);

/*
 * A reload begins; ends with notify("READY=1"). Carries the time stamp that Type=notify-reload
 * asks for.
 */
void notify_reloading(void);

/*
 * The watchdog: the main loop calls this on each turn, and a ping goes out at half of
 * WatchdogSec. A loop that hangs sends none, and systemd restarts the process.
 */
void notify_alive(int64_t now_monotonic_ms);

#endif
