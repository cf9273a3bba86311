// SPDX-License-Identifier: Apache-2.0
/* Events: as they come, of the past, one as it is stored. */
#define _DEFAULT_SOURCE
#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "message.h"
#include "printable.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

enum {
	ROWS_MAX = 500, /* of one answer */
	ROWS_DEFAULT = 200,
	SCANNED_MAX = 20000, /* events that one request reads, of each source */
	EVENT_BYTES_MAX = 24 * 1024 * 1024,
};

/* ---- live */

struct live_stream {
	struct live *live;
	struct live_client client;
	struct sessions *sessions;
	char token[TOKEN_SIZE];
};

static bool
next_part(void *ctx, struct buf *out)
{
	struct live_stream *s = ctx;
	struct login login;

	if (!sessions_find(s->sessions, s->token, clock_monotonic_ms(), &login)) {
		if (s->token[0] == '\0')
			return false;
		s->token[0] = '\0'; /* the next call ends the stream */
		buf_add_str(out, "event: over\ndata: {}\n\n");
		return true;
	}
	return live_next(s->live, &s->client, out);
}

static void
close_stream(void *ctx)
{
	struct live_stream *s = ctx;

	live_leave(s->live, &s->client);
	free(s);
}

void
api_live(struct api_call *call)
{
	struct live_stream *s = mem_alloc(sizeof(*s));

	if (!api_filter(call, &s->client.filter)) {
		free(s);
		return;
	}
	s->live = call->console->live;
	s->sessions = call->sessions;
	strncpy(s->token, call->token, sizeof(s->token) - 1);
	if (!live_join(s->live, &s->client)) {
		event_row_filter_free(&s->client.filter);
		free(s);
		api_fail(call, 503, "%d browsers watch already", LIVE_CLIENTS_MAX);
		call->reply->retry_after_s = 10;
		return;
	}
	call->reply->type = "text/event-stream";
	call->reply->stream = (struct server_stream){ next_part, close_stream, s };
}

/* ---- history */

struct found_row {
	int64_t at_us;
	char *json;
};

struct history_read {
	const struct session_source *source;
	struct row_filter *filter;
	struct event event;
	int64_t until_us;
	size_t limit, scanned;
	bool newest;           /* keep the newest ones, else the first ones */
	struct found_row *row; /* of all sources */
	size_t n, cap, begin;  /* begin: of this source */
	bool more;             /* something was left out */
};

static void
keep(struct history_read *h, struct event_row *row, int64_t at_us)
{
	if (h->newest && h->n - h->begin == h->limit) {
		free(h->row[h->begin].json);
		h->n--;
		memmove(&h->row[h->begin], &h->row[h->begin + 1],
			(h->n - h->begin) * sizeof(*h->row));
		h->more = true;
	}
	h->row = mem_grow_for(h->row, h->n, &h->cap, sizeof(*h->row));
	h->row[h->n++] = (struct found_row){ at_us, row->json };
	row->json = NULL;
}

static enum session_took
take(void *ctx, const struct bus_msg *msg, const struct jetstream_meta *at, struct err *err)
{
	struct history_read *h = ctx;
	struct event_row row;

	(void)err;
	if (at->time_us > h->until_us)
		return SESSION_STOP;
	if (h->scanned++ == SCANNED_MAX || (!h->newest && h->n - h->begin == h->limit)) {
		h->more = true;
		return SESSION_STOP;
	}
	event_row_read(&row, &(struct event_origin){ h->source->stream, h->source->name, at },
		msg, &h->event);
	if (event_row_matches(h->filter, &row))
		keep(h, &row, at->time_us);
	event_row_free(&row);
	return SESSION_NEXT;
}

static int
newest_first(const void *a, const void *b)
{
	const struct found_row *x = a, *y = b;

	return x->at_us < y->at_us ? 1 : x->at_us > y->at_us ? -1 : 0;
}

