// SPDX-License-Identifier: Apache-2.0
#include "checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "log.h"
#include "mem.h"

enum {
	MARGIN_S = 60, /* the server's clock may be set back by its restart */
	/* each dispatcher that runs writes its checkpoint every 5 s (LOOK_MS of the watch) */
	UNWRITTEN_S = 10,
};

#define US INT64_C(1000000)

struct checkpoint {
	struct checkpoint_config config;
	bool known; /* position is set; its time is, unless its message had left the stream */
	struct stream_position position;
	int64_t consumer_created_us; /* at the last check; 0: there was none */
	bool stored;                 /* the bus has stored one from this process */
	/* 1 + reconnects of the bus when the check in progress, the last complete one, began */
	uint64_t checking_at, checked_at; /* 0: there was none */
	struct steady doubt;              /* a finding that counts when it has lasted */
	struct bucket_failure failure;    /* it cannot be stored */
};

struct checkpoint *
checkpoint_open(const struct checkpoint_config *config)
{
	struct checkpoint *c = mem_alloc(sizeof(*c));

	c->config = *config;
	return c;
}

void
checkpoint_close(struct checkpoint *c)
{
	free(c);
}

void
checkpoint_forget(struct checkpoint *c)
{
	c->known = false;
}

/* ---- the decision */

enum checkpoint_verdict
checkpoint_decide(const struct checkpoint_facts *f)
{
	bool ahead = f->delivered > f->stream_last;
	bool replaced = f->checkpoint.seq > f->stream_last ||
		(f->found_us != 0 && f->checkpoint.stored_us != 0 &&
			f->found_us != f->checkpoint.stored_us);
	/*
	 * While a dispatcher runs it writes checkpoints. An event at the consumer's position
	 * that was stored later than the last one was not delivered by a dispatcher: it took
	 * the sequence of another event.
	 */
	bool regrown = f->bucket_read &&
		(f->written_us == 0 ? f->was_stored /* the checkpoint is lost, too */
				    : f->delivered_us > f->written_us + UNWRITTEN_S * US);

	if (!ahead && !replaced && !regrown)
		return CHECKPOINT_VALID;
	if (replaced && !ahead && f->consumer_is_other)
		return CHECKPOINT_REPLACED;
	return CHECKPOINT_INVALID;
}

/* ---- what the stream says */

/*
 * A finding that moves the consumer, or hides that it must be moved, counts only when it has
 * lasted: after an election the leader may not have applied all that the stream has.
 * ERR_TIMEOUT: check again.
 */
static int
confirm(struct checkpoint *c, const char *finding, const char *leader, struct err *err)
{
	int64_t since_ms = stream_find_steady_for(&c->doubt, "checkpoint", leader,
		bus_reconnects(c->config.bus), clock_monotonic_ms());

	if (since_ms >= STEADY_MS)
		return 0;
	if (since_ms == 0)
		log_info(
			"the stream's leader may lag: checking again before the consumer is moved",
			L_STR("stream", c->config.stream), L_STR("leader", leader),
			L_STR("finding", finding));
	return err_set(
		err, ERR_TIMEOUT, "%s: %s, but its leader may lag", c->config.stream, finding);
}

/* When the stream stored this message; 0: it does not have it. */
static int
stored_time(struct checkpoint *c, uint64_t seq, int64_t *us, struct err *err)
{
	struct message_search found;

	*us = 0;
	if (seq == 0)
		return 0;
	if (stream_find(c->config.bus, c->config.stream, seq, &found, err) != 0)
		return -1;
	if (found.presence == MESSAGE_BEYOND || found.presence == MESSAGE_UNKNOWN)
		return confirm(c, "a delivered message is not found", found.info.leader, err);
	if (found.presence == MESSAGE_FOUND) {
		*us = found.msg.time_us;
		jetstream_msg_free(&found.msg);
	}
	return 0;
}

/* ---- the bucket */

static void
write_key(const struct checkpoint *c, char key[256])
{
	snprintf(key, 256, "%s.%s", c->config.durable, c->config.stream);
}

/*
 * The checkpoint in the bucket, and when it was written; 0: there is none. leader: the
 * stream's; "" when there is no cluster, or when an answer "not found" needs no confirmation.
 */
static int
read_bucket(struct checkpoint *c, const char *leader, struct stream_position *position,
	int64_t *written_us, struct err *err)
{
	struct stream_msg msg;
	char key[256];

	*written_us = 0;
	*position = (struct stream_position){ .seq = 0 };
	write_key(c, key);
	if (bucket_get(c->config.bus, key, &msg, err) != 0) {
		if (err->code == ERR_NOT_FOUND)
			return confirm(c, "the delivery checkpoint is not found", leader, err);
		return bucket_is_forbidden(c->config.bus) ? 0 : -1;
	}
	/* NOLINTNEXTLINE(cert-err34-c): a number too large saturates */
	if (sscanf(msg.data, "%" SCNu64 " %" SCNd64, &position->seq, &position->stored_us) == 2)
		*written_us = msg.time_us;
	jetstream_msg_free(&msg);
	return 0;
}

