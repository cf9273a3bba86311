// SPDX-License-Identifier: Apache-2.0
/* Dead letters: what there is, one of them, and what an operator does with them. */
#define _DEFAULT_SOURCE
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_member.h"
#include "letter.h"
#include "mem.h"
#include "printable.h"
#include "protocol.h"
#include "session.h"
#include "subject.h"

enum {
	DEAD_ROWS_MAX = 300,
	DEAD_READ_MAX = 20000, /* the newest ones, for the list */
	GROUPS_MAX = 500,
	TEXT_MAX = 400,
};

/* ---- the list */

struct dead_group {
	char dispatcher[100], reason[64];
	size_t n;
};

struct dead_choice { /* "": any */
	char dispatcher[100], reason[64];
};

struct dead_row {
	uint64_t seq;
	char *json;
};

struct dead_list {
	struct dead_choice choice;
	struct dead_group *group;
	size_t n_groups;
	struct dead_row row[DEAD_ROWS_MAX]; /* a ring of the newest ones */
	size_t n_rows;                      /* that matched */
	uint64_t *seq;                      /* of all that matched, when wanted */
	size_t n_seq, cap_seq;
	bool want_seq;
};

static void
copy_header(const struct bus_msg *msg, const char *name, char *out, size_t size)
{
	const char *value = bus_msg_header(msg, name);

	snprintf(out, size, "%s", value != NULL ? value : "");
}

static void
count_group(struct dead_list *d, const char *dispatcher, const char *reason)
{
	struct dead_group *g;

	for (size_t i = 0; i < d->n_groups; i++) {
		g = &d->group[i];
		if (strcmp(g->dispatcher, dispatcher) == 0 && strcmp(g->reason, reason) == 0) {
			g->n++;
			return;
		}
	}
	if (d->n_groups == GROUPS_MAX)
		return;
	d->group = mem_grow(d->group, d->n_groups + 1, sizeof(*d->group));
	g = &d->group[d->n_groups++];
	*g = (struct dead_group){ .n = 1 };
	snprintf(g->dispatcher, sizeof(g->dispatcher), "%s", dispatcher);
	snprintf(g->reason, sizeof(g->reason), "%s", reason);
}

static void
add_member(struct buf *out, const char *name, const struct bus_msg *msg, const char *header)
{
	char text[TEXT_MAX];

	copy_header(msg, header, text, sizeof(text));
	buf_printf(out, ",\"%s\":", name);
	printable_add_json_string(out, text, strlen(text));
}

static char *
row_json(const struct bus_msg *msg, const struct jetstream_meta *at)
{
	const char *tokens = letter_event_name(
		bus_msg_subject(msg), bus_msg_header(msg, HEADER_SUBJECT));
	char *name = tokens != NULL ? subject_decode(tokens) : mem_strdup("");
	struct buf out;

	buf_init(&out, 64 * 1024);
	buf_printf(&out,
		"{\"seq\":%llu,\"at\":%lld,\"name\":", (unsigned long long)at->stream_seq,
		(long long)(at->time_us / 1000));
	printable_add_json_string(&out, name, strnlen(name, TEXT_MAX));
	add_member(&out, "dispatcher", msg, HEADER_DISPATCHER);
	add_member(&out, "target", msg, HEADER_TARGET);
	add_member(&out, "reason", msg, HEADER_REASON);
	add_member(&out, "status", msg, HEADER_STATUS);
	add_member(&out, "error", msg, HEADER_ERROR);
	add_member(&out, "attempts", msg, HEADER_ATTEMPTS);
	buf_add_char(&out, '}');
	free(name);
	return buf_take(&out, NULL);
}

