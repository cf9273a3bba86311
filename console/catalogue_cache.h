// SPDX-License-Identifier: Apache-2.0
/*
 * The catalogue of events as JSON, for all browsers; made again when it is older than
 * CATALOGUE_FRESH_MS. Safe from any thread.
 */
#ifndef VCOURIER_CATALOGUE_CACHE_H
#define VCOURIER_CATALOGUE_CACHE_H

#include "buf.h"
#include "session.h"

enum {
	CATALOGUE_FRESH_MS = 30 * 1000,
	CATALOGUE_DESCRIBED_MS = 10 * 60 * 1000, /* descriptions change with a new vCenter */
};

struct catalogue_cache;

struct catalogue_cache *catalogue_cache_open(void);
void catalogue_cache_close(struct catalogue_cache *cache);

/*
 * Appends {"described":true,"events":[{"name","class","base","severity","category",
 * "description","count","last_ms","stream","seq"}]}: stream and seq name the newest event of
 * that kind. -1: NATS did not answer.
 */
int catalogue_cache_write(
	struct catalogue_cache *cache, struct session *s, struct buf *out, struct err *err);

#endif
