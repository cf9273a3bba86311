// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier replay: sends stored events again to one dispatcher. It copies them to the stream of
 * replays, which every dispatcher reads beside the vCenters' streams. Other dispatchers do not
 * get them, and no position changes.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "copied_headers.h"
#include "command_list.h"
#include "filter.h"
#include "message.h"
#include "pattern_argument.h"
#include "protocol.h"
#include "session_open.h"
#include "subject_pattern.h"

enum {
	TELL_MS = 500,
	REFUSED_TOLD_MAX = 10,
	OWN_BYTES = 1024, /* of our own headers: id and function */
};

struct replay_options {
	struct connection_flags connection;
	const char *dispatcher, *vcenter, *subject, *pattern, *function;
	int64_t since_us, until_us, from_seq; /* 0: not given */
	bool dry_run;
};

struct replay {
	const struct replay_options *options;
	int64_t until_us;
	bool progress;
	char durable[96];
	int64_t run_us, told_ms; /* run_us: makes the message ids of this replay unique */
	struct filter filter;
	struct event event;
	unsigned long long seen, sent, total, refused;
};

static void
tell(struct replay *r, bool end)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!r->progress || (!end && now_ms - r->told_ms < TELL_MS))
		return;
	r->told_ms = now_ms;
	fprintf(stderr, "\r%llu of %llu read, %llu %s%s", r->seen, r->total, r->sent,
		r->options->dry_run ? "match" : "sent", end ? "\n" : "");
}

struct copy {
	struct replay *replay;
	struct session *session;
	const char *stream;
};