static enum session_took
take(void *ctx, const struct bus_msg *msg, const struct jetstream_meta *at, struct err *err)
{
	char dispatcher[100], reason[64];
	struct dead_list *d = ctx;
	struct dead_row *row;

	(void)err;
	copy_header(msg, HEADER_DISPATCHER, dispatcher, sizeof(dispatcher));
	copy_header(msg, HEADER_REASON, reason, sizeof(reason));
	count_group(d, dispatcher, reason);
	if ((d->choice.dispatcher[0] != '\0' &&
		    strcmp(d->choice.dispatcher, dispatcher) != 0) ||
		(d->choice.reason[0] != '\0' && strcmp(d->choice.reason, reason) != 0))
		return SESSION_NEXT;
	if (d->want_seq) {
		if (d->n_seq == JOB_LETTERS_MAX)
			return SESSION_STOP;
		d->seq = mem_grow_for(d->seq, d->n_seq, &d->cap_seq, sizeof(*d->seq));
		d->seq[d->n_seq++] = at->stream_seq;
		return SESSION_NEXT;
	}
	row = &d->row[d->n_rows++ % DEAD_ROWS_MAX];
	free(row->json);
	*row = (struct dead_row){ at->stream_seq, row_json(msg, at) };
	return SESSION_NEXT;
}

/* *all: how many dead letters there are; more than DEAD_READ_MAX are not all read. */
static int
read_dead(struct session *s, struct dead_list *d, uint64_t *all, struct err *err)
{
	struct consumer_config c = {
		.stream = DEAD_STREAM, .deliver = DELIVER_ALL, .headers_only = true
	};
	struct stream_info info;

	*all = 0;
	if (jetstream_stream_look(s->bus, DEAD_STREAM, &info, err) != 0)
		/* no stream: there was never a dead letter */
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	*all = info.messages;
	if (!d->want_seq && info.last_seq - info.first_seq > DEAD_READ_MAX) {
		c.deliver = DELIVER_FROM_SEQ;
		c.start_seq = info.last_seq - DEAD_READ_MAX;
	}
	return session_read(s, &c, take, d, err);
}

static void
free_list(struct dead_list *d)
{
	for (size_t i = 0; i < DEAD_ROWS_MAX; i++)
		free(d->row[i].json);
	free(d->group);
	free(d->seq);
	free(d);
}

static void
write_list(struct dead_list *d, uint64_t all, struct buf *out)
{
	size_t shown = d->n_rows < DEAD_ROWS_MAX ? d->n_rows : DEAD_ROWS_MAX;

	buf_printf(out, "{\"all\":%llu,\"matched\":%zu,\"read_max\":%d,\"groups\":[",
		(unsigned long long)all, d->n_rows, DEAD_READ_MAX);
	for (size_t i = 0; i < d->n_groups; i++) {
		const struct dead_group *g = &d->group[i];

		buf_add_str(out, i > 0 ? ",{\"dispatcher\":" : "{\"dispatcher\":");
		printable_add_json_string(out, g->dispatcher, strlen(g->dispatcher));
		buf_add_str(out, ",\"reason\":");
		printable_add_json_string(out, g->reason, strlen(g->reason));
		buf_printf(out, ",\"count\":%zu}", g->n);
	}
	buf_add_str(out, "],\"rows\":[");
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_str(out, d->row[(d->n_rows - 1 - i) % DEAD_ROWS_MAX].json);
	}
	buf_add_str(out, "]}");
}

/* GET /api/dead?dispatcher=&reason= */
void
api_dead(struct api_call *call)
{
	struct dead_list *d = mem_alloc(sizeof(*d));
	struct session *s = NULL;
	struct err err;
	uint64_t all;

	if (api_argument(
		    call, "dispatcher", d->choice.dispatcher, sizeof(d->choice.dispatcher)) &&
		api_argument(call, "reason", d->choice.reason, sizeof(d->choice.reason)) &&
		(s = api_session(call)) != NULL) {
		if (read_dead(s, d, &all, &err) == 0) {
			write_list(d, all, &call->reply->body);
		} else {
			session_explain(s, &err);
			api_fail_err(call, &err);
		}
		api_session_done(call, s);
	}
	free_list(d);
}

