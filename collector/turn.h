// SPDX-License-Identifier: Apache-2.0
/* What the collector's loop does after a turn, by who failed. Pure. */
#ifndef VCOURIER_TURN_H
#define VCOURIER_TURN_H

#include <stdbool.h>

#include "err.h"
#include "source.h"

enum turn_wait {
	TURN_NO_WAIT,
	TURN_WAIT_SHORT,     /* the source is not ready */
	TURN_WAIT_BACKOFF,   /* longer after each failure in a row */
	TURN_WAIT_FORBIDDEN, /* an administrator has to grant a privilege */
	TURN_WAIT_LOGIN, /* until the credentials change, or long enough to lock no account */
};

struct turn_plan {
	enum turn_wait wait;
	bool source_failed; /* report the source's failure */
	bool stream_failed; /* report the stream's failure */
	bool load_stream;   /* the stream is not what we know: read it again */
	bool first_attempt; /* counts as a failure without a wait: the next one waits */
};

/*
 * code: of the error, ERR_NONE without one; attempts: failures in a row before this one. A
 * session that is gone is created again at once, the first time. ERR_CONFLICT of the stream is
 * another writer's message: nothing is broken.
 */
struct turn_plan turn_plan(enum source_result result, enum err_code code, unsigned attempts);

#endif
