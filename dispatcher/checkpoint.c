// SPDX-License-Identifier: Apache-2.0
/*
 * Where we are in a stream. After a power cut, or when a backup was put back, the stream may
 * end earlier than its consumer's position, or may have grown again with other events, and what
 * is stored below that position would never be given out (nats-server issue 5412). So it is
 * kept apart, in a bucket on the bus, up to where everything is settled and when the stream
 * stored that event: a sequence can come again, its time cannot. Where the stream has another
 * event there, the consumer is made anew from that time.
 */
#include "dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define BUCKET "vcourier-places"

enum {
	MARGIN_S = 60, /* the server's clock may be set back by its restart */
	UNTOLD_S = 10, /* the bus is told every 5 s, by each dispatcher that runs */
	TIMEOUT_MS = 2000,
	FORBIDDEN_MS = 10 * 60 * 1000, /* until that is tried again */
};

#define US INT64_C(1000000)

/*
 * A finding that would move the consumer, or hide that it must be moved, counts when there has
 * been one for a while: after an election the leader may not have applied all that the stream
 * has. ERR_TIMEOUT: look again.
 */
static int
confirm(struct source *s, const char *finding, const char *leader, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t since_ms = stream_find_steady_for(
		&s->doubt, "place", leader, bus_reconnects(s->d->bus), now_ms);

	if (since_ms >= STEADY_MS)
		return 0;
	if (since_ms == 0)
		log_info(
			"the stream's leader may be behind: looking again before the consumer is moved",
			L_STR("stream", s->stream), L_STR("leader", leader),
			L_STR("finding", finding));
	return err_set(
		err, ERR_TIMEOUT, "%s: %s, but its leader may be behind", s->stream, finding);
}

/* When the stream stored this message; 0: it does not have it. */
static int
time_of(struct source *s, uint64_t seq, int64_t *us, struct err *err)
{
	struct message_search found;

	*us = 0;
	if (seq == 0)
		return 0;
	if (stream_find(s->d->bus, s->stream, seq, &found, err) != 0)
		return -1;
	if (found.presence == MESSAGE_BEYOND || found.presence == MESSAGE_UNKNOWN)
		return confirm(
			s, "a message that was delivered is not found", found.info.leader, err);
	if (found.presence == MESSAGE_FOUND) {
		*us = found.msg.time_us;
		jetstream_msg_free(&found.msg);
	}
	return 0;
}

/* ---- the bucket */

static void
write_key(const struct source *s, char key[256])
{
	snprintf(key, 256, "$KV." BUCKET ".%s.%s", s->d->durable, s->stream);
}

/* Permissions made before there was this bucket. */
static bool
forbidden(struct source *s)
{
	struct err why = { .code = ERR_NONE };

	bus_last_error(s->d->bus, &why);
	return why.code == ERR_FORBIDDEN && strstr(why.text, BUCKET) != NULL;
}

/*
 * What the bus was told last, and when by its own clock; 0: nothing. leader: of the stream, ""
 * without a cluster, where what is not found is not there.
 */
static int
read_checkpoint(struct source *s, const char *leader, struct checkpoint *checkpoint,
	int64_t *told_us, struct err *err)
{
	struct stream_info bucket;
	struct stream_msg msg;
	char key[256];

	*told_us = 0;
	*checkpoint = (struct checkpoint){ .seq = 0 };
	write_key(s, key);
	if (jetstream_stream_look(s->d->bus, "KV_" BUCKET, &bucket, err) != 0 ||
		jetstream_stream_get(s->d->bus, "KV_" BUCKET, 0, key, &msg, err) != 0) {
		if (err->code == ERR_NOT_FOUND)
			return confirm(
				s, "the place of this dispatcher is not found", leader, err);
		return forbidden(s) ? 0 : -1;
	}
	if (sscanf(msg.data, "%" SCNu64 " %" SCNd64, &checkpoint->seq,
		    &checkpoint->stored_us) == 2)
		*told_us = msg.time_us;
	jetstream_msg_free(&msg);
	return 0;
}

static int
tell(struct source *s, struct err *err)
{
	struct stream_config bucket = { .name = "KV_" BUCKET,
		.subjects = { "$KV." BUCKET ".>" },
		.duplicate_window_ms = 2 * 60 * 1000,
		.replicas = s->config.replicas,
		.discard_new = true,
		.max_msgs_per_subject = 1,
		.description = "vcourier: up to where each dispatcher has settled everything",
		.deny_delete = true,
		.deny_purge = true };
	struct stream_info info;
	struct pub_ack answer;
	char key[256], text[64];
	struct bus_out out = { .subject = key, .data = text };

	write_key(s, key);
	out.len = (size_t)snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64,
		s->checkpoint.seq, s->checkpoint.stored_us);
	if (jetstream_publish(s->d->bus, &out, TIMEOUT_MS, &answer, err) == 0)
		return 0;
	if (err->code == ERR_CONNECT ||
		jetstream_stream_ensure(s->d->bus, &bucket, &info, err) != 0)
		return -1;
	return jetstream_publish(s->d->bus, &out, TIMEOUT_MS, &answer, err);
}

