// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "collect_report.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "mem.h"
#include "protocol.h"
#include "status.h"
#include "subject.h"

enum { REPLY_MAX = 16 * 1024 };

struct collect_report {
	struct collect_report_config config;
	pthread_mutex_t lock; /* for the state */
	struct collect_report_state state;
};

static void
add_text(struct buf *out, const char *name, const char *text)
{
	json_add_member(out, name, text);
	buf_add_char(out, ',');
}

void
collect_report_write(const struct collect_report_config *config,
	const struct collect_report_state *state, int64_t now_ms, struct buf *out)
{
	const struct source_status *source = &state->now.source;
	char host[256] = "", time[CLOCK_TEXT_SIZE];

	gethostname(host, sizeof(host) - 1);
	buf_add_char(out, '{');
	add_text(out, "host", host);
	buf_printf(out, "\"pid\":%ld,", (long)getpid());
	add_text(out, "version", VCOURIER_VERSION);
	add_text(out, "kind", config->kind);
	add_text(out, "address", config->address);
	buf_printf(out,
		"\"leader\":%s,\"connected\":%s,\"loop_ms\":%" PRId64 ",\"lag_ms\":%" PRId64
		",",
		state->now.leader ? "true" : "false", source->connected ? "true" : "false",
		status_beat_age_ms(), now_ms - state->caught_up_ms);
	if (source->any) {
		add_text(out, "last_event", clock_format(source->newest.created_us, time));
		buf_printf(out, "\"last_key\":%" PRId64 ",", source->newest.key);
	}
	buf_printf(out,
		"\"read\":%" PRIu64 ",\"published\":%" PRIu64 ",\"rejected\":%" PRIu64
		",\"in_flight\":%" PRIu64 ",\"state\":",
		source->read, state->now.publisher.published, source->rejected,
		state->now.publisher.in_flight);
	status_write(out);
	buf_add_char(out, '}');
}

/* A bus_on_msg. */
static void
on_request(void *report, struct bus_msg *msg)
{
	struct collect_report *r = report;
	struct bus_out out = { .subject = bus_msg_reply(msg) };
	struct collect_report_state state;
	struct buf text;
	struct err err;

	if (*out.subject != '\0') {
		pthread_mutex_lock(&r->lock);
		state = r->state;
		pthread_mutex_unlock(&r->lock);
		buf_init(&text, REPLY_MAX);
		collect_report_write(&r->config, &state, clock_monotonic_ms(), &text);
		out.data = buf_str(&text);
		out.len = text.len;
		bus_publish(
			r->config.bus, &out, &err); /* when that fails the client asks again */
		buf_free(&text);
	}
	bus_msg_free(msg);
}

int
collect_report_open(struct collect_report **report, const struct collect_report_config *config,
	struct err *err)
{
	struct collect_report *r = mem_alloc(sizeof(*r));
	struct buf subject;
	int failed;

	*report = r;
	r->config = *config;
	r->state.caught_up_ms = clock_monotonic_ms();
	pthread_mutex_init(&r->lock, NULL);
	buf_init(&subject, 192);
	buf_add_str(&subject, STATUS_COLLECTOR_PREFIX ".");
	subject_add_token(&subject, config->name, strlen(config->name));
	failed = bus_subscribe(config->bus, buf_str(&subject), on_request, r, err);
	buf_free(&subject);
	return failed;
}

void
collect_report_update(struct collect_report *r, const struct collect_report_state *state)
{
	pthread_mutex_lock(&r->lock);
	r->state = *state;
	pthread_mutex_unlock(&r->lock);
}

void
collect_report_close(struct collect_report *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}
