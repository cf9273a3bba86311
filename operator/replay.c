// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "copied_headers.h"
#include "filter.h"
#include "message.h"
#include "protocol.h"

enum { OWN_BYTES = 1024 }; /* of our own headers: id and function */

struct replay {
	const struct replay_choice *choice;
	const struct replay_watch *watch;
	struct replay_counts *counts;
	struct session *session;
	const char *stream;
	int64_t run_us; /* makes the message ids of this replay unique */
	struct filter filter;
	struct event event;
	bool stopped;
};

static int
send_again(const struct replay *r, const struct bus_msg *msg, const struct jetstream_meta *d,
	struct err *err)
{
	const char *tail = strchr(bus_msg_subject(msg), '.');
	char id[256];
	int64_t max = bus_max_payload(r->session->bus),
		room = max - (int64_t)bus_msg_len(msg) - OWN_BYTES;
	struct copied_headers copied;
	struct bus_header header[COPIED_HEADERS_MAX + 2];
	struct bus_out out = {
		.headers = header, .data = bus_msg_data(msg), .len = bus_msg_len(msg)
	};
	struct pub_ack ack;
	struct buf subject;
	int failed;

	copied_headers_of(&copied, msg, max <= 0 ? SIZE_MAX : room > 0 ? (size_t)room : 0);
	memcpy(header, copied.header, copied.n * sizeof(header[0]));
	out.n_headers = copied.n;
	buf_init(&subject, strlen(r->choice->durable) + strlen(bus_msg_subject(msg)) + 16);
	buf_printf(&subject, REPLAY_PREFIX ".%s%s", r->choice->durable,
		tail != NULL ? tail : "._");
	out.subject = buf_str(&subject);
	snprintf(id, sizeof(id), "replay/%lld/%s/%llu", (long long)r->run_us, r->stream,
		(unsigned long long)d->stream_seq);
	header[out.n_headers++] = (struct bus_header){ HEADER_MSG_ID, id };
	if (r->choice->function != NULL)
		header[out.n_headers++] = (struct bus_header){ HEADER_TARGET,
			r->choice->function };
	failed = jetstream_publish(r->session->bus, &out, SESSION_TIMEOUT_MS, &ack, err);
	buf_free(&subject);
	return failed;
}

static bool
wanted(struct replay *r, const struct bus_msg *msg)
{
	struct err err;

	if (r->filter.pattern == NULL)
		return true;
	return message_read_event(msg, &r->event, &err) == 0 &&
		filter_passes(&r->filter, bus_msg_subject(msg), &r->event);
}

static enum session_took
copy_message(
	void *ctx, const struct bus_msg *msg, const struct jetstream_meta *d, struct err *err)
{
	struct replay *r = ctx;
	struct replay_counts *n = r->counts;

	if (d->time_us > r->choice->until_us)
		return SESSION_STOP;
	n->seen++;
	n->total = n->seen + d->pending;
	if (wanted(r, msg)) {
		if (r->choice->dry_run || send_again(r, msg, d, err) == 0) {
			n->sent++;
		} else if (err->code == ERR_LIMIT) {
			n->refused++;
			r->watch->refused(r->watch->ctx, r->stream, d->stream_seq, err);
		} else {
			return SESSION_FAILED;
		}
	}
	r->stopped = !r->watch->progress(r->watch->ctx, n);
	return r->stopped ? SESSION_STOP : SESSION_NEXT;
}

static int
replay_stream(struct replay *r, const struct session_source *source, struct err *err)
{
	const struct replay_choice *o = r->choice;
	char filter[256] = "";
	struct consumer_config c = { .stream = source->stream, .deliver = DELIVER_ALL };

	if (o->subject != NULL &&
		!filter_narrow(o->subject, source->subjects, filter, sizeof(filter)))
		return 0;
	r->stream = source->stream;
	c.filter_subject = filter[0] != '\0' ? filter : NULL;
	if (o->from_seq > 0) {
		c.deliver = DELIVER_FROM_SEQ;
		c.start_seq = (uint64_t)o->from_seq;
	} else if (o->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = o->since_us;
	}
	return session_read(r->session, &c, copy_message, r, err);
}

int
replay_run(struct session *s, const struct replay_choice *choice,
	const struct replay_watch *watch, struct replay_counts *counts, struct err *err)
{
	struct replay r = { .choice = choice,
		.watch = watch,
		.counts = counts,
		.session = s,
		.run_us = clock_wall_us() };
	struct dispatch_filter none = { .subject = NULL };
	int rc = 0;

	*counts = (struct replay_counts){ .seen = 0 };
	if (!choice->dry_run && session_replay_stream(s, err) != 0)
		return -1;
	filter_open(&r.filter, &none, NULL);
	r.filter.pattern = choice->pattern;
	event_init(&r.event);
	for (size_t i = 0; i < s->n_sources && rc == 0 && !r.stopped; i++)
		if (choice->source == NULL || strcmp(s->source[i].name, choice->source) == 0)
			rc = replay_stream(&r, &s->source[i], err);
	event_free(&r.event);
	r.filter.pattern = NULL; /* the caller's */
	filter_close(&r.filter);
	return rc;
}