/* From a time on, or the last ones. A stream that does not exist has no events. */
static int
read_source(struct history_read *h, struct session *s, int64_t from_us, struct err *err)
{
	struct consumer_config c = { .stream = h->source->stream,
		.deliver = DELIVER_FROM_TIME,
		.start_time_us = from_us };
	struct stream_info info;
	uint64_t back = h->filter->pattern != NULL || h->filter->text[0] != '\0' ||
			h->filter->name[0] != '\0' || h->filter->entity[0] != '\0' ||
			h->filter->user[0] != '\0' || h->filter->severity[0] != '\0'
		? SCANNED_MAX / 4
		: h->limit;

	h->begin = h->n;
	h->scanned = 0;
	if (h->newest) {
		if (jetstream_stream_look(s->bus, c.stream, &info, err) != 0)
			return err->code == ERR_NOT_FOUND ? 0 : -1;
		h->more = h->more || info.last_seq > info.first_seq + back;
		c.deliver = DELIVER_FROM_SEQ;
		c.start_seq = info.last_seq > back ? info.last_seq - back + 1 : 1;
	}
	if (session_read(s, &c, take, h, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	return 0;
}

static void
write_rows(struct history_read *h, struct buf *out)
{
	size_t first = 0, end = h->n;

	if (h->n > 1)
		qsort(h->row, h->n, sizeof(*h->row), newest_first);
	if (h->n > h->limit) {
		h->more = true;
		first = h->newest ? 0 : h->n - h->limit;
		end = first + h->limit;
	}
	buf_add_str(out, "{\"rows\":[");
	for (size_t i = first; i < end; i++) {
		if (i > first)
			buf_add_char(out, ',');
		buf_add_str(out, h->row[i].json);
	}
	buf_printf(out, "],\"more\":%s}", h->more ? "true" : "false");
}

static void
read_all(struct api_call *call, struct history_read *h, int64_t from_us)
{
	struct session *s = api_session(call);
	struct err err;
	int rc = 0;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_sources && rc == 0; i++) {
		h->source = &s->source[i];
		if (h->filter->source[0] == '\0' ||
			strcmp(h->filter->source, h->source->name) == 0)
			rc = read_source(h, s, from_us, &err);
	}
	if (rc == 0) {
		write_rows(h, &call->reply->body);
	} else {
		session_explain(s, &err);
		api_fail_err(call, &err);
	}
	api_session_done(call, s);
}

/* GET /api/events?from=ms&until=ms&limit=n and the filter; without `from` the newest ones. */
void
api_events(struct api_call *call)
{
	struct row_filter filter;
	struct history_read h = { .filter = &filter };
	int64_t from, until, limit;
	const struct api_range time = { 0, 0, INT64_MAX / 1000 },
			       rows = { ROWS_DEFAULT, 1, ROWS_MAX };

	if (!api_number(call, "from", time, &from) ||
		!api_number(call, "until", time, &until) ||
		!api_number(call, "limit", rows, &limit) || !api_filter(call, &filter))
		return;
	h.limit = (size_t)limit;
	h.newest = from == 0;
	h.until_us = until != 0 ? until * 1000 + 999 : INT64_MAX; /* all of this ms */
	event_init(&h.event);
	read_all(call, &h, from * 1000);
	event_free(&h.event);
	for (size_t i = 0; i < h.n; i++)
		free(h.row[i].json);
	free(h.row);
	event_row_filter_free(&filter);
}

/* ---- one event */

/* Only streams of events: the console's user may read others. */
static bool
is_event_stream(const char *name)
{
	static const char token[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=~";

	return (text_starts(name, VCENTER_STREAM_PREFIX) ||
		       text_starts(name, SOURCE_STREAM_PREFIX)) &&
		strspn(name, token) == strlen(name);
}

static void
write_event(const char *stream, const struct stream_msg *msg, struct buf *out)
{
	buf_add_str(out, "{\"stream\":");
	printable_add_json_string(out, stream, strlen(stream));
	buf_printf(out,
		",\"seq\":%llu,\"stored_ms\":%lld,\"subject\":", (unsigned long long)msg->seq,
		(long long)(msg->time_us / 1000));
	printable_add_json_string(out, msg->subject, strlen(msg->subject));
	buf_printf(out, ",\"bytes\":%zu,\"event\":", msg->len);
	if (msg->len > EVENT_BYTES_MAX || !printable_add_json(out, msg->data, msg->len))
		buf_add_str(out, "null");
	buf_add_char(out, '}');
}

/* GET /api/event?stream=VC_lab&seq=17 */
void
api_event(struct api_call *call)
{
	const struct api_range any = { 0, 1, INT64_MAX };
	struct bus *bus = call->console->bus;
	struct stream_info info;
	struct stream_msg msg;
	char stream[128];
	struct err err;
	int64_t seq;

	if (!api_argument(call, "stream", stream, sizeof(stream)) ||
		!api_number(call, "seq", any, &seq))
		return;
	if (!is_event_stream(stream) || seq == 0) {
		api_fail(call, 400, "stream and seq name no event");
		return;
	}
	if (!bus_connected(bus))
		err_set(&err, ERR_CONNECT, "NATS does not answer");
	else if (jetstream_stream_look(bus, stream, &info, &err) == 0 &&
		jetstream_stream_get(bus,
			&(struct message_query){ stream, (uint64_t)seq, NULL }, &msg,
			&err) == 0) {
		write_event(stream, &msg, &call->reply->body);
		jetstream_msg_free(&msg);
		return;
	}
	if (err.code == ERR_NOT_FOUND)
		api_fail(call, 404, "%s no longer has event %lld", stream, (long long)seq);
	else
		api_fail_err(call, &err);
}

/* GET /api/names: sources and dispatchers. */
void
api_names(struct api_call *call)
{
	const char *url = call->console->options->docs_url, *docs = url != NULL ? url : "";
	struct buf *out = &call->reply->body;
	struct session *s = api_session(call);

	if (s == NULL)
		return;
	buf_add_str(out, "{\"sources\":[");
	for (size_t i = 0; i < s->n_sources; i++) {
		buf_add_str(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		printable_add_json_string(out, s->source[i].name, strlen(s->source[i].name));
		buf_printf(out, ",\"stream\":\"%s\"}", s->source[i].stream);
	}
	buf_add_str(out, "],\"dispatchers\":[");
	for (size_t i = 0; i < s->n_dispatchers; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		printable_add_json_string(
			out, s->dispatcher[i].name, strlen(s->dispatcher[i].name));
	}
	buf_add_str(out, "],\"prefix\":");
	printable_add_json_string(
		out, s->config->subject_prefix, strlen(s->config->subject_prefix));
	buf_add_str(out, ",\"docs\":");
	printable_add_json_string(out, docs, strlen(docs));
	buf_add_char(out, '}');
	api_session_done(call, s);
}
