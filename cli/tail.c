// SPDX-License-Identifier: Apache-2.0
/* vcourier tail: events as they are stored, one line each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "filter.h"
#include "printable.h"
#include "session.h"
#include "stop.h"

enum { READERS_MAX = 8 };

struct tail_options {
	struct connection_flags connection;
	bool json;
	int64_t count, since_us; /* 0: not given */
};

struct tail_command {
	const struct tail_options *options;
	bool colours;
	int64_t left; /* 0: no end */
	const char *subject;
	struct event event;
	struct stream_reader *reader[READERS_MAX];
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
	struct buf line;

	buf_init(&line, 6 * bus_msg_len(msg) + 2);
	if (printable_add_json(&line, bus_msg_data(msg), bus_msg_len(msg)))
		puts(buf_str(&line));
	else
		print_fault(msg, "its data is not valid JSON");
	buf_free(&line);
}

static void
print(struct tail_command *t, const struct bus_msg *msg)
{
	struct err err;

	if (event_parse(&t->event, bus_msg_data(msg), bus_msg_len(msg), &err) != 0) {
		print_fault(msg, err.text);
	} else if (t->options->json) {
		print_json(msg);
	} else {
		session_print_event(stdout, &t->event, t->colours);
	}
	if (fflush(stdout) != 0 || (t->left > 0 && --t->left == 0))
		stop_request();
}

/* Opens a reader for each vCenter's stream that has events of this subject. */
static int
start(struct tail_command *t, struct session *s, struct err *err)
{
	if (session_sources(s, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n_sources && t->n < READERS_MAX; i++) {
		const struct session_source *source = &s->source[i];
		struct consumer_config c = { .stream = source->stream, .deliver = DELIVER_NEW };
		char filter[256] = "";

		if (t->subject != NULL &&
			!filter_narrow(t->subject, source->subjects, filter, sizeof(filter)))
			continue;
		c.filter_subject = filter[0] != '\0' ? filter : NULL;
		if (t->options->since_us != 0) {
			c.deliver = DELIVER_FROM_TIME;
			c.start_time_us = t->options->since_us;
		}
		if (stream_reader_open(&t->reader[t->n], s->bus, err) != 0)
			return -1;
		t->n++;
		if (stream_reader_start(t->reader[t->n - 1], &c, err) != 0)
			return -1;
	}
	return t->n > 0 ? 0
			: err_set(err, ERR_USAGE, "no stream has events of %s",
				  t->subject ? t->subject : "a vCenter");
}

static int
follow(struct tail_command *t, struct err *err)
{
	while (!stop_requested())
		for (size_t i = 0; i < t->n && !stop_requested(); i++) {
			struct bus_msg *msg = NULL;
			struct jetstream_meta d;

			if (stream_reader_next(
				    t->reader[i], t->n > 1 ? 20 : 500, &msg, &d, err) != 0)
				return err->code == ERR_STOPPED ? 0 : -1;
			if (msg != NULL)
				print(t, msg);
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
		stream_reader_stop(t->reader[i]);
	session_close(&s);
	for (size_t i = 0; i < t->n; i++)
		stream_reader_close(t->reader[i]);
	return rc;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct tail_command t = { .options = values, .colours = isatty(STDOUT_FILENO) != 0 };
	int rc;

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
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "stopped" }, COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "tail --since 10m", "tail -n 1 --json",
	"tail 'vc.*.*.*.error.>'", NULL };

const struct command tail_command = {
	COMMAND_CONNECTS,
	.name = "tail",
	.summary = "events as they are stored, one line each",
	.arguments = "[SUBJECT]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct tail_options),
	.about = "Shows events as they are stored, until it is stopped. SUBJECT may have "
		 "wildcards; default: every event.",
	.examples = examples,
	.exits = exits,
	.run = run,
};
