// SPDX-License-Identifier: Apache-2.0
/*
 * What this process answers when `vcourier status` asks on the bus how it is. Nothing is kept
 * there: who is gone does not answer, and of several replicas each does.
 */
#define _DEFAULT_SOURCE
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "protocol.h"

/* How many targets are paused, and of those the one that has been longest. */
static size_t
count_paused(const struct dispatcher *d, const struct queue **longest)
{
	const struct queue *queue = d->jobs.ring;
	size_t paused = 0;

	*longest = NULL;
	for (size_t i = 0; i < d->jobs.n_queues; i++, queue = queue->next) {
		if (queue->circuit.state != CIRCUIT_OPEN)
			continue;
		paused++;
		if (*longest == NULL || queue->failing_ms < (*longest)->failing_ms)
			*longest = queue;
	}
	return paused;
}

struct refresh_list {
	struct buf *b;
	const char *comma;
};

static void
add_refresh(void *ctx, const char *name, const char *why)
{
	struct refresh_list *list = ctx;

	buf_printf(list->b, "%s{\"name\":\"%s\",\"why\":", list->comma, name);
	json_add_string(list->b, why, strlen(why));
	buf_add_char(list->b, '}');
	list->comma = ",";
}

/* Those that failed, or have a warning: what /readyz says of them. */
static void
write_refreshes(const struct dispatcher *d, struct buf *b)
{
	struct refresh_list list = { .b = b, .comma = "" };

	buf_add_str(b, ",\"refreshes\":[");
	refresh_each_trouble(d->refresher, add_refresh, &list);
	buf_add_char(b, ']');
}

static void
write_report(const struct dispatcher *d, struct buf *b)
{
	char host[256] = "";
	const struct queue *queue;
	size_t paused = count_paused(d, &queue);
	const struct destination_state *destination = deliver_destination(d->deliver);
	size_t held = accept_n_held(d->accept);
	bool whole = destination->circuit.state == CIRCUIT_OPEN;
	int64_t since_ms = whole ? destination->changed_ms
		: queue != NULL  ? queue->failing_ms
				 : clock_monotonic_ms();

	gethostname(host, sizeof(host) - 1);
	buf_add_str(b, "{\"host\":");
	json_add_string(b, host, strlen(host));
	buf_printf(b,
		",\"pid\":%ld,\"in_flight\":%zu,\"in_memory\":%zu,\"targets\":%zu,\"paused\":%zu,\"down\":%s",
		(long)getpid(), deliver_in_flight(d->deliver), d->jobs.n,
		d->jobs.n_queues - (held != SIZE_MAX), paused, whole ? "true" : "false");
	buf_printf(b, ",\"held\":%zu", held != SIZE_MAX ? held : 0);
	buf_printf(b, ",\"paused_ms\":%lld,\"dead_letters_fail\":%s",
		(long long)(clock_monotonic_ms() - since_ms),
		dead_letters_failing(d->dead_letters) ? "true" : "false");
	if (queue != NULL) {
		buf_printf(b, ",\"status\":%d,\"target\":", queue->status);
		json_add_string(b, queue->name, strlen(queue->name));
	}
	write_refreshes(d, b);
	buf_add_char(b, '}');
}

static void
answer(struct dispatcher *d, const struct bus_msg *msg)
{
	struct bus_out out = { .subject = bus_msg_reply(msg) };
	struct buf text;
	struct err err;

	if (out.subject[0] == '\0')
		return;
	buf_init(&text, 16 * 1024);
	write_report(d, &text);
	out.data = buf_str(&text);
	out.len = text.len;
	bus_publish(d->bus, &out, &err); /* who asked asks again */
	buf_free(&text);
}

static void
on_request(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	(void)now_ms;
	answer(ctx, msg);
	bus_msg_free(msg);
}

int
report_open(struct dispatcher *d, struct err *err)
{
	char subject[sizeof(d->durable) + sizeof(STATUS_PREFIX ".")];

	snprintf(subject, sizeof(subject), STATUS_PREFIX ".%s", d->durable);
	d->report_port = (struct inbox_port){
		.inbox = d->inbox, .handle = on_request, .ctx = d
	};
	return bus_subscribe(d->bus, subject, inbox_put, &d->report_port, err);
}
