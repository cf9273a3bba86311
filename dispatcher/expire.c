// SPDX-License-Identifier: Apache-2.0
#include "expire.h"

#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "mem.h"

struct expire {
	struct expire_config config;
	bool known; /* there is a last sample */
	struct expire_sample last;
};

struct expire *
expire_open(const struct expire_config *config)
{
	struct expire *expire = mem_alloc(sizeof(*expire));

	expire->config = *config;
	return expire;
}

void
expire_close(struct expire *expire)
{
	free(expire);
}

void
expire_forget(struct expire *expire)
{
	expire->known = false;
}

struct expire_sample
expire_sample_of(const struct stream_info *stream, const struct consumer_info *consumer,
	uint64_t redeliveries)
{
	struct expire_sample sample = {
		.removed_to = stream->first_seq > 0 ? stream->first_seq - 1 : 0,
		.last = stream->last_seq,
		.messages = stream->messages,
		.position = consumer->delivered_stream_seq,
		.pending = consumer->pending,
		.deliveries = consumer->delivered_consumer_seq,
		.redeliveries = redeliveries
	};

	if (sample.position < sample.removed_to)
		sample.position = sample.removed_to;
	return sample;
}

/*
 * An upper limit, from the stream's numbers alone: sequences that are missing in it, and those
 * before its first one that the consumer had not reached. A server that was killed forgets some
 * of its deliveries, so the consumer's numbers alone may show too many.
 */
static uint64_t
most_that_left(const struct expire_sample *was, const struct expire_sample *now)
{
	uint64_t span = now->last - now->removed_to;
	uint64_t holes = span > now->messages ? span - now->messages : 0;

	return holes + (now->removed_to > was->position ? now->removed_to - was->position : 0);
}

uint64_t
expire_between(
	const struct expire_sample *was, const struct expire_sample *now, uint64_t passed)
{
	uint64_t again, deliveries, left, most;

	/* the consumer is another one, or was set back */
	if (now->deliveries < was->deliveries || now->position < was->position)
		return 0;
	deliveries = now->deliveries - was->deliveries;
	again = now->redeliveries - was->redeliveries;
	deliveries = deliveries > again ? deliveries - again : 0;
	left = passed > deliveries ? passed - deliveries : 0;
	most = most_that_left(was, now);
	return left < most ? left : most;
}

/*
 * Events for this consumer from seq on. Only the info of a consumer that starts there has that
 * number. No dispatcher can have its name.
 */
static int
count_from(struct expire *expire, uint64_t seq, uint64_t *n, struct err *err)
{
	const struct expire_config *config = &expire->config;
	char name[128];
	struct consumer_config c = { .stream = config->stream,
		.name = name,
		.filter_subject = config->filter,
		.deliver = DELIVER_FROM_SEQ,
		.start_seq = seq,
		.ack_wait_ms = 1000,
		.max_ack_pending = 1 };
	struct consumer_info info;

	snprintf(name, sizeof(name), "%s~count", config->durable);
	/* one that an earlier process did not delete starts elsewhere */
	if (jetstream_consumer_recreate(config->bus, &c, &info, err) != 0)
		return -1;
	*n = info.pending;
	return jetstream_consumer_delete(config->bus, config->stream, name, err);
}

/*
 * With a filter, sequences that the consumer passed include events of others. Instead:
 * passed = pending before + stored since - pending now. The sum holds only when nothing was
 * stored between the infos of stream and consumer. False: it is not known now.
 */
static bool
passed_by_filter(struct expire *expire, const struct expire_sample *now, uint64_t *passed)
{
	const struct expire_sample *was = &expire->last;
	bool removed = expire->known && now->removed_to > was->position;
	struct stream_info stream;
	uint64_t stored = 0;
	struct err err = { .code = ERR_NONE };

	if (removed && now->last > was->last &&
		count_from(expire, was->last + 1, &stored, &err) != 0) {
		log_debug("cannot count events that left the stream",
			L_STR("stream", expire->config.stream), L_ERR(&err));
		return false;
	}
	if (jetstream_stream_look(expire->config.bus, expire->config.stream, &stream, &err) !=
			0 ||
		stream.last_seq != now->last)
		return false;
	*passed = removed && was->pending + stored > now->pending
		? was->pending + stored - now->pending
		: 0;
	return true;
}

uint64_t
expire_count(struct expire *expire, const struct stream_info *stream,
	const struct consumer_info *consumer, uint64_t redeliveries)
{
	struct expire_sample was = expire->last,
			     now = expire_sample_of(stream, consumer, redeliveries);
	uint64_t passed = now.position - was.position;
	bool known = expire->known;

	if (expire->config.filter[0] != '\0' && !passed_by_filter(expire, &now, &passed))
		return 0;
	expire->last = now;
	expire->known = true;
	return known ? expire_between(&was, &now, passed) : 0;
}
