// SPDX-License-Identifier: Apache-2.0
/* The stream's side of the collector: what is in it, and what has to be read again. */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "status.h"

enum {
	CATCH_UP_MAX = 64000, /* messages of others' to read one by one; beyond, as at start */
	LOOK_MS = 10 * 1000,
	READ_BACK_MIN = 64000, /* after a refused duplicate: so many messages, each time more */
	READ_BACK_FACTOR = 8,
	MESSAGE_OVERHEAD = ENVELOPE_ATTRIBUTES_MAX + ENVELOPE_HEADERS_MAX,
	DATA_MIN = 16 * 1024, /* a trimmed event of any class is smaller */
};

struct take_back {
	struct collect *c;
	uint64_t n;
};

static void
take_back(void *ctx, const struct publisher_unacked *event)
{
	struct take_back *t = ctx;

	seen_remove(&t->c->seen, event->key, event->created_us);
	position_take_back(&t->c->position, event->again_us);
	t->n++;
}

/* Forgets what was sent and not acked, to be read again. */
static void
take_back_unacked(struct collect *c)
{
	struct take_back t = { .c = c };

	publisher_take_unacked(c->publisher, take_back, &t);
	c->retried += t.n;
	c->recent_due = c->recent_due || t.n != 0;
}

static void
query(struct collect *c, struct tail_query *q)
{
	*q = (struct tail_query){ .reader = c->reader,
		.stream = c->options->stream.name,
		.uuid = vim_about(c->vim)->instance_uuid,
		.at_least = c->read_back,
		.cap_us = vcenter_clock_now(&c->clock, clock_monotonic_ms()) +
			POSITION_TOLERANCE_US };
}

static void
adopt(struct collect *c, const struct tail *tail)
{
	position_adopt(&c->position, tail->any ? &tail->newest : NULL,
		tail->any_stored ? &tail->stored : NULL, tail->complete_us);
}

/* Everything anew: at start, and when the stream is not the one we knew. */
static int
load_all(struct collect *c, const struct stream_info *info, struct err *err)
{
	struct tail_query q;
	struct tail tail;

	query(c, &q);
	seen_free(&c->seen);
	position_forget(&c->position);
	if (tail_load(&q, info, c->position.overlap_us + c->position.audit_us, INT64_MAX,
		    &c->seen, &tail, err) != 0)
		return -1;
	c->known_us = tail.since_us;
	adopt(c, &tail);
	if (tail.first_seq != UINT64_MAX)
		position_set_first(&c->position, &tail.first);
	if (tail.any)
		collect_set_recent_key(c, tail.newest.key);
	collect_compare_clock(c, &tail);
	if (tail.any && strcmp(tail.uuid, q.uuid) != 0) {
		collect_begin_epoch(c, tail.newest.key);
		c->position.has_first = false;
		log_error(
			"another vCenter answers under this name: going on from the time of the last stored event",
			L_STR("stored_uuid", tail.uuid), L_STR("uuid", q.uuid));
	}
	c->stream_created_us = info->created_us;
	publisher_reset(c->publisher, info->last_seq);
	if (c->position.any) {
		char text[CLOCK_TEXT_SIZE];

		log_info("resuming from the stream", L_STR("stream", q.stream),
			L_INT("sequence", (int64_t)info->last_seq),
			L_INT("key", c->position.newest.key),
			L_STR("time", clock_format(c->position.newest.created_us, text)),
			L_INT("identities", (int64_t)c->seen.events.n));
		if (tail.complete_us != INT64_MAX)
			log_info(
				"its newest message was sent while others waited for their acks: reading those again",
				L_STR("from", clock_format(tail.complete_us, text)));
	} else {
		log_info("the stream holds no event of this vCenter", L_STR("stream", q.stream),
			L_INT("messages", (int64_t)info->messages));
	}
	return 0;
}

/* Reads the stream's tail once more, back to since_us. */
static int
load_since(struct collect *c, const struct stream_info *info, int64_t since_us, struct err *err)
{
	struct tail_query q;
	struct tail tail;

	query(c, &q);
	if (tail_load(&q, info, 0, since_us, &c->seen, &tail, err) != 0)
		return -1;
	if (tail.since_us < c->known_us)
		c->known_us = tail.since_us;
	if (tail.first_seq != UINT64_MAX && c->position.has_first)
		position_set_first(&c->position, &tail.first);
	return 0;
}

