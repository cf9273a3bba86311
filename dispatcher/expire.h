// SPDX-License-Identifier: Apache-2.0
/*
 * Counts events that left the stream, by its limits, before they were delivered to any
 * dispatcher. The server does not report them: they are the difference between what it says of
 * stream and consumer at two times. Only the watch thread uses this.
 */
#ifndef VCOURIER_EXPIRE_H
#define VCOURIER_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "jetstream.h"

struct expire;

struct expire_config { /* all borrowed */
	struct bus *bus;
	const char *stream, *durable;
	const char *filter; /* the consumer's subject; "": it reads the whole stream */
};

struct expire *expire_open(const struct expire_config *config);
void expire_close(struct expire *expire); /* NULL is fine */

/*
 * Events that left since the last call; 0 for the first one. Both infos must come from leaders
 * that have applied all that was stored. redeliveries: of the consumer to this process, counted
 * before the infos were requested. With a filter a count may have to wait for the next call.
 */
uint64_t expire_count(struct expire *expire, const struct stream_info *stream,
	const struct consumer_info *consumer, uint64_t redeliveries);
/* The consumer or the stream was recreated: the next call is a first one. */
void expire_forget(struct expire *expire);

/* ---- the sums; pure */

struct expire_sample {
	uint64_t removed_to;     /* the stream has no sequence up to this one */
	uint64_t last, messages; /* of the stream */
	uint64_t position;       /* all sequences up to here were delivered, or have left */
	uint64_t pending;        /* events for the consumer that were not delivered yet */
	uint64_t deliveries;     /* of the consumer, redeliveries included */
	uint64_t redeliveries;   /* to this process */
};

struct expire_sample expire_sample_of(const struct stream_info *stream,
	const struct consumer_info *consumer, uint64_t redeliveries);

/*
 * Events that left between two samples. passed: events that the consumer's position passed in
 * this time, delivered or not.
 */
uint64_t expire_between(
	const struct expire_sample *was, const struct expire_sample *now, uint64_t passed);

#endif