/* The collector creates the bucket (checkpoint_bucket.h). */
static int
write_bucket(struct checkpoint *c, struct err *err)
{
	char key[256], text[64];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64, c->position.seq,
		c->position.stored_us);

	write_key(c, key);
	return bucket_put(c->config.bus, key, text, (size_t)len, err);
}

void
checkpoint_store(struct checkpoint *c, const struct consumer_info *info)
{
	int64_t now_ms = clock_monotonic_ms(), us;
	uint64_t seq = info->ack_floor_stream_seq;
	struct err err;

	c->consumer_created_us = info->created_us;
	if (stored_time(c, seq, &us, &err) != 0)
		return; /* a checkpoint without its time would hide that the stream was cut */
	/* it left the stream: all that is known is that it is not older */
	if (us == 0 && c->known && seq >= c->position.seq)
		us = c->position.stored_us;
	c->position = (struct stream_position){ seq, us };
	c->known = true;
	if (now_ms < c->failure.due_ms)
		return;
	if (write_bucket(c, &err) == 0) {
		c->stored = true;
		c->failure = (struct bucket_failure){ .logged = false };
	} else if (bucket_failed(&c->failure, c->config.bus, err.code, now_ms)) {
		log_warn(
			"delivery checkpoint cannot be stored: after a power cut of NATS events may be delivered again",
			L_STR("stream", c->config.stream), L_ERR(&err));
	}
}

/* ---- the check */

static void
set_checked(struct checkpoint *c)
{
	c->doubt.what = NULL;
	c->checked_at = c->checking_at;
}

/* Once for each connection, and while this process has no checkpoint. */
static int
read_stored(struct checkpoint *c, const char *leader, const struct consumer_info *info,
	struct checkpoint_facts *f, struct err *err)
{
	struct stream_position stored;

	if (read_bucket(c, info->delivered_stream_seq == 0 ? "" : leader, &stored,
		    &f->written_us, err) != 0)
		return -1;
	f->bucket_read = true;
	if (f->written_us != 0 &&
		stored_time(c, info->delivered_stream_seq, &f->delivered_us, err) != 0)
		return -1;
	if (!c->known ||
		(stored.seq > f->checkpoint.seq && stored.stored_us > f->checkpoint.stored_us))
		f->checkpoint = stored;
	return 0;
}

int
checkpoint_check(struct checkpoint *c, struct stream_info *stream,
	const struct consumer_info *info, struct checkpoint_finding *finding, struct err *err)
{
	struct checkpoint_facts f = { .checkpoint = c->position,
		.was_stored = c->stored,
		.delivered = info->delivered_stream_seq,
		.consumer_is_other = c->consumer_created_us != 0 &&
			c->consumer_created_us != info->created_us };

	c->checking_at = bus_reconnects(c->config.bus) + 1;
	if ((!c->known || c->checked_at != c->checking_at) &&
		read_stored(c, stream->leader, info, &f, err) != 0)
		return -1;
	/* a stream info that is older than the consumer info proves nothing */
	if ((f.checkpoint.seq > stream->last_seq || f.delivered > stream->last_seq) &&
		jetstream_stream_look(c->config.bus, c->config.stream, stream, err) != 0)
		return -1;
	f.stream_last = stream->last_seq;
	if (stored_time(c, f.checkpoint.seq, &f.found_us, err) != 0)
		return -1;
	finding->verdict = checkpoint_decide(&f);
	finding->position = f.checkpoint;
	if (finding->verdict != CHECKPOINT_VALID &&
		confirm(c, "the stream is not the one that was read", stream->leader, err) != 0)
		return -1;
	if (finding->verdict == CHECKPOINT_REPLACED)
		c->known = false;
	if (finding->verdict != CHECKPOINT_INVALID)
		set_checked(c);
	return 0;
}

int
checkpoint_start_after(struct checkpoint *c, const struct stream_position *position,
	struct consumer_config *consumer, struct err *err)
{
	int64_t us;

	if (stored_time(c, position->seq, &us, err) != 0)
		return -1;
	if (position->stored_us == 0) {
		consumer->deliver = DELIVER_ALL;
	} else if (us == position->stored_us) {
		consumer->deliver = DELIVER_FROM_SEQ;
		consumer->start_seq = position->seq + 1;
	} else {
		consumer->deliver = DELIVER_FROM_TIME;
		consumer->start_time_us = position->stored_us - MARGIN_S * US;
	}
	return 0;
}

void
checkpoint_recreated(struct checkpoint *c, const struct stream_position *position)
{
	c->position = *position;
	set_checked(c);
}
