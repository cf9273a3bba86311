// SPDX-License-Identifier: Apache-2.0
/*
 * GET /stats: the JSON of the event router's metrics port, for scripts that read it. All calls
 * are thread-safe and cheap. New tools should read /metrics.
 */
#ifndef VCOURIER_STATS_H
#define VCOURIER_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/*
 * Who this process is: an EventProvider or an EventProcessor, and where it connects to. Strings
 * are copied; the secrets of the address are masked.
 */
void stats_init(bool provider, const char *name, const char *address);

/* For a provider: events read, and events that could not be published. */
void stats_events(uint64_t n, uint64_t failed);

/*
 * One delivery of an event with this subject; beyond 200 subjects they are counted as "other".
 */
void stats_invocation(const char *subject, bool ok);

void stats_render(void *ctx, struct buf *out); /* fits status_options.stats */

#endif
