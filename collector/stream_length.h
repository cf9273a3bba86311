// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a stream has lost its end, or was recreated: from a restored backup, by hand, or by
 * servers that lost their disks. A leader that was elected a moment ago may not know all that
 * is stored, so a stream that is only shorter is believed when it is so for STEADY_MS.
 */
#ifndef VCOURIER_STREAM_LENGTH_H
#define VCOURIER_STREAM_LENGTH_H

#include "jetstream.h"

struct stream_length { /* all zero at first */
	bool known;
	int64_t created_us; /* of the stream, as NATS says; when `known` */
	struct steady shorter;
};

enum stream_length_state {
	STREAM_LENGTH_OK,
	STREAM_LENGTH_LOST,     /* the stream is not the one that was known */
	STREAM_LENGTH_UNSTEADY, /* it may be: err says why, ask again */
};

/*
 * known_seq: the last sequence that was stored; reconnects: number of reconnects to NATS so
 * far. Until stream_length_set every stream is OK.
 */
enum stream_length_state stream_length_check(struct stream_length *l, uint64_t known_seq,
	const struct stream_info *info, uint64_t reconnects, struct err *err);

void stream_length_set(struct stream_length *l, const struct stream_info *info);

#endif
