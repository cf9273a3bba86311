// SPDX-License-Identifier: Apache-2.0
/*
 * One check of a stream and of the durable consumer on it: creates what is missing, reports
 * what does not fit, repairs what can be repaired. Only the watch thread uses this; each call
 * waits for the server.
 */
#ifndef VCOURIER_STREAM_CHECK_H
#define VCOURIER_STREAM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "dispatcher_options.h"
#include "jetstream.h"
#include "metrics.h"

struct stream_check;

struct stream_check_config { /* all borrowed */
	struct bus *bus;
	const char *durable;
	const struct stream_config *stream;
	const char *filter;     /* the consumer's subject; "": the whole stream */
	const char *start_from; /* where a new consumer starts */
	bool replay;            /* the replay stream */
	bool discovered;        /* it is not created, and its settings are not known */
	const struct dispatch_options *options;
	struct metric *expired; /* counts events that left the stream undelivered */
};

/*
 * The stream was recreated, or cut and grown again: the known sequences belong to other events.
 * Called before the new consumer can deliver.
 */
typedef void stream_check_recreated_fn(void *ctx);

struct stream_check *stream_check_open(const struct stream_check_config *config,
	stream_check_recreated_fn *on_recreated, void *ctx);
void stream_check_close(struct stream_check *check); /* NULL is fine */

struct stream_check_input {
	uint64_t redelivered;  /* messages that were redelivered to this process so far */
	int requested;         /* messages that open pulls wait for; 0 while messages come */
	struct steady *leader; /* since when the stream has had its leader */
};

/* True when stream and consumer exist and fit; then *info is the consumer's. */
bool stream_check_run(struct stream_check *check, const struct stream_check_input *input,
	struct consumer_info *info);

/* ---- findings of the last run */

/* When the first unsettled event was stored; 0: there is none. */
int64_t stream_check_oldest_us(const struct stream_check *check);
/* The consumer's position is not in the stream, and it could not be recreated yet. */
bool stream_check_consumer_ahead(const struct stream_check *check);
/* Why stream or consumer do not fit; "": they do, or it is not known. Valid until the next. */
const char *stream_check_trouble(const struct stream_check *check);

#endif
