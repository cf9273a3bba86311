// SPDX-License-Identifier: Apache-2.0
/*
 * Who reads, when several collectors of one vCenter run: a key in a NATS KV bucket, kept alive
 * by its holder. It only saves work: two that both believe to hold it are kept apart by the
 * publisher's fence.
 */
#ifndef VCOURIER_LEASE_H
#define VCOURIER_LEASE_H

#include <stdbool.h>

#include "bus.h"

struct lease;

/*
 * Starts trying to get the lease `name`, in a thread. replicas: of the bucket, when it has to
 * be made.
 */
int lease_open(
	struct lease **lease, struct bus *bus, const char *name, int replicas, struct err *err);

/*
 * Gives it up, so that a standby takes over at once, and frees it; before bus_close. NULL is
 * fine.
 */
void lease_close(struct lease *lease);

bool lease_held(struct lease *lease);

#endif
