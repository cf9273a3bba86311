// SPDX-License-Identifier: Apache-2.0
/* The stream's side of the collector: what is in it, and what has to be read again. */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"

enum {
	CLOCK_TOLERANCE_US = 5 * 60 * 1000000, /* a newest event further in the future is a wrong clock */
	CATCH_UP_MAX = 64000, /* messages of others' to read one by one; beyond, as at start */
	LOOK_MS = 10 * 1000,
	MESSAGE_OVERHEAD = ENVELOPE_ATTRIBUTES_MAX + ENVELOPE_HEADERS_MAX,
	DATA_MIN = 16 * 1024, /* a trimmed event of any class is smaller */
};

struct take_back {
	struct collect *c;
	uint64_t n;
};

static void
take_back(void *ctx, int32_t key, int64_t created_us)
{
	struct take_back *t = ctx;

	seen_remove(&t->c->seen, key, created_us);
	if (created_us < t->c->reopen_us)
		t->c->reopen_us = created_us;
	t->n++;
}

void
collect_take_back(struct collect *c)
{
	struct take_back t = { .c = c };

	publisher_take_unacked(c->publisher, take_back, &t);
	c->retried += t.n;
	/* lower is always safe: what is read again is suppressed */
	if (t.n != 0 && c->reopen_us < c->newest_us)
		c->newest_us = c->reopen_us;
}

static void
query(struct collect *c, struct tail_query *q)
{
	*q = (struct tail_query){ .reader = c->reader, .stream = c->options->stream.name,
		.uuid = vim_about(c->vim)->instance_uuid, .cap_us = INT64_MAX };
}

static void
adopt(struct collect *c, const struct tail *tail)
{
	if (tail->complete_us < c->reopen_us)
		c->reopen_us = tail->complete_us;
	if (!tail->any)
		return;
	if (!c->any || tail->newest_us >= c->newest_us) {
		c->newest_us = tail->newest_us;
		c->last_key = tail->newest_key;
	}
	c->any = true;
}

/* Everything anew: at start, and when the stream is not the one we knew. */
static int
load_all(struct collect *c, const struct stream_info *info, struct err *err)
{
	int64_t span_us = (c->options->overlap_ms + c->options->audit_span_ms) * 1000;
	struct tail_query q;
	struct tail tail;
	int64_t now;

	query(c, &q);
	if (vim_current_time(c->vim, &now, err) != 0)
		return -1;
	q.cap_us = now + CLOCK_TOLERANCE_US;
	seen_free(&c->seen);
	c->any = false;
	if (tail_load(&q, info, span_us, INT64_MAX, &c->seen, &tail, err) != 0)
		return -1;
	adopt(c, &tail);
	if (tail.any && strcmp(tail.uuid, q.uuid) != 0) {
		collect_begin_epoch(c);
		log_error("another vCenter answers under this name: going on from the time of the last stored event",
			L_STR("stored_uuid", tail.uuid), L_STR("uuid", q.uuid));
	}
	c->stream_created_us = info->created_us;
	publisher_reset(c->publisher, info->last_seq);
	if (tail.any) {
		char text[CLOCK_TEXT_SIZE];

		log_info("resuming from the stream", L_STR("stream", q.stream),
			L_INT("sequence", (int64_t)info->last_seq), L_INT("key", tail.newest_key),
			L_STR("time", clock_format(tail.newest_us, text)), L_INT("identities", (int64_t)c->seen.n));
		if (tail.complete_us != INT64_MAX)
			log_info("its newest message was sent while others waited for their acks: reading those again",
				L_STR("from", clock_format(tail.complete_us, text)));
	} else {
		log_info("the stream holds no event of this vCenter", L_STR("stream", q.stream),
			L_INT("messages", (int64_t)info->messages));
	}
	return 0;
}

int
collect_load_since(struct collect *c, int64_t since_us, struct err *err)
{
	struct stream_info info;
	struct tail_query q;
	struct tail tail;

	query(c, &q);
	if (stream_look(c->bus, c->options->stream.name, &info, err) != 0)
		return -1;
	return tail_load(&q, &info, 0, since_us, &c->seen, &tail, err);
}

static void
report_stream(struct collect *c, const struct stream_info *info)
{
	if (c->stream_created_us == info->created_us)
		return;
	if (*info->differs)
		log_warn("the stream has other settings than configured; they stay as they are",
			L_STR("stream", c->options->stream.name), L_STR("differs", info->differs));
}

