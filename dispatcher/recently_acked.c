// SPDX-License-Identifier: Apache-2.0
#include "recently_acked.h"

void
recently_acked_add(struct recently_acked *acked, uint64_t seq, int64_t stored_us)
{
	acked->event[seq % RECENTLY_ACKED_MAX].seq = seq;
	acked->event[seq % RECENTLY_ACKED_MAX].stored_us = stored_us;
}

bool
recently_acked_has(const struct recently_acked *acked, uint64_t seq, int64_t stored_us)
{
	return acked->event[seq % RECENTLY_ACKED_MAX].seq == seq &&
		acked->event[seq % RECENTLY_ACKED_MAX].stored_us == stored_us;
}
