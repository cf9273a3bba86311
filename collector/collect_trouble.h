// SPDX-License-Identifier: Apache-2.0
/*
 * What the collector failed at last, and whether that is over. For the thread of its loop.
 */
#ifndef VCOURIER_COLLECT_TROUBLE_H
#define VCOURIER_COLLECT_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "publisher.h"

/* Zero it to begin. */
struct collect_trouble {
	char text[320];    /* that was logged last; "": nothing is wrong */
	int64_t logged_ms; /* monotonic */
	/* the stream can be read, and stores nothing; `stored` messages were stored before */
	bool refused;
	uint64_t stored;
};

/*
 * Reports a failure of a peer ("nats", "stream" or the source's name) on /readyz and in the
 * log, where one that lasts comes once a minute.
 */
void collect_trouble_report(struct collect_trouble *trouble, const char *peer,
	const char *message, const struct err *err);
/* The stream failed with this code. */
void collect_trouble_refused(
	struct collect_trouble *trouble, struct publisher *publisher, enum err_code code);
/*
 * A turn has succeeded. True: nothing is wrong any more. False: the stream stored nothing
 * before the turn and nothing since; the turn has ended before its messages were acked.
 */
bool collect_trouble_end(struct collect_trouble *trouble, struct publisher *publisher);

#endif
