// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "stream_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "clock.h"
#include "expire.h"
#include "log.h"
#include "mem.h"
#include "stream_metrics.h"

enum {
	STALLED_MS = 15 * 1000,
	MISSING_MS = 500,
	MAX_ACK_PENDING = 50000, /* of all replicas together */
};

struct stream_check {
	struct stream_check_config config;
	stream_check_recreated_fn *on_recreated;
	void *ctx;
	const char *stream; /* its name */
	struct checkpoint *checkpoint;
	struct expire *expire;
	bool known;         /* the consumer existed at an earlier check */
	int64_t missing_ms; /* since when the stream does not exist; 0: it does */
	bool consumer_ahead;
	int64_t stream_created_us, oldest_us;
	uint64_t ack_floor;      /* at the last check */
	uint64_t deliveries;     /* of the consumer at the last check */
	int64_t stalled_ms;      /* since when the consumer has delivered nothing; 0: it does */
	struct steady not_found; /* the consumer; counts when it has lasted */
	struct steady consumer_leader;   /* since when it has been the same */
	char trouble[256], differs[256]; /* last reported */
};

struct stream_check *
stream_check_open(const struct stream_check_config *config,
	stream_check_recreated_fn *on_recreated, void *ctx)
{
	struct checkpoint_config checkpoint = {
		.bus = config->bus, .stream = config->stream->name, .durable = config->durable
	};
	struct expire_config expire = { .bus = config->bus,
		.stream = config->stream->name,
		.durable = config->durable,
		.filter = config->filter };
	struct stream_check *c = mem_alloc(sizeof(*c));

	c->config = *config;
	c->on_recreated = on_recreated;
	c->ctx = ctx;
	c->stream = config->stream->name;
	c->checkpoint = checkpoint_open(&checkpoint);
	c->expire = expire_open(&expire);
	return c;
}

void
stream_check_close(struct stream_check *check)
{
	if (check == NULL)
		return;
	checkpoint_close(check->checkpoint);
	expire_close(check->expire);
	free(check);
}

/* Logs each new trouble once. */
static void
set_trouble(struct stream_check *check, const char *trouble)
{
	if (strcmp(trouble, check->trouble) == 0)
		return;
	snprintf(check->trouble, sizeof(check->trouble), "%s", trouble);
	if (*trouble != '\0')
		log_error("consumer is not usable", L_STR("stream", check->stream),
			L_STR("consumer", check->config.durable), L_STR("error", trouble));
}

/* The sequences that are known belong to other events now. */
static void
forget_sequences(struct stream_check *check)
{
	check->on_recreated(check->ctx);
}

/* Where a consumer starts: a new one as configured, a lost one where it was. */
static void
fill_config(const struct stream_check *check, struct consumer_config *c)
{
	const struct dispatch_options *o = check->config.options;
	enum dispatch_start start = START_EARLIEST;

	*c = (struct consumer_config){ .stream = check->stream,
		.name = check->config.durable,
		.filter_subject = check->config.filter[0] != '\0' ? check->config.filter : NULL,
		.ack_wait_ms = o->ack_wait_ms,
		.max_ack_pending = o->ordering == ORDERING_STRICT ? 1 : MAX_ACK_PENDING };
	if (check->known) { /* it was removed */
		c->deliver = check->ack_floor == 0 ? DELIVER_ALL : DELIVER_FROM_SEQ;
		c->start_seq = check->ack_floor + 1;
		return;
	}
	dispatcher_options_start_parse(check->config.start_from, &start, &c->start_time_us);
	c->deliver = start == START_NOW ? DELIVER_NEW
		: start == START_TIME   ? DELIVER_FROM_TIME
					: DELIVER_ALL;
}

static void
note_stream(struct stream_check *check, const struct stream_info *stream)
{
	if (check->stream_created_us != 0 && check->stream_created_us != stream->created_us) {
		log_error("stream was recreated: starting from its beginning",
			L_STR("stream", check->stream));
		check->ack_floor = 0;
		expire_forget(check->expire);
		checkpoint_forget(check->checkpoint);
		forget_sequences(check);
	}
	check->stream_created_us = stream->created_us;
	stream_metrics_set(check->stream, stream);
}

