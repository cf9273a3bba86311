// SPDX-License-Identifier: Apache-2.0
/*
 * systemd's notification protocol (sd_notify(3)) without libsystemd: one datagram to
 * $NOTIFY_SOCKET. Without systemd these functions do nothing.
 */
#ifndef VCOURIER_NOTIFY_H
#define VCOURIER_NOTIFY_H

#include <stdint.h>

/*
 * "READY=1", "STOPPING=1"; a state may have several lines. 0 also without a notify socket, -1
 * when sending failed.
 */
int notify(const char *state);

/* STATUS=<text>, shown by `systemctl status`; sent only when it differs from the last one. */
void notify_status(const char *text);

/*
 * A reload begins; it ends with notify("READY=1"). Sends the time stamp that Type=notify-reload
 * requires.
 */
void notify_reloading(void);

/*
 * The watchdog: the main loop calls this on each turn, and a ping is sent at half of
 * WatchdogSec. A loop that hangs sends none, and systemd restarts the process.
 */
void notify_alive(int64_t now_monotonic_ms);

#endif
