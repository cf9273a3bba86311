// SPDX-License-Identifier: Apache-2.0
/* What runs, the catalogue, jobs, and a pattern tried against the last events. */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "filter.h"
#include "json_member.h"
#include "mem.h"
#include "subject_pattern.h"

enum {
	TRIED_MAX = 10000,
	SHOWN_MAX = 50,
};

void
api_status(struct api_call *call)
{
	overview_write(call->console->overview, &call->reply->body);
}

void
api_catalogue(struct api_call *call)
{
	struct session *s = api_session(call);
	struct err err;

	if (s == NULL)
		return;
	if (catalogue_cache_write(call->console->catalogue, s, &call->reply->body, &err) != 0)
		api_fail_err(call, &err);
	api_session_done(call, s);
}

/* ---- jobs */

void
api_job(struct api_call *call)
{
	jobs_write(call->console->jobs, &call->reply->body);
}

void
api_cancel(struct api_call *call)
{
	jobs_cancel(call->console->jobs);
	jobs_write(call->console->jobs, &call->reply->body);
}

/* Copies a text member; false: it is too long. */
static bool
copy(struct api_call *call, const char *name, char *out, size_t size)
{
	const char *text = json_member_text(call->body, name);

	if (strlen(text) >= size) {
		api_fail(call, 400, "%s: longer than %zu bytes", name, size - 1);
		return false;
	}
	memcpy(out, text, strlen(text) + 1);
	return true;
}

/* A pattern and a subject, which may be absent. False: the reply says what is wrong. */
static bool
read_choice(struct api_call *call, struct pattern **pattern, char *subject, size_t size)
{
	const char *text = json_member_text(call->body, "pattern");
	struct err err;

	if (!copy(call, "subject", subject, size))
		return false;
	if ((subject[0] != '\0' &&
		    subject_pattern_check(
			    subject, call->console->options->bus.subject_prefix, &err) != 0) ||
		(text[0] != '\0' && pattern_compile(pattern, text, strlen(text), &err) != 0)) {
		api_fail(call, 400, "%s", err.text);
		return false;
	}
	return true;
}

/*
 * POST /api/replay: {"dispatcher","source","subject","pattern","since","until","dry_run"}; times
 * in ms since 1970.
 */
void
api_replay(struct api_call *call)
{
	struct operator_job job = { .kind = JOB_REPLAY };
	int64_t since = json_member_int(call->body, "since"),
		until = json_member_int(call->body, "until");
	uint64_t number;

	snprintf(job.user, sizeof(job.user), "%s", call->login->user);
	job.dry_run = json_member_true(call->body, "dry_run");
	if (!copy(call, "dispatcher", job.dispatcher, sizeof(job.dispatcher)) ||
		!copy(call, "source", job.source, sizeof(job.source)) ||
		!read_choice(call, &job.pattern, job.subject, sizeof(job.subject)))
		return;
	job.since_us = since > 0 && since < INT64_MAX / 1000 ? since * 1000 : 0;
	job.until_us = until > 0 && until < INT64_MAX / 1000 ? until * 1000 : clock_wall_us();
	if (job.dispatcher[0] == '\0' || job.since_us == 0 || job.since_us > job.until_us)
		api_fail(call, 400,
			"dispatcher, since and until: one is missing, or since is later");
	else if ((number = jobs_begin(call->console->jobs, &job)) == 0)
		api_fail(call, 409, "another job runs; wait until it has ended");
	else
		buf_printf(&call->reply->body, "{\"job\":%llu}", (unsigned long long)number);
	jobs_free_job(&job);
}

/* ---- a pattern or a subject, tried */

struct trial {
	struct row_filter filter;
	const char *subject; /* "": any */
	const struct session_source *source;
	struct event event;
	size_t tried, matched, n;
	char *row[SHOWN_MAX]; /* a ring of the newest ones */
};

static enum session_took
try_one(void *ctx, const struct bus_msg *msg, const struct jetstream_meta *at, struct err *err)
{
	struct trial *t = ctx;
	struct event_row row;

	(void)err;
	t->tried++;
	if (t->subject[0] != '\0' && !filter_subject_matches(t->subject, bus_msg_subject(msg)))
		return SESSION_NEXT;
	event_row_read(&row, &(struct event_origin){ t->source->stream, t->source->name, at },
		msg, &t->event);
	if (event_row_matches(&t->filter, &row)) {
		char **place = &t->row[t->matched++ % SHOWN_MAX];

		free(*place);
		*place = row.json;
		row.json = NULL;
	}
	event_row_free(&row);
	return SESSION_NEXT;
}

static int
try_source(struct trial *t, struct session *s, size_t each, struct err *err)
{
	struct consumer_config c = { .stream = t->source->stream, .deliver = DELIVER_FROM_SEQ };
	struct stream_info info;

	if (jetstream_stream_look(s->bus, c.stream, &info, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	c.start_seq = info.last_seq > each ? info.last_seq - each + 1 : 1;
	return session_read(s, &c, try_one, t, err);
}

static void
write_trial(const struct trial *t, struct buf *out)
{
	size_t shown = t->matched < SHOWN_MAX ? t->matched : SHOWN_MAX;

	buf_printf(out, "{\"tried\":%zu,\"matched\":%zu,\"rows\":[", t->tried, t->matched);
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_str(out, t->row[(t->matched - 1 - i) % SHOWN_MAX]);
	}
	buf_add_str(out, "]}");
}

/* POST /api/try: {"pattern","subject"}: how many of the last events match, and which. */
void
api_try(struct api_call *call)
{
	struct trial t = { .tried = 0 };
	struct session *s;
	char subject[300];
	struct err err;
	int rc = 0;

	if (!read_choice(call, &t.filter.pattern, subject, sizeof(subject)))
		return;
	t.subject = subject;
	event_init(&t.event);
	s = api_session(call);
	for (size_t i = 0; s != NULL && i < s->n_sources && rc == 0; i++) {
		t.source = &s->source[i];
		rc = try_source(&t, s, TRIED_MAX / s->n_sources + 1, &err);
	}
	if (s != NULL && rc == 0) {
		write_trial(&t, &call->reply->body);
	} else if (s != NULL) {
		session_explain(s, &err);
		api_fail_err(call, &err);
	}
	if (s != NULL)
		api_session_done(call, s);
	for (size_t i = 0; i < SHOWN_MAX; i++)
		free(t.row[i]);
	event_free(&t.event);
	event_row_filter_free(&t.filter);
}