/*
 * A stream that was removed is created again, but MISSING_MS later: nats-server 2.9 never wakes
 * the consumer of a stream that is created while its predecessor is still being removed. To
 * wait for the next check is not enough: each pull that ends with the consumer requests one.
 */
static int
ensure_stream(struct stream_check *check, struct stream_info *stream, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms();
	bool waited = check->missing_ms != 0 && now_ms - check->missing_ms >= MISSING_MS;

	if (check->config.discovered) {
		if (jetstream_stream_look(check->config.bus, check->stream, stream, err) != 0)
			return -1;
		note_stream(check, stream);
		return 0;
	}
	if (check->known && !waited &&
		jetstream_stream_look(check->config.bus, check->stream, stream, err) != 0) {
		if (err->code != ERR_NOT_FOUND)
			check->missing_ms = 0;
		else if (check->missing_ms == 0)
			check->missing_ms = now_ms;
		return -1;
	}
	check->missing_ms = 0;
	if (jetstream_stream_ensure(check->config.bus, check->config.stream, stream, err) != 0)
		return -1;
	note_stream(check, stream);
	return 0;
}

/*
 * The leader of a cluster answers before it has read all of its log: a consumer that it does
 * not find is created only when that has lasted.
 */
static int
ensure_consumer(struct stream_check *check, const struct stream_info *stream,
	const struct consumer_config *c, struct consumer_info *info, struct err *err)
{
	struct bus *bus = check->config.bus;

	if (jetstream_consumer_look(bus, check->stream, check->config.durable, info, err) !=
			0 &&
		err->code == ERR_NOT_FOUND) {
		if (stream_find_steady_for(&check->not_found, "consumer", stream->leader,
			    bus_reconnects(bus), clock_monotonic_ms()) < STEADY_MS)
			return err_set(err, ERR_TIMEOUT, "consumer %s of %s is not found yet",
				check->config.durable, check->stream);
		if (check->known)
			log_error("consumer was removed: recreated",
				L_STR("stream", check->stream),
				L_STR("consumer", check->config.durable));
		expire_forget(check->expire);
	}
	if (jetstream_consumer_ensure(bus, c, info, err) != 0)
		return -1;
	check->not_found.what = NULL;
	return 0;
}

static int
recreate_consumer(struct stream_check *check, const struct stream_position *position,
	struct consumer_config *c, struct consumer_info *info, struct err *err)
{
	log_error("stream was cut or replaced since this consumer read it: consumer recreated",
		L_STR("stream", check->stream), L_STR("consumer", check->config.durable),
		L_INT("position", (int64_t)info->delivered_stream_seq),
		L_INT("settled", (int64_t)position->seq));
	if (checkpoint_start_after(check->checkpoint, position, c, err) != 0)
		return -1;
	forget_sequences(check); /* before the new consumer can deliver */
	if (jetstream_consumer_recreate(check->config.bus, c, info, err) != 0)
		return -1;
	checkpoint_recreated(check->checkpoint, position);
	expire_forget(check->expire);
	return 0;
}

/* The consumer's position must be one in this stream. */
static int
ensure_position(struct stream_check *check, struct stream_info *stream,
	struct consumer_config *c, struct consumer_info *info, struct err *err)
{
	struct checkpoint_finding finding;

	if (checkpoint_check(check->checkpoint, stream, info, &finding, err) != 0)
		return -1;
	check->consumer_ahead = finding.verdict != CHECKPOINT_VALID;
	if (finding.verdict == CHECKPOINT_REPLACED)
		forget_sequences(check);
	if (finding.verdict == CHECKPOINT_INVALID &&
		recreate_consumer(check, &finding.position, c, info, err) != 0)
		return -1;
	check->consumer_ahead = false;
	return 0;
}

static int
check_all(struct stream_check *check, struct stream_info *stream, struct consumer_info *info,
	struct err *err)
{
	struct consumer_config c;

