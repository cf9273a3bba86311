// SPDX-License-Identifier: Apache-2.0
/* vcourier tail: events as they are stored, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "printable.h"
#include "sample.h"
#include "screen.h"
#include "session_open.h"
#include "stop.h"
#include "subject.h"
#include "subject_explain.h"
#include "subject_pattern.h"
#include "tail_row.h"
#include "text.h"

struct tail_options {
	struct connection_flags connection;
	bool json, explain;
	int64_t count, since_us; /* 0: not given */
};

struct tail_reader {
	struct stream_reader *reader;
	const struct session_source *source;
	char filter[256]; /* a subject, "": all of the stream */
	uint64_t seq;     /* of the last event; 0: none yet */
};

struct tail_command {
	const struct tail_options *options;
	struct tail_format format;
	bool terminal;
	int64_t left; /* 0: no end */
	const char *subject;
	struct event event;
	struct tail_reader *reader;
	size_t n;
};

static void
print_fault(const struct bus_msg *msg, const char *why)
{
	fputs("vcourier: not a CloudEvent, on ", stderr);
	session_print_safe(stderr, bus_msg_subject(msg), 1024);
	fputs(": ", stderr);
	session_print_safe(stderr, why, 320);
	fputc('\n', stderr);
}

/* The reader expects one JSON text a line, so a message that is not JSON is skipped. */
static void
print_json(const struct bus_msg *msg)
{
	if (!printable_json(stdout, bus_msg_data(msg), bus_msg_len(msg)))
		print_fault(msg, "its data is not valid JSON");
}

static void
print(struct tail_command *t, const char *source, const struct bus_msg *msg)
{
	struct err err;

	if (event_parse(&t->event, bus_msg_data(msg), bus_msg_len(msg), &err) != 0) {
		print_fault(msg, err.text);
	} else if (t->options->json) {
		print_json(msg);
	} else {
		t->format.width = t->terminal ? command_width() : 0; /* it may be resized */
		tail_row(&t->format, source, &t->event, stdout);
	}
	if (fflush(stdout) != 0 || (t->left > 0 && --t->left == 0))
		stop_request();
}

/* From the last event on, or from where the options say. */
static int
start_reader(const struct tail_command *t, const struct tail_reader *r, struct err *err)
{
	struct consumer_config c = { .stream = r->source->stream, .deliver = DELIVER_NEW };

	c.filter_subject = r->filter[0] != '\0' ? r->filter : NULL;
	if (r->seq != 0)
		return stream_reader_resume(r->reader, &c, r->seq, 0, err);
	if (t->options->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = t->options->since_us;
	}
	return stream_reader_start(r->reader, &c, err);
}

static int
open_reader(struct tail_command *t, struct session *s, const struct session_source *source,
	const char *filter, struct err *err)
{
	struct tail_reader *r;
	int width = screen_width_of(source->name);

	t->reader = mem_grow(t->reader, t->n + 1, sizeof(*t->reader));
	r = &t->reader[t->n];
	*r = (struct tail_reader){ .source = source };
	snprintf(r->filter, sizeof(r->filter), "%s", filter);
	if (stream_reader_open(&r->reader, s->bus, err) != 0)
		return -1;
	t->n++;
	t->format.source_width = width > t->format.source_width ? width
								: t->format.source_width;
	return start_reader(t, r, err);
}

/* NATS removes the consumer of a tool that was away for a minute; then a new one goes on. */
static int
next(const struct tail_command *t, struct tail_reader *r, struct bus_msg **msg, struct err *err)
{
	struct jetstream_meta at;

	if (stream_reader_next(r->reader, t->n > 1 ? 20 : 500, msg, &at, err) != 0)
		return err->code == ERR_NOT_FOUND ? start_reader(t, r, err) : -1;
	if (*msg != NULL)
		r->seq = at.stream_seq;
	return 0;
}

/* The table of types may be older than the vCenter: an unknown name is no error. */
static void
warn_of_name(const char *subject)
{
	static const char class[] = ".event.";
	const char *name = strrchr(subject, '.');
	size_t before = sizeof(class) - 2;
	struct sample *sample;
	struct err err;

	if (name == NULL || (size_t)(name - subject) < before ||
		strncmp(name - before, class, before + 1) != 0 || strpbrk(name, "*>") != NULL)
		return;
	if (sample_open(&sample, name + 1, &err) == 0)
		sample_close(sample);
	else
		printable_line(stderr, "vcourier: warning: %s", err.text);
}