void
checkpoint_note(struct source *s, const struct consumer_info *info)
{
	int64_t now_ms = clock_monotonic_ms(), us;
	uint64_t seq = info->ack_floor_stream_seq;
	struct err err;

	if (time_of(s, seq, &us, &err) != 0)
		return; /* a place without its time would hide a stream that was cut */
	/* it left the stream: that it is no older is all we know */
	if (us == 0 && s->has_checkpoint && seq >= s->checkpoint.seq)
		us = s->checkpoint.stored_us;
	s->checkpoint = (struct checkpoint){ seq, us };
	s->has_checkpoint = true;
	if (now_ms < s->checkpoint_due_ms)
		return;
	if (tell(s, &err) == 0) {
		s->checkpoint_stored = true;
		s->checkpoint_refused = false;
		return;
	}
	if (forbidden(s))
		s->checkpoint_due_ms = now_ms + FORBIDDEN_MS;
	if (!s->checkpoint_refused)
		log_warn(
			"the bus does not keep how far deliveries are: after a power cut of NATS events may be delivered "
			"again",
			L_STR("stream", s->stream), L_ERR(&err));
	s->checkpoint_refused = true;
}

/* ---- is it the same stream */

/* The consumer's begin, so that nothing that was stored behind this place is left out. */
static int
start_after(struct source *s, const struct checkpoint *checkpoint, struct consumer_config *c,
	struct err *err)
{
	int64_t us;

	if (time_of(s, checkpoint->seq, &us, err) != 0)
		return -1;
	if (checkpoint->stored_us == 0) {
		c->deliver = DELIVER_ALL;
	} else if (us == checkpoint->stored_us) {
		c->deliver = DELIVER_FROM_SEQ;
		c->start_seq = checkpoint->seq + 1;
	} else {
		c->deliver = DELIVER_FROM_TIME;
		c->start_time_us = checkpoint->stored_us - MARGIN_S * US;
	}
	return 0;
}

/* What is in hand, and what is known of the consumer, is of a stream that is no more. */
static int
recreate_consumer(struct source *s, const struct checkpoint *checkpoint,
	struct consumer_info *info, struct consumer_config *c, struct err *err)
{
	log_error(
		"stream is not as long, or not the same, as when this consumer read it: made anew from where it was",
		L_STR("stream", s->stream), L_STR("consumer", s->d->durable),
		L_INT("position", (int64_t)info->delivered_stream_seq),
		L_INT("settled", (int64_t)checkpoint->seq));
	if (start_after(s, checkpoint, c, err) != 0)
		return -1;
	watch_forget(s);
	if (jetstream_consumer_recreate(s->d->bus, c, info, err) != 0)
		return -1;
	s->checkpoint = *checkpoint;
	s->snapshot = (struct snapshot){ .known = false };
	return 0;
}

/*
 * Others deliver while nobody tells the bus of it: not dispatchers. So the event at the
 * consumer's position came after the last one that ran, and took the place of another.
 */
static int
grown_unseen(struct source *s, const struct consumer_info *info, int64_t told_us, bool *unseen,
	struct err *err)
{
	int64_t us;

	*unseen = false;
	if (told_us == 0) {
		*unseen = s->checkpoint_stored; /* what it was told is lost, too */
		return 0;
	}
	if (time_of(s, info->delivered_stream_seq, &us, err) != 0)
		return -1;
	*unseen = us > told_us + UNTOLD_S * US;
	return 0;
}

static int
stream_replaced(struct source *s, const struct checkpoint *checkpoint,
	const struct stream_info *stream, bool *other, struct err *err)
{
	int64_t us;

	if (time_of(s, checkpoint->seq, &us, err) != 0)
		return -1;
	*other = checkpoint->seq > stream->last_seq ||
		(us != 0 && checkpoint->stored_us != 0 && us != checkpoint->stored_us);
	return 0;
}

int
checkpoint_check(struct source *s, struct stream_info *stream, struct consumer_info *info,
	struct consumer_config *c, struct err *err)
{
	uint64_t reconnects = bus_reconnects(s->d->bus);
	struct checkpoint checkpoint = s->checkpoint, told;
	bool other, ahead, unseen = false;
	int64_t told_us;

	if (!s->has_checkpoint ||
		s->verified_at_reconnect !=
			reconnects + 1) { /* the server may have started anew */
		if (read_checkpoint(s, info->delivered_stream_seq == 0 ? "" : stream->leader,
			    &told, &told_us, err) != 0 ||
			grown_unseen(s, info, told_us, &unseen, err) != 0)
			return -1;
		if (!s->has_checkpoint ||
			(told.seq > checkpoint.seq && told.stored_us > checkpoint.stored_us))
			checkpoint = told;
	}
	/* a look at the stream that is older than the one at the consumer proves nothing */
	if ((checkpoint.seq > stream->last_seq ||
		    info->delivered_stream_seq > stream->last_seq) &&
		jetstream_stream_look(s->d->bus, s->stream, stream, err) != 0)
		return -1;
	if (stream_replaced(s, &checkpoint, stream, &other, err) != 0)
		return -1;
	ahead = info->delivered_stream_seq > stream->last_seq;
	if ((ahead || other || unseen) &&
		confirm(s, "the stream is not the one that was read", stream->leader, err) != 0)
		return -1;
	metric_set(s->d->metrics.consumer_ahead, ahead || other || unseen);
	if (other && !ahead && s->known && s->created_us != info->created_us) {
		watch_forget(s); /* another dispatcher was first */
		s->has_checkpoint = false;
	} else if ((other || ahead || unseen) &&
		recreate_consumer(s, &checkpoint, info, c, err) != 0) {
		return -1;
	}
	metric_set(s->d->metrics.consumer_ahead, 0);
	s->doubt.what = NULL;
	s->verified_at_reconnect = reconnects + 1;
	return 0;
}
