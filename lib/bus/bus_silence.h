// SPDX-License-Identifier: Apache-2.0
/*
 * Detects an open connection on which nothing is answered: nats-server lost its
 * subscriptions while it read its configuration again (a client that connects during a reload
 * of 2.9; a permission that was missing for a moment), or a server of a cluster is stuck. A new
 * connection has its subscriptions. Pure; now_ms: monotonic. Zero it to begin.
 */
#ifndef VCOURIER_BUS_SILENCE_H
#define VCOURIER_BUS_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	BUS_SILENCE_TRIES = 3,
	BUS_SILENCE_MS = 10 * 1000,
	/* JetStream itself may be the cause, which no new connection mends: the time doubles */
	BUS_SILENCE_MS_MAX = 5 * 60 * 1000,
};

struct bus_silence {
	unsigned n; /* without an answer, one after the other */
	int64_t since_ms, wait_ms;
};

/*
 * An answer did not come in its time. Returns whether to connect again: the last
 * BUS_SILENCE_TRIES had none, for BUS_SILENCE_MS, twice as long after each time.
 */
bool bus_silence_add(struct bus_silence *silence, int64_t now_ms);
void bus_silence_end(struct bus_silence *silence);     /* an answer came */
void bus_silence_connect(struct bus_silence *silence); /* a new connection: count again */

#endif
