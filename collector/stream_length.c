// SPDX-License-Identifier: Apache-2.0
#include "stream_length.h"

#include <inttypes.h>

#include "clock.h"

enum stream_length_state
stream_length_check(struct stream_length *l, uint64_t known_seq, const struct stream_info *info,
	uint64_t reconnects, struct err *err)
{
	bool recreated = l->known && info->created_us != l->created_us;
	int64_t since_ms;

	if (!l->known || recreated || info->last_seq >= known_seq) {
		l->shorter.what = NULL;
		return recreated ? STREAM_LENGTH_LOST : STREAM_LENGTH_OK;
	}
	since_ms = stream_find_steady_for(
		&l->shorter, "shorter", info->leader, reconnects, clock_monotonic_ms());
	if (since_ms >= STEADY_MS)
		return STREAM_LENGTH_LOST;
	err_set(err, ERR_TIMEOUT,
		"the stream ends at %" PRIu64 " and had %" PRIu64 ": its leader may be behind",
		info->last_seq, known_seq);
	return STREAM_LENGTH_UNSTEADY;
}

void
stream_length_set(struct stream_length *l, const struct stream_info *info)
{
	l->known = true;
	l->created_us = info->created_us;
}