/* Opens a reader for each vCenter's stream that has events of this subject. */
static int
start(struct tail_command *t, struct session *s, struct err *err)
{
	if (t->subject != NULL &&
		subject_pattern_check(t->subject, s->config->subject_prefix, err) != 0)
		return -1;
	if (t->subject != NULL && !text_starts(t->subject, SOURCE_SUBJECT_PREFIX "."))
		warn_of_name(t->subject);
	if (session_sources(s, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n_sources; i++) {
		const struct session_source *source = &s->source[i];
		char filter[256] = "";

		if (t->subject != NULL &&
			!filter_narrow(t->subject, source->subjects, filter, sizeof(filter)))
			continue;
		if (open_reader(t, s, source, filter, err) != 0)
			return -1;
	}
	return t->n > 0 ? 0
			: err_set(err, ERR_USAGE, "no stream has events of %s",
				  t->subject ? t->subject : "a vCenter");
}

static int
follow(struct tail_command *t, struct err *err)
{
	t->format.width = t->terminal ? command_width() : 0;
	if (!t->options->json && t->terminal)
		tail_row_titles(&t->format, stdout);
	fflush(stdout);
	while (!stop_requested())
		for (size_t i = 0; i < t->n && !stop_requested(); i++) {
			struct bus_msg *msg = NULL;

			if (next(t, &t->reader[i], &msg, err) != 0)
				return err->code == ERR_STOPPED ? 0 : -1;
			if (msg != NULL)
				print(t, t->reader[i].source->name, msg);
			bus_msg_free(msg);
		}
	return 0;
}

static int
follow_all(struct tail_command *t)
{
	struct session s;
	struct err err;
	int rc = session_open(&s, &t->options->connection);

	if (rc != EXIT_NOT_YET)
		return rc;
	rc = start(t, &s, &err) != 0 || follow(t, &err) != 0 ? session_fail(&s, &err) : 0;
	for (size_t i = 0; i < t->n; i++)
		stream_reader_stop(t->reader[i].reader);
	session_close(&s);
	for (size_t i = 0; i < t->n; i++)
		stream_reader_close(t->reader[i].reader);
	free(t->reader);
	return rc;
}

/* Reads the configuration for the prefix of subjects, but does not connect. */
static int
explain(const struct tail_options *o, const char *subject)
{
	struct connection_settings settings;
	struct buf text;
	struct err err;
	int rc = connection_open(&settings, &o->connection);

	if (rc == EXIT_NOT_YET) {
		buf_init(&text, 64 * 1024);
		rc = subject_pattern_check(subject, settings.bus.subject_prefix, &err) != 0
			? EXIT_USAGE
			: 0;
		if (rc == 0)
			subject_explain(subject, &text);
		fputs(buf_str(&text), stdout);
		buf_free(&text);
		if (rc != 0) {
			fputs("vcourier tail: ", stderr);
			session_print_safe(stderr, err.text, sizeof(err.text));
			fputc('\n', stderr);
		}
	}
	connection_free(&settings);
	return rc;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct tail_command t = { .options = values, .terminal = isatty(STDOUT_FILENO) != 0 };
	int rc;

	if (t.options->explain)
		return n_args > 0
			? explain(t.options, args[0])
			: command_usage_error(&tail_command, "--explain: which SUBJECT?");
	t.format.colours = t.terminal && log_wants_colours();
	t.left = t.options->count;
	t.subject = n_args > 0 ? args[0] : NULL;
	event_init(&t.event);
	rc = follow_all(&t);
	event_free(&t.event);
	return rc;
}

#define AT(member) offsetof(struct tail_options, member)

static const struct command_option options[] = {
	{ "json", 'j', COMMAND_FLAG, AT(json), NULL, NULL, 0,
		"the whole CloudEvents, one JSON text a line" },
	{ "since", 's', COMMAND_TIME, AT(since_us), "TIME", NULL, 0,
		"begin with the events stored since then: RFC 3339, or a duration (10m)" },
	{ "count", 'n', COMMAND_COUNT, AT(count), "N", NULL, 0, "stop after N events" },
	{ "explain", 0, COMMAND_FLAG, AT(explain), NULL, NULL, 0,
		"say what each part of SUBJECT selects, and end" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "stopped" }, COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "tail --since 10m", "tail -n 1 --json",
	"tail 'vc.*.*.*.error.>'", "tail --explain 'vc.*.*.*.error.>'", NULL };

const struct command tail_command = {
	COMMAND_CONNECTS,
	.name = "tail",
	.summary = "events as they are stored, one line each",
	.arguments = "[SUBJECT]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct tail_options),
	.about =
		"Shows events as they are stored, until it is stopped: the time of the event in "
		"UTC, source, severity, event, entity and user. SUBJECT may have wildcards; "
		"default: every event. `vcourier subject` prints subjects.",
	.examples = examples,
	.exits = exits,
	.run = run,
};