static int
send_again(const struct copy *copy, const struct bus_msg *msg, const struct jetstream_meta *d,
	struct err *err)
{
	const struct replay *r = copy->replay;
	const char *tail = strchr(bus_msg_subject(msg), '.');
	char id[256];
	int64_t max = bus_max_payload(copy->session->bus),
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
	buf_init(&subject, strlen(r->durable) + strlen(bus_msg_subject(msg)) + 16);
	buf_printf(&subject, REPLAY_PREFIX ".%s%s", r->durable, tail != NULL ? tail : "._");
	out.subject = buf_str(&subject);
	snprintf(id, sizeof(id), "replay/%lld/%s/%llu", (long long)r->run_us, copy->stream,
		(unsigned long long)d->stream_seq);
	header[out.n_headers++] = (struct bus_header){ HEADER_MSG_ID, id };
	if (r->options->function != NULL)
		header[out.n_headers++] = (struct bus_header){ HEADER_TARGET,
			r->options->function };
	failed = jetstream_publish(copy->session->bus, &out, SESSION_TIMEOUT_MS, &ack, err);
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

/* NATS accepts such an event in no state, because of our headers; the others are sent. */
static void
refuse(struct replay *r, const char *stream, const struct jetstream_meta *d,
	const struct err *err)
{
	if (r->refused++ < REFUSED_TOLD_MAX)
		fprintf(stderr,
			"vcourier: event %llu of %s is too large to be sent again: %s\n",
			(unsigned long long)d->stream_seq, stream, err->text);
}

static enum session_took
copy_message(
	void *ctx, const struct bus_msg *msg, const struct jetstream_meta *d, struct err *err)
{
	struct copy *copy = ctx;
	struct replay *r = copy->replay;

	if (d->time_us > r->until_us)
		return SESSION_STOP;
	r->seen++;
	r->total = r->seen + d->pending;
	if (wanted(r, msg)) {
		if (r->options->dry_run || send_again(copy, msg, d, err) == 0)
			r->sent++;
		else if (err->code == ERR_LIMIT)
			refuse(r, copy->stream, d, err);
		else
			return SESSION_FAILED;
	}
	tell(r, false);
	return SESSION_NEXT;
}

static int
replay_stream(struct replay *r, struct session *s, size_t i, struct err *err)
{
	const struct replay_options *o = r->options;
	const struct session_source *source = &s->source[i];
	char filter[256] = "";
	struct consumer_config c = { .stream = source->stream, .deliver = DELIVER_ALL };
	struct copy copy = { r, s, source->stream };

	if (o->subject != NULL &&
		!filter_narrow(o->subject, source->subjects, filter, sizeof(filter)))
		return 0;
	c.filter_subject = filter[0] != '\0' ? filter : NULL;
	if (o->from_seq > 0) {
		c.deliver = DELIVER_FROM_SEQ;
		c.start_seq = (uint64_t)o->from_seq;
	} else if (o->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = o->since_us;
	}
	return session_read(s, &c, copy_message, &copy, err);
}

static bool
is_chosen(const struct replay_options *o, const struct session_source *source)
{
	return o->vcenter == NULL || strcmp(source->name, o->vcenter) == 0;
}

/* EXIT_NOT_YET, or the exit status. */
static int
choose(struct replay *r, struct session *s)
{
	const struct replay_options *o = r->options;
	size_t chosen = 0;
	struct err err;
	int rc = session_dispatcher(s, o->dispatcher, r->durable);

	if (rc != EXIT_NOT_YET)
		return rc;
	if (o->subject != NULL &&
		subject_pattern_check(o->subject, s->config->subject_prefix, &err) != 0)
		return session_fail(s, &err);
	if (session_sources(s, &err) != 0)
		return session_fail(s, &err);
	for (size_t i = 0; i < s->n_sources; i++)
		chosen += is_chosen(o, &s->source[i]);
	if (chosen == 0 && o->vcenter != NULL)
		return command_usage_error(&replay_command,
			"there is no event provider \"%.60s\" and no stream of it", o->vcenter);
	if (chosen > 1 && o->from_seq > 0)
		return command_usage_error(&replay_command,
			"--from-seq needs --vcenter, because there are several streams");
	return EXIT_NOT_YET;
}

static int
replay_all(struct replay *r, struct session *s)
{
	bool dry_run = r->options->dry_run;
	struct err err;
	int rc = choose(r, s);

	if (rc != EXIT_NOT_YET)
		return rc;
	if (!dry_run && session_replay_stream(s, &err) != 0)
		return session_fail(s, &err);
	rc = 0;
	for (size_t i = 0; i < s->n_sources && rc == 0; i++)
		if (is_chosen(r->options, &s->source[i]))
			rc = replay_stream(r, s, i, &err);
	tell(r, true);
	if (rc != 0)
		rc = session_fail(s, &err);
	printf("%llu of %llu events %s\n", r->sent, r->seen,
		dry_run ? "would be sent again" : "sent again");
	return rc == 0 && r->refused > 0 ? EXIT_RUNTIME : rc;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct replay r = { .options = values,
		.run_us = clock_wall_us(),
		.progress = isatty(STDERR_FILENO) != 0 };
	struct dispatch_filter filter = { .subject = NULL };
	struct session s;
	int rc;

	(void)args;
	(void)n_args;
	r.until_us = r.options->until_us != 0 ? r.options->until_us : r.run_us;
	if (r.options->dispatcher == NULL)
		return command_usage_error(&replay_command, "--dispatcher NAME is missing");
	if (r.options->from_seq > 0 && r.options->since_us != 0)
		return command_usage_error(
			&replay_command, "--from-seq and --since exclude each other");
	filter_open(&r.filter, &filter, NULL);
	rc = pattern_argument_compile(r.options->pattern, &r.filter.pattern);
	if (rc != EXIT_NOT_YET) {
		filter_close(&r.filter);
		return rc;
	}
	event_init(&r.event);
	rc = session_open(&s, &r.options->connection);
	if (rc == EXIT_NOT_YET) {
		rc = replay_all(&r, &s);
		session_close(&s);
	}
	event_free(&r.event);
	filter_close(&r.filter);
	return rc;
}

#define AT(member) offsetof(struct replay_options, member)

static const struct command_option options[] = {
	{ "dispatcher", 'd', COMMAND_TEXT, AT(dispatcher), "NAME", NULL, 0,
		"the dispatcher, by its name in the configuration" },
	{ "since", 's', COMMAND_TIME, AT(since_us), "TIME", NULL, 0,
		"from then on: RFC 3339, or a duration (2h); default: everything" },
	{ "until", 'u', COMMAND_TIME, AT(until_us), "TIME", NULL, 0,
		"up to then; default: now" },
	{ "from-seq", 'q', COMMAND_COUNT, AT(from_seq), "SEQ", NULL, 0,
		"from this sequence on; with one vCenter, or --vcenter" },
	{ "vcenter", 'v', COMMAND_TEXT, AT(vcenter), "NAME", NULL, 0,
		"only the events of this source" },
	{ "filter", 'f', COMMAND_TEXT, AT(subject), "SUBJECT", NULL, 0,
		"only these: a subject with wildcards, vc.*.*.*.error.>" },
	{ "pattern", 'p', COMMAND_TEXT, AT(pattern), "PATTERN", NULL, 0,
		"only these: an event pattern, over the CloudEvent" },
	{ "function", 'F', COMMAND_TEXT, AT(function), "NAME", NULL, 0,
		"to this OpenFaaS function only, NAME.NAMESPACE" },
	{ "dry-run", 0, COMMAND_FLAG, AT(dry_run), NULL, NULL, 0, "only count" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "done" },
	{ 1, "some events could not be sent" }, COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "replay --dispatcher kn --since 2h --dry-run",
	"replay --dispatcher kn --since 1d --filter 'vc.*.*.*.error.>'",
	"replay --dispatcher kn --pattern '{\"subject\":[\"VmPoweredOnEvent\"]}'", NULL };

const struct command replay_command = { COMMAND_CONNECTS, .name = "replay",
	.summary = "send stored events again, to one dispatcher", .options = options,
	.values_size = sizeof(struct replay_options),
	.about =
		"Sends events that are still in the streams again, to this dispatcher only; other "
		"dispatchers and all positions do not change. The dispatcher's own filter applies.",
	.more = PATTERN_ARGUMENT_HELP, .examples = examples, .exits = exits, .run = run };
