// SPDX-License-Identifier: Apache-2.0
/*
 * Chooses the collector that reads when several run for one source: a key in a NATS KV bucket
 * that its holder renews. It only saves work: when two collectors both believe that they hold
 * it, the publisher's fence keeps the stream correct.
 */
#ifndef VCOURIER_LEASE_H
#define VCOURIER_LEASE_H

#include <stdbool.h>

#include "bus.h"

struct lease;

/*
 * Starts a thread that tries to get the lease `name`. replicas: of the bucket, when it is
 * created.
 */
int lease_open(
	struct lease **lease, struct bus *bus, const char *name, int replicas, struct err *err);

/*
 * Releases the lease, so that a standby takes over at once, and frees it. Call before
 * bus_close. NULL is fine.
 */
void lease_close(struct lease *lease);

bool lease_held(struct lease *lease);

#endif