/* GET /api/dead/letter?seq=1 */
void
api_letter(struct api_call *call)
{
	const struct api_range any = { 0, 1, INT64_MAX };
	struct letter l;
	struct err err;
	int64_t seq;

	if (!api_number(call, "seq", any, &seq))
		return;
	if (!bus_connected(call->console->bus)) {
		err_set(&err, ERR_CONNECT, "NATS does not answer");
		api_fail_err(call, &err);
	} else if (jetstream_stream_get(call->console->bus,
			   &(struct message_query){ DEAD_STREAM, (uint64_t)seq, NULL }, &l.msg,
			   &err) != 0) {
		if (err.code == ERR_NOT_FOUND)
			api_fail(call, 404, "there is no dead letter %lld", (long long)seq);
		else
			api_fail_err(call, &err);
	} else {
		letter_add_json(&l, &call->reply->body);
		jetstream_msg_free(&l.msg);
	}
}

/* ---- redrive and drop */

/* The sequences that the request lists. False: the reply says what is wrong. */
static bool
listed(struct api_call *call, struct operator_job *job)
{
	const cJSON *list = json_member(call->body, "seqs"), *one;
	int n = cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list) || n < 1 || n > JOB_LETTERS_MAX) {
		api_fail(call, 400, "seqs: not a list of 1 to %d numbers", JOB_LETTERS_MAX);
		return false;
	}
	job->seq = mem_array((size_t)n, sizeof(*job->seq));
	cJSON_ArrayForEach(one, list) {
		if (!cJSON_IsNumber(one) || !(one->valuedouble >= 1) ||
			!(one->valuedouble < 9007199254740992.0)) {
			api_fail(call, 400, "seqs: not a list of numbers");
			return false;
		}
		job->seq[job->n++] = (uint64_t)one->valuedouble;
	}
	return true;
}

/* All of a reason: as many as the user has confirmed, or none. */
static bool
chosen(struct api_call *call, const cJSON *filter, struct operator_job *job)
{
	struct dead_list *d = mem_alloc(sizeof(*d));
	uint64_t expected = json_member_uint(call->body, "expect"), all;
	struct session *s = api_session(call);
	struct err err;
	bool ok = false;

	d->want_seq = true;
	snprintf(d->choice.dispatcher, sizeof(d->choice.dispatcher), "%s",
		json_member_text(filter, "dispatcher"));
	snprintf(d->choice.reason, sizeof(d->choice.reason), "%s",
		json_member_text(filter, "reason"));
	if (s == NULL) {
		/* the reply says why */
	} else if (read_dead(s, d, &all, &err) != 0) {
		session_explain(s, &err);
		api_fail_err(call, &err);
	} else if (d->n_seq != expected || d->n_seq == 0) {
		api_fail(call, 409, "there are %zu of them now, not %llu: look again", d->n_seq,
			(unsigned long long)expected);
	} else {
		job->seq = d->seq;
		job->n = d->n_seq;
		d->seq = NULL;
		ok = true;
	}
	if (s != NULL)
		api_session_done(call, s);
	free_list(d);
	return ok;
}

/* POST /api/dead/redrive, /api/dead/drop: {"seqs":[1,2]} or {"all":{...},"expect":2} */
void
api_change_letters(struct api_call *call)
{
	bool drop = strcmp(call->request->path, "/api/dead/drop") == 0;
	const cJSON *filter = json_member(call->body, "all");
	struct operator_job job = { .kind = drop ? JOB_DROP : JOB_REDRIVE };
	uint64_t number;

	snprintf(job.user, sizeof(job.user), "%s", call->login->user);
	if (cJSON_IsObject(filter) ? chosen(call, filter, &job) : listed(call, &job)) {
		number = jobs_begin(call->console->jobs, &job);
		if (number == 0)
			api_fail(call, 409, "another job runs; wait until it has ended");
		else
			buf_printf(&call->reply->body, "{\"job\":%llu}",
				(unsigned long long)number);
	}
	jobs_free_job(&job);
}
