// SPDX-License-Identifier: Apache-2.0
/*
 * The events of one stream that were acknowledged last. A lost ack makes the server redeliver
 * its event, which is then acknowledged again and not sent again. After a power cut of NATS a
 * sequence may belong to another event, its time cannot: both must be equal.
 */
#ifndef VCOURIER_RECENTLY_ACKED_H
#define VCOURIER_RECENTLY_ACKED_H

#include <stdbool.h>
#include <stdint.h>

enum { RECENTLY_ACKED_MAX = 8 * 1024 }; /* twice the most requests in flight */

/* Zero it to begin. */
struct recently_acked {
	struct {
		uint64_t seq; /* from 1 */
		int64_t stored_us;
	} event[RECENTLY_ACKED_MAX]; /* a later event takes the place of an earlier one */
};

void recently_acked_add(struct recently_acked *acked, uint64_t seq, int64_t stored_us);
bool recently_acked_has(const struct recently_acked *acked, uint64_t seq, int64_t stored_us);

#endif