	if (ensure_stream(check, stream, err) != 0)
		return -1;
	fill_config(check, &c);
	if (ensure_consumer(check, stream, &c, info, err) != 0 ||
		ensure_position(check, stream, &c, info, err) != 0)
		return -1;
	if (info->differs[0] != '\0' && strcmp(info->differs, check->differs) != 0)
		log_warn("consumer has other settings than configured; it is not changed",
			L_STR("stream", check->stream),
			L_STR("consumer", check->config.durable),
			L_STR("differs", info->differs));
	snprintf(check->differs, sizeof(check->differs), "%s", info->differs);
	if (info->unusable)
		return err_set(err, ERR_CONFIG, "%s", info->differs);
	return 0;
}

/*
 * nats-server 2.9 can leave a consumer asleep when its stream was removed and created again at
 * once: events are pending, a pull waits for them, and none is delivered. A new consumer that
 * starts where this one was delivers. True: this one was removed.
 */
static bool
remove_if_stalled(struct stream_check *check, const struct consumer_info *info, int requested)
{
	int64_t now_ms = clock_monotonic_ms();
	struct err err;

	if (info->pending == 0 || info->ack_pending != 0 || requested == 0 ||
		info->delivered_consumer_seq != check->deliveries) {
		check->stalled_ms = 0;
		return false;
	}
	if (check->stalled_ms == 0)
		check->stalled_ms = now_ms;
	if (now_ms - check->stalled_ms < STALLED_MS)
		return false;
	log_error("consumer stalled: recreated", L_STR("stream", check->stream),
		L_STR("consumer", check->config.durable),
		L_INT("pending", (int64_t)info->pending));
	check->stalled_ms = 0;
	if (jetstream_consumer_delete(
		    check->config.bus, check->stream, check->config.durable, &err) != 0)
		log_warn("cannot remove the consumer", L_ERR(&err));
	return true;
}

/* Of the first unsettled event; the server reports only its sequence. */
static int64_t
oldest_time(const struct stream_check *check, const struct consumer_info *info)
{
	struct stream_msg msg;
	struct err err;
	int64_t us;

	if (info->pending + info->ack_pending == 0 ||
		jetstream_stream_get(check->config.bus,
			&(struct message_query){
				check->stream, info->ack_floor_stream_seq + 1, NULL },
			&msg, &err) != 0)
		return 0;
	us = msg.time_us;
	jetstream_msg_free(&msg);
	return us;
}

static void
note_consumer(struct stream_check *check, const struct stream_info *stream,
	const struct consumer_info *info, const struct stream_check_input *input)
{
	uint64_t reconnects = bus_reconnects(check->config.bus), left;
	int64_t now_ms = clock_monotonic_ms();

	if (stream_find_steady_for(
		    input->leader, "leader", stream->leader, reconnects, now_ms) >= STEADY_MS &&
		stream_find_steady_for(&check->consumer_leader, "leader", info->leader,
			reconnects, now_ms) >= STEADY_MS) {
		left = expire_count(check->expire, stream, info, input->redelivered);
		metric_add(check->config.expired, left);
		if (left > 0)
			log_error("events left the stream before they were delivered",
				L_STR("stream", check->stream), L_INT("events", (int64_t)left));
	}
	check->known = true;
	check->ack_floor = info->ack_floor_stream_seq;
	check->deliveries = info->delivered_consumer_seq;
	check->oldest_us = oldest_time(check, info);
	checkpoint_store(check->checkpoint, info);
}

bool
stream_check_run(struct stream_check *check, const struct stream_check_input *input,
	struct consumer_info *info)
{
	struct stream_info stream;
	struct err err = { .code = ERR_NONE };

	if (check_all(check, &stream, info, &err) != 0) {
		/* that the server does not answer is reported by watcher.c */
		if (err.code != ERR_TIMEOUT && err.code != ERR_CONNECT)
			set_trouble(check, err.text);
		return false;
	}
	if (check->known && remove_if_stalled(check, info, input->requested))
		return false;
	note_consumer(check, &stream, info, input);
	set_trouble(check, "");
	return true;
}

int64_t
stream_check_oldest_us(const struct stream_check *check)
{
	return check->oldest_us;
}

bool
stream_check_consumer_ahead(const struct stream_check *check)
{
	return check->consumer_ahead;
}

const char *
stream_check_trouble(const struct stream_check *check)
{
	return check->trouble;
}
