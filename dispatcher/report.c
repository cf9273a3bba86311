// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mem.h"
#include "protocol.h"
#include "status.h"

enum { REPLY_MAX = 512 * 1024 }; /* a thousand streams have 80 KiB; NATS takes 1 MiB */

struct report {
	struct report_config config;
	struct inbox_port port;
};

struct refresh_list {
	struct buf *out;
	const char *comma;
};

static void
add_refresh(void *ctx, const char *name, const char *why)
{
	struct refresh_list *list = ctx;

	buf_printf(list->out, "%s{\"name\":\"%s\",\"why\":", list->comma, name);
	json_add_string(list->out, why, strlen(why));
	buf_add_char(list->out, '}');
	list->comma = ",";
}

static void
add_streams(const struct event_streams *streams, struct buf *out)
{
	buf_add_str(out, ",\"streams\":[");
	for (size_t i = 0; i < streams->n; i++) {
		const char *name = streams->stream[i]->config.name;

		buf_add_str(out, i != 0 ? "," : "");
		json_add_string(out, name, strlen(name));
	}
	buf_add_char(out, ']');
}

void
report_write(const struct report_status *status, struct buf *out)
{
	struct refresh_list list = { .out = out, .comma = "" };
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	buf_add_str(out, "{\"host\":");
	json_add_string(out, host, strlen(host));
	buf_printf(out,
		",\"pid\":%ld,\"in_flight\":%zu,\"in_memory\":%zu,\"targets\":%zu,\"paused\":%zu,\"down\":%s",
		(long)getpid(), status->in_flight, status->in_memory, status->targets,
		status->paused_targets, status->down ? "true" : "false");
	buf_printf(out, ",\"held\":%zu,\"paused_ms\":%lld,\"dead_letters_fail\":%s",
		status->held, (long long)status->paused_ms,
		status->dead_letters_fail ? "true" : "false");
	if (status->target != NULL) {
		buf_printf(out, ",\"status\":%d,\"target\":", status->target_status);
		json_add_string(out, status->target, strlen(status->target));
	}
	buf_add_str(out, ",\"refreshes\":[");
	if (status->refresher != NULL)
		refresh_each_trouble(status->refresher, add_refresh, &list);
	buf_add_str(out, "],\"state\":");
	status_write(out);
	if (status->streams != NULL)
		add_streams(status->streams, out);
	buf_add_char(out, '}');
}

static void
reply(struct report *r, const char *subject)
{
	struct report_status status = { .in_flight = 0 };
	struct bus_out out = { .subject = subject };
	struct buf text;
	struct err err;

	r->config.status(r->config.ctx, &status);
	buf_init(&text, REPLY_MAX);
	report_write(&status, &text);
	out.data = buf_str(&text);
	out.len = text.len;
	bus_publish(r->config.bus, &out, &err); /* when that fails the client asks again */
	buf_free(&text);
}

/* An inbox_handler. */
static void
on_request(void *report, struct bus_msg *msg, int64_t now_ms)
{
	(void)now_ms;
	if (bus_msg_reply(msg)[0] != '\0')
		reply(report, bus_msg_reply(msg));
	bus_msg_free(msg);
}

int
report_open(struct report **report, const struct report_config *config, struct err *err)
{
	struct report *r = mem_alloc(sizeof(*r));
	char subject[192];

	*report = r;
	r->config = *config;
	r->port = (struct inbox_port){ .inbox = config->inbox, .handle = on_request, .ctx = r };
	snprintf(subject, sizeof(subject), STATUS_PREFIX ".%s", config->durable);
	return bus_subscribe(config->bus, subject, inbox_put, &r->port, err);
}

void
report_close(struct report *report)
{
	free(report);
}
