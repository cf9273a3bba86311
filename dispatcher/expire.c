// SPDX-License-Identifier: Apache-2.0
/*
 * Events that left the stream, by its limits, before they were given to anybody. No message
 * tells of them; they are what is missing when the consumer's numbers of two looks are
 * compared.
 */
#include "dispatch.h"

#include <stdio.h>

#include "log.h"

/*
 * How many events for this consumer the stream has from seq on: only a consumer that begins
 * there can tell. Its name is none that a dispatcher can have.
 */
static int
count_from(struct source *s, uint64_t seq, uint64_t *n, struct err *err)
{
	char name[sizeof(s->d->durable) + 8];
	struct consumer_config c = { .stream = s->stream,
		.name = name,
		.filter_subject = s->filter,
		.deliver = DELIVER_FROM_SEQ,
		.start_seq = seq,
		.ack_wait_ms = 1000,
		.max_ack_pending = 1 };
	struct consumer_info info;

	snprintf(name, sizeof(name), "%s~count", s->d->durable);
	/* one that an earlier process left here begins elsewhere */
	if (jetstream_consumer_recreate(s->d->bus, &c, &info, err) != 0)
		return -1;
	*n = info.pending;
	return jetstream_consumer_delete(s->d->bus, s->stream, name, err);
}

/*
 * With a filter the sequences that the consumer passed over are others' events, too. But what
 * was pending, and what came since, is pending, or was given out, or has left. Only told when
 * no event came between the looks at stream and consumer; else the next look tells it all.
 */
static bool
left_of_filtered(struct source *s, const struct snapshot *now, bool some, uint64_t *left)
{
	struct stream_info stream;
	uint64_t came = 0;
	struct err err = { .code = ERR_NONE };

	if (some && now->last > s->snapshot.last &&
		count_from(s, s->snapshot.last + 1, &came, &err) != 0) {
		log_debug("cannot count events that left the stream",
			L_STR("stream", s->stream), L_ERR(&err));
		return false;
	}
	if (jetstream_stream_look(s->d->bus, s->stream, &stream, &err) != 0 ||
		stream.last_seq != now->last)
		return false;
	*left = some && s->snapshot.pending + came > now->pending
		? s->snapshot.pending + came - now->pending
		: 0;
	return true;
}

/*
 * How many can have left since the last look that were not given out then: a server
 * that was killed forgets how often it gave out what, so the consumer's numbers alone
 * may tell of too many.
 */
static uint64_t
most_that_left(const struct source *s, const struct stream_info *stream)
{
	uint64_t before = stream->first_seq > 0 ? stream->first_seq - 1 : 0;
	uint64_t span = stream->last_seq - before;
	uint64_t holes = span > stream->messages ? span - stream->messages : 0;

	return holes +
		(before > s->snapshot.delivered_seq ? before - s->snapshot.delivered_seq : 0);
}

void
expire_count(struct source *s, const struct stream_info *stream,
	const struct consumer_info *info, uint64_t redelivered)
{
	uint64_t before = stream->first_seq > 0 ? stream->first_seq - 1 : 0, left, again,
		 first_times, most;
	struct snapshot now = { .known = true,
		.delivered_seq = info->delivered_stream_seq,
		.last = stream->last_seq,
		.pending = info->pending,
		.given = info->delivered_consumer_seq,
		.redelivered = redelivered };
	const struct snapshot *was = &s->snapshot;

	if (now.delivered_seq < before)
		now.delivered_seq = before;
	left = now.delivered_seq - was->delivered_seq;
	if (s->filter[0] != '\0' &&
		!left_of_filtered(s, &now, was->known && before > was->delivered_seq, &left))
		return;
	if (was->known && now.given >= was->given && now.delivered_seq >= was->delivered_seq) {
		again = now.redelivered - was->redelivered;
		first_times = now.given - was->given > again ? now.given - was->given - again
							     : 0;
		left = left > first_times ? left - first_times : 0;
		most = most_that_left(s, stream);
		if (left > most)
			left = most;
		if (left > 0) {
			metric_add(s->d->metrics.expired, left);
			log_error("events left the stream before they were delivered",
				L_STR("stream", s->stream), L_INT("events", (int64_t)left));
		}
	}
	s->snapshot = now;
}
