// SPDX-License-Identifier: Apache-2.0
/* vcourier tail: events as they are stored, one line each. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "filter.h"
#include "printable.h"
#include "session.h"
#include "stop.h"
#include "text.h"

int tail_main(int argc, char **argv);

static const char usage[] =
	"usage: vcourier tail [-c FILE] [--json] [--since TIME] [--count N] [SUBJECT]\n"
	"\n"
	"Shows events as they are stored, until it is stopped. SUBJECT may have wildcards; default: every event.\n"
	"\n"
	"  -c, --config FILE  the configuration that names the NATS servers\n"
	"  -j, --json         the whole CloudEvents, one JSON text a line\n"
	"  -s, --since TIME   begin with the events stored since then: RFC 3339, or a duration (10m)\n"
	"  -n, --count N      stop after N events\n";

enum { READERS_MAX = 8 };

struct tail_command {
	bool json, colours;
	int64_t left; /* < 0: no end */
	int64_t since_us;
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
	} else if (t->json) {
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
	for (size_t i = 0; i < s->deployment.config.providers.n && t->n < READERS_MAX; i++) {
		struct session_stream stream;
		struct consumer_config c = { .stream = stream.name, .deliver = DELIVER_NEW };
		char filter[256] = "";

		session_stream(s, i, &stream);
		if (t->subject != NULL &&
			!filter_narrow(t->subject, stream.subjects, filter, sizeof(filter)))
			continue;
		c.filter_subject = filter[0] != '\0' ? filter : NULL;
		if (t->since_us != 0) {
			c.deliver = DELIVER_FROM_TIME;
			c.start_time_us = t->since_us;
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
run(struct tail_command *t, const char *path)
{
	struct session s;
	struct err err;
	int rc = session_open(&s, path);

	if (rc != EXIT_NOT_YET)
		return rc;
	rc = start(t, &s, &err) != 0 || follow(t, &err) != 0 ? session_fail(&err) : 0;
	for (size_t i = 0; i < t->n; i++)
		stream_reader_stop(t->reader[i]);
	session_close(&s);
	for (size_t i = 0; i < t->n; i++)
		stream_reader_close(t->reader[i]);
	return rc;
}

int
tail_main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' }, { "count", required_argument, NULL, 'n' },
		{ "since", required_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct tail_command t = { .left = -1, .colours = isatty(STDOUT_FILENO) != 0 };
	const char *path = NULL;
	int c, rc;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((c = getopt_long(argc, argv, "c:jn:s:h", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'j') {
			t.json = true;
		} else if (c == 's') {
			if (!session_time("--since", optarg, &t.since_us))
				return EXIT_USAGE;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else if (c != 'n' || !text_int(optarg, 1, INT64_MAX, &t.left)) {
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	event_init(&t.event);
	t.subject = argv[optind];
	rc = run(&t, path);
	event_free(&t.event);
	return rc;
}