/* What others have added to the stream that we knew. */
static int
load_rest(struct collect *c, uint64_t known, const struct stream_info *info, struct err *err)
{
	struct tail tail = { .complete_us = INT64_MAX };
	struct tail_query q;

	query(c, &q);
	if (tail_load_range(&q, known + 1, info->last_seq, &c->seen, &tail, err) != 0)
		return -1;
	adopt(c, &tail);
	/* what is read again must be known that far back */
	if (tail.complete_us != INT64_MAX &&
		collect_load_since(c, tail.complete_us == INT64_MIN ? INT64_MIN :
			tail.complete_us - c->options->overlap_ms * 1000, err) != 0)
		return -1;
	publisher_reset(c->publisher, info->last_seq);
	return 0;
}

/*
 * known: what was stored before anybody looked; more is by now. ERR_TIMEOUT: it is shorter, but a leader that was
 * elected a moment ago may not have applied all that is stored.
 */
static int
look_shorter(struct collect *c, uint64_t known, const struct stream_info *info, bool *shorter, struct err *err)
{
	int64_t since_ms;

	*shorter = c->loaded && (info->last_seq < known || info->created_us != c->stream_created_us);
	if (!*shorter || info->created_us != c->stream_created_us) {
		c->shorter.what = NULL;
		return 0;
	}
	since_ms = steady_for(&c->shorter, "shorter", info->leader, bus_reconnects(c->bus), clock_monotonic_ms());
	if (since_ms >= STEADY_MS)
		return 0;
	return err_set(err, ERR_TIMEOUT, "the stream ends at %" PRIu64 " and had %" PRIu64 ": its leader may be behind",
		info->last_seq, known);
}

int
collect_check_stream(struct collect *c, struct err *err)
{
	uint64_t known = publisher_last_seq(c->publisher);
	int64_t now = clock_monotonic_ms();
	struct stream_info info;
	bool shorter;

	if (now - c->look_ms < LOOK_MS)
		return 0;
	c->look_ms = now;
	if (stream_look(c->bus, c->options->stream.name, &info, err) != 0)
		return -1;
	if (look_shorter(c, known, &info, &shorter, err) != 0 || shorter)
		c->reconnects = UINT64_MAX;
	return 0;
}

/*
 * Events are trimmed to what a message may have: the server's max_payload or the stream's max_msg_size. Below what a
 * trimmed event takes nothing is sent: to refuse some events for good would be a loss, and the vCenter keeps them.
 */
static int
limit_events(struct collect *c, const struct stream_info *info, struct err *err)
{
	size_t wanted = c->options->vim.limits.event_max, data_max;
	int64_t max = bus_max_payload(c->bus);

	if (max <= 0)
		return err_set(err, ERR_CONNECT, "connection to NATS lost");
	if (info->max_msg_size > 0 && info->max_msg_size < max)
		max = info->max_msg_size;
	if (max < DATA_MIN + MESSAGE_OVERHEAD)
		return err_set(err, ERR_FULL, "a message of the stream may have %" PRId64 " bytes, an event needs up to %d: "
			"raise max_payload of NATS or max_msg_size of the stream", max, DATA_MIN + MESSAGE_OVERHEAD);
	data_max = (size_t)max - MESSAGE_OVERHEAD;
	vim_limit_event(c->vim, wanted != 0 && wanted < data_max ? wanted : data_max);
	return 0;
}

int
collect_prepare_stream(struct collect *c, struct err *err)
{
	uint64_t known = publisher_last_seq(c->publisher);
	uint64_t reconnects = bus_reconnects(c->bus);
	struct stream_info info;
	bool shrunk;

	if (stream_ensure(c->bus, &c->options->stream, &info, err) != 0)
		return -1;
	if (limit_events(c, &info, err) != 0)
		return -1;
	report_stream(c, &info);
	collect_take_back(c);
	if (look_shorter(c, known, &info, &shrunk, err) != 0)
		return -1;
	if (!c->loaded || shrunk || info.last_seq - known > CATCH_UP_MAX) {
		int64_t floor_us = c->floor_us;

		if (shrunk)
			log_error("the stream is not what it was: reading the missing span again",
				L_INT("known_sequence", (int64_t)known), L_INT("sequence", (int64_t)info.last_seq));
		if (load_all(c, &info, err) != 0)
			return -1;
		if (shrunk && !c->any)
			c->reopen_us = floor_us;
	} else if (load_rest(c, known, &info, err) != 0) {
		return -1;
	}
	collect_lower_mark(c);
	c->loaded = true;
	c->reconnects = reconnects;
	status_check("stream", true, "");
	return 0;
}
