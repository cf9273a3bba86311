// SPDX-License-Identifier: Apache-2.0
/*
 * A bus without a network: the linker gives calls of bus_request and its like to fuzz_bus.c
 * (rules.mk, fuzz_wrapped). Its peer says what the input says.
 */
#ifndef VCOURIER_FUZZ_BUS_H
#define VCOURIER_FUZZ_BUS_H

#include "bus.h"
#include "fuzz.h"

/*
 * A bus on which each request is answered with the next of the parts, and fails with
 * ERR_TIMEOUT after the last one.
 */
struct bus *fuzz_bus(struct fuzz_parts *replies);

/*
 * A message as it was received. reply and block may be NULL; block: a NATS header block, which
 * our own parser reads; without one, status (NULL: none) is the value of the header Status.
 */
struct fuzz_message {
	const char *subject, *reply, *block, *status, *data;
	size_t len;
};
struct bus_msg *fuzz_bus_message(const struct fuzz_message *message);

#endif
