// SPDX-License-Identifier: Apache-2.0
#include "puller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"
#include "pull_credit.h"
#include "recently_acked.h"

enum {
	END_MS = 2000,
	HEADERS_RETRY_MS =
		1000, /* until a message whose headers could not be read comes again */
};

struct puller {
	struct puller_config config;
	struct inbox_port port;
	char reply[192]; /* of pulls, less the pull's id */
	struct pull_credit credit;
	struct recently_acked acked;
	uint64_t reconnects, generation; /* of bus and consumer at the last turn */
};

/* Redelivered too often: it becomes a dead letter even when its headers cannot be read. */
static bool
is_poison(const struct puller *p, const struct bus_msg *msg)
{
	struct jetstream_meta meta;

	return jetstream_meta_parse(bus_msg_reply(msg), &meta) &&
		meta.delivered > p->config.max_deliveries;
}

/* On a thread of the bus. */
static void
on_bus_message(void *puller, struct bus_msg *msg)
{
	struct puller *p = puller;
	struct err err;

	if (jetstream_read_headers(p->config.bus, msg, &err) != 0 && !is_poison(p, msg)) {
		log_warn("headers cannot be read: the event will be redelivered", L_ERR(&err));
		jetstream_nak(p->config.bus, bus_msg_reply(msg), HEADERS_RETRY_MS, &err);
		bus_msg_free(msg);
		return;
	}
	inbox_put(&p->port, msg);
}

/* The subject of a status message ends with the id of its pull. */
static void
end_pull(struct puller *p, const struct bus_msg *msg)
{
	const char *dot = strrchr(bus_msg_subject(msg), '.');

	if (dot != NULL)
		pull_credit_end(&p->credit, strtoull(dot + 1, NULL, 10));
}

static void
take_message(struct puller *p, struct bus_msg *msg, int64_t now_ms)
{
	struct jetstream_meta meta;
	struct err err;

	stream_watch_set_requested(p->config.watch, 0); /* the consumer delivers */
	pull_credit_message(&p->credit);
	if (!jetstream_meta_parse(bus_msg_reply(msg), &meta)) {
		log_warn("dropped a message that did not come from a stream",
			L_STR("subject", bus_msg_subject(msg)));
		bus_msg_free(msg);
		return;
	}
	if (meta.delivered > 1) {
		metric_add(p->config.redelivered, 1);
		stream_watch_count_redelivery(p->config.watch);
	}
	if (recently_acked_has(&p->acked, meta.stream_seq, meta.time_us)) {
		jetstream_ack(p->config.bus, bus_msg_reply(msg), &err); /* the first was lost */
		bus_msg_free(msg);
		return;
	}
	p->config.on_message(p->config.ctx, msg, &meta, now_ms);
}

/* An inbox_handler. */
static void
on_message(void *puller, struct bus_msg *msg, int64_t now_ms)
{
	struct puller *p = puller;
	int undelivered;

	pull_credit_heard(&p->credit, now_ms);
	switch (jetstream_pull_status(msg, &undelivered)) {
	case PULL_MESSAGE:
		take_message(p, msg, now_ms);
		return;
	case PULL_HEARTBEAT:
		break;
	case PULL_GONE:
		stream_watch_request_check(p->config.watch);
		end_pull(p, msg);
		break;
	case PULL_OVER:
		end_pull(p, msg);
		break;
	}
	bus_msg_free(msg);
}

int
puller_open(struct puller **puller, const struct puller_config *config, struct err *err)
{
	struct puller *p = mem_alloc(sizeof(*p));
	char subject[sizeof(p->reply) + 2];

	*puller = p;
	p->config = *config;
	p->port = (struct inbox_port){ .inbox = config->inbox, .handle = on_message, .ctx = p };
	snprintf(p->reply, sizeof(p->reply), "%s.pull.%zu", bus_inbox(config->bus),
		config->index);
	snprintf(subject, sizeof(subject), "%s.*", p->reply);
	return bus_subscribe(config->bus, subject, on_bus_message, p, err);
}

void
puller_close(struct puller *puller)
{
	free(puller);
}

/*
 * nats-server 2.9 would deliver what is given back to our own open pulls, where it stays unseen
 * until ackWait is over. It drops pulls whose subscription has ended when consumer info is
 * requested.
 */
bool
puller_end(struct puller *p)
{
	char subject[sizeof(p->reply) + 2];
	struct consumer_info info;
	struct err err;
	bool ended;

	snprintf(subject, sizeof(subject), "%s.*", p->reply);
	ended = bus_unsubscribe(p->config.bus, subject, END_MS, &err) == 0;
	if (!ended ||
		jetstream_consumer_look(
			p->config.bus, p->config.stream, p->config.durable, &info, &err) != 0)
		log_debug("pulls may still be open", L_STR("stream", p->config.stream),
			L_ERR(&err));
	return ended;
}

bool
puller_is_empty(const struct puller *p)
{
	return !inbox_has(p->config.inbox, &p->port);
}

/* Pulls end with their connection and with their consumer. */
static void
end_lost_pulls(struct puller *p, uint64_t generation, int64_t now_ms)
{
	uint64_t reconnects = bus_reconnects(p->config.bus);
	bool silent = pull_credit_silent(&p->credit, now_ms);
	bool lost = silent || reconnects != p->reconnects;

	if (silent)
		bus_unanswered(p->config.bus);
	if (lost)
		stream_watch_request_check(p->config.watch);
	if (lost || generation != p->generation)
		pull_credit_end_all(&p->credit);
	pull_credit_expire(&p->credit, now_ms);
	p->reconnects = reconnects;
	p->generation = generation;
}

void
puller_pull(struct puller *p, size_t budget, size_t least, int64_t now_ms)
{
	const struct puller_config *config = &p->config;
	char reply[sizeof(p->reply) + 24];
	struct stream_state state;
	struct err err;
	size_t wanted;

	stream_watch_state(config->watch, &state);
	end_lost_pulls(p, state.generation, now_ms);
	stream_watch_set_requested(config->watch, (int)pull_credit_left(&p->credit));
	wanted = pull_credit_wanted(&p->credit, budget, least);
	if (!state.ready || !bus_connected(config->bus) || wanted == 0)
		return;
	snprintf(reply, sizeof(reply), "%s.%llu", p->reply,
		(unsigned long long)pull_credit_next_id(&p->credit));
	if (jetstream_pull(config->bus,
		    &(struct pull_request){ .stream = config->stream,
			    .consumer = config->durable,
			    .reply = reply,
			    .batch = (int)wanted,
			    .expires_ms = PULL_EXPIRES_MS,
			    .heartbeat_ms = PULL_HEARTBEAT_MS },
		    &err) == 0)
		pull_credit_add(&p->credit, wanted, now_ms);
	/* else it is not connected: the reconnect requests them again */
}

void
puller_note_acked(struct puller *p, uint64_t seq, int64_t stored_us)
{
	recently_acked_add(&p->acked, seq, stored_us);
}

void
puller_restart(struct puller *p)
{
	pull_credit_end_all(&p->credit);
	stream_watch_set_requested(p->config.watch, 0);
	stream_watch_request_check(p->config.watch);
}

size_t
puller_open_pulls(const struct puller *p)
{
	return p->credit.n;
}