int
collect_know_since(struct collect *c, int64_t since_us, struct err *err)
{
	struct stream_info info;
	int64_t span_us;

	if (since_us >= c->known_us)
		return 0;
	if (c->position.any && since_us != INT64_MIN) {
		/* twice as far each time: many steps back cost no more than one */
		span_us = c->position.newest.created_us - c->known_us;
		if (span_us > 0 && c->known_us - span_us < since_us)
			since_us = c->known_us - span_us;
	}
	if (jetstream_stream_look(c->bus, c->options->stream.name, &info, err) != 0)
		return -1;
	return load_since(c, &info, since_us, err);
}

static void
report_stream(struct collect *c, const struct stream_info *info)
{
	if (c->stream_created_us == info->created_us)
		return;
	if (*info->differs)
		log_warn("the stream has other settings than configured; they stay as they are",
			L_STR("stream", c->options->stream.name),
			L_STR("differs", info->differs));
}

/* What others have added to the stream that we knew. */
static int
load_rest(struct collect *c, uint64_t known, const struct stream_info *info, struct err *err)
{
	struct tail_query q;
	struct tail tail;

	query(c, &q);
	tail_init(&tail);
	if (tail_load_range(&q, known + 1, info->last_seq, &c->seen, &tail, err) != 0)
		return -1;
	adopt(c, &tail);
	publisher_reset(c->publisher, info->last_seq);
	return 0;
}

/*
 * The stream refused an event that it has: its order is not the one of dates, and more such
 * events may come. Looks further and further back, so that all refusals together cost no more
 * than the last look.
 */
static int
load_refused(struct collect *c, const struct stream_info *info, struct err *err)
{
	c->read_back = c->read_back == 0 ? READ_BACK_MIN : c->read_back * READ_BACK_FACTOR;
	log_warn("the stream has an event that its tail did not show: reading it further back",
		L_INT("messages", (int64_t)c->read_back));
	if (load_since(c, info, c->position.any ? position_resume(&c->position) : INT64_MIN,
		    err) != 0)
		return -1;
	publisher_reset(c->publisher, info->last_seq);
	return 0;
}

/*
 * known: what was stored before anybody looked; more is by now. ERR_TIMEOUT: it is shorter, but
 * a leader that was elected a moment ago may not have applied all that is stored.
 */
static int
look_shorter(struct collect *c, uint64_t known, const struct stream_info *info, bool *shorter,
	struct err *err)
{
	int64_t since_ms;

	*shorter = c->loaded &&
		(info->last_seq < known || info->created_us != c->stream_created_us);
	if (!*shorter || info->created_us != c->stream_created_us) {
		c->shorter.what = NULL;
		return 0;
	}
	since_ms = stream_find_steady_for(&c->shorter, "shorter", info->leader,
		bus_reconnects(c->bus), clock_monotonic_ms());
	if (since_ms >= STEADY_MS)
		return 0;
	return err_set(err, ERR_TIMEOUT,
		"the stream ends at %" PRIu64 " and had %" PRIu64 ": its leader may be behind",
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
	if (jetstream_stream_look(c->bus, c->options->stream.name, &info, err) != 0)
		return -1;
	if (look_shorter(c, known, &info, &shorter, err) != 0 || shorter)
		c->reconnects = UINT64_MAX;
	return 0;
}

/*
 * Events are trimmed to what a message may have: the server's max_payload or the stream's
 * max_msg_size. Below what a trimmed event takes nothing is sent: to refuse some events for
 * good would be a loss, and the vCenter keeps them.
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
		return err_set(err, ERR_FULL,
			"a message of the stream may have %" PRId64
			" bytes, an event needs up to %d: "
			"raise max_payload of NATS or max_msg_size of the stream",
			max, DATA_MIN + MESSAGE_OVERHEAD);
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
	bool shrunk, refused;

	if (jetstream_stream_ensure(c->bus, &c->options->stream, &info, err) != 0)
		return -1;
	if (limit_events(c, &info, err) != 0)
		return -1;
	report_stream(c, &info);
	refused = publisher_refused_duplicate(c->publisher);
	take_back_unacked(c);
	if (look_shorter(c, known, &info, &shrunk, err) != 0)
		return -1;
	if (!c->loaded || shrunk || info.last_seq - known > CATCH_UP_MAX) {
		int64_t begun_us = c->position.begun_us;

		if (shrunk)
			log_error(
				"the stream is not what it was: reading the missing span again",
				L_INT("known_sequence", (int64_t)known),
				L_INT("sequence", (int64_t)info.last_seq));
		if (load_all(c, &info, err) != 0)
			return -1;
		if (shrunk && !c->position.any)
			c->position.reopen_us = begun_us;
	} else if ((refused ? load_refused(c, &info, err) : load_rest(c, known, &info, err)) !=
		0) {
		return -1;
	}
	collect_lower_mark(c);
	c->loaded = true;
	c->reconnects = reconnects;
	status_check("stream", true, "");
	return 0;
}
