// SPDX-License-Identifier: Apache-2.0
/* Whether NATS has room for the streams of a configuration. */
#ifndef VCOURIER_STORAGE_CHECK_H
#define VCOURIER_STORAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "bus.h"
#include "bus_options.h"

/*
 * Compares what `missing` streams, which do not exist yet, will reserve with what the account
 * has left, and writes both to found; nothing when NATS does not tell or nothing is missing.
 * False: they do not fit.
 */
bool storage_check(
	struct bus *bus, const struct bus_config *config, size_t missing, struct buf *found);

#endif
