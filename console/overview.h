// SPDX-License-Identifier: Apache-2.0
/*
 * What runs: the state of the deployment (status_model.h), looked at by one thread for all
 * browsers, and its last 10 minutes. Safe from any thread.
 */
#ifndef VCOURIER_OVERVIEW_H
#define VCOURIER_OVERVIEW_H

#include "buf.h"
#include "bus.h"
#include "bus_options.h"

struct overview;

int overview_open(struct overview **overview, struct bus *bus, const struct bus_config *config,
	struct err *err);
void overview_stop(struct overview *overview);  /* before the bus is closed */
void overview_close(struct overview *overview); /* after it was. NULL is fine */

/*
 * Appends {"connected":true,"why":"","looked_ms":age,"status":{...},"history":{"step_ms":10000,
 * "series":{"stream VC_lab":[...]}}}; status is null before the first look. Of a stream the
 * series is its last sequence, of a dispatcher on a stream what is pending and what it has
 * settled; null where nothing is known.
 */
void overview_write(struct overview *overview, struct buf *out);

#endif
