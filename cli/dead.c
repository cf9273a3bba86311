// SPDX-License-Identifier: Apache-2.0
/* vcourier dead: shows events that could not be delivered, sends them again, or drops them. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "letter.h"
#include "mem.h"
#include "protocol.h"
#include "session.h"
#include "text.h"

int dead_main(int argc, char **argv);

static const char usage[] =
	"usage: vcourier dead ls      [-c FILE] [FILTERS]\n"
	"       vcourier dead show    [-c FILE] SEQ...\n"
	"       vcourier dead redrive [-c FILE] SEQ... | FILTERS | --all\n"
	"       vcourier dead drop    [-c FILE] SEQ... | FILTERS | --all\n"
	"\n"
	"Dead letters are events that a backend rejected, or that could not be delivered for too long. redrive sends them\n"
	"again, each to the dispatcher and the target it was meant for, and removes the dead letter. drop removes it.\n"
	"\n"
	"  -c, --config FILE      the configuration that names the NATS servers\n"
	"  -d, --dispatcher NAME  those of this eventProcessor\n"
	"  -e, --event NAME       those of this event, for example VmPoweredOnEvent\n"
	"  -r, --reason REASON    rejected, gave_up, invalid_event, poison, ...\n"
	"  -s, --since TIME       dead since then: RFC 3339, or a duration (2h)\n"
	"  -a, --all              all of them\n"
	"  -j, --json             ls, show: one JSON object a line\n";

struct dead {
	const char *path, *dispatcher, *event, *reason;
	int64_t since_us;
	bool all, json;
	uint64_t *seq; /* the dead letters to process */
	size_t n, cap;
	struct session session;
};

static void
add_seq(struct dead *d, uint64_t seq)
{
	d->seq = mem_grow_for(d->seq, d->n, &d->cap, sizeof(*d->seq));
	d->seq[d->n++] = seq;
}

static bool
matches(const struct dead *d, const struct bus_msg *msg)
{
	const char *reason = bus_msg_header(msg, HEADER_REASON);
	const char *name = letter_event_name(bus_msg_subject(msg));

	return (d->reason == NULL || (reason != NULL && strcmp(reason, d->reason) == 0)) &&
		(d->event == NULL || (name != NULL && strcmp(name, d->event) == 0));
}

static enum session_took
collect_one(
	void *ctx, const struct bus_msg *msg, const struct jetstream_meta *at, struct err *err)
{
	struct dead *d = ctx;

	(void)err;
	if (matches(d, msg))
		add_seq(d, at->stream_seq);
	return SESSION_NEXT;
}

/* Collects the sequences that the filters select. */
static int
collect(struct dead *d, struct err *err)
{
	struct session *s = &d->session;
	struct consumer_config c = {
		.stream = DEAD_STREAM, .deliver = DELIVER_ALL, .headers_only = true
	};
	char token[96], filter[128];

	if (d->dispatcher != NULL) {
		if (!session_dispatcher(s, d->dispatcher, token))
			return err_set(err, ERR_USAGE, "nothing done");
		snprintf(filter, sizeof(filter), DEAD_PREFIX ".%s.>", token);
		c.filter_subject = filter;
	}
	if (d->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = d->since_us;
	}
	/* no stream: there was never a dead letter */
	if (session_read(s, &c, collect_one, d, err) != 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	return 0;
}

static int
list(struct dead *d, struct letter *l, struct err *err)
{
	(void)err;
	letter_print_line(l, d->json);
	return 0;
}

static int
show(struct dead *d, struct letter *l, struct err *err)
{
	(void)err;
	if (d->json)
		letter_print_line(l, true);
	else
		letter_print_all(l);
	return 0;
}

static int
redrive(struct dead *d, struct letter *l, struct err *err)
{
	return letter_send_again(&d->session, l, err) != 0
		? -1
		: jetstream_stream_delete_msg(d->session.bus, DEAD_STREAM, l->msg.seq, err);
}

static int
drop(struct dead *d, struct letter *l, struct err *err)
{
	return jetstream_stream_delete_msg(d->session.bus, DEAD_STREAM, l->msg.seq, err);
}

static const struct action {
	const char *name,
		*done; /* done: for the summary; NULL: the action prints its own output */
	int (*run)(struct dead *d, struct letter *l, struct err *err);
	bool changes;
} actions[] = {
	{ "ls", NULL, list, false },
	{ "show", NULL, show, false },
	{ "redrive", "sent again", redrive, true },
	{ "drop", "dropped", drop, true },
};

static int
work(struct dead *d, const struct action *action)
{
	bool progress = action->changes && isatty(STDERR_FILENO);
	size_t done = 0, failed = 0;
	struct err err;

	if (d->n == 0 && collect(d, &err) != 0)
		return session_fail(&err);
	for (size_t i = 0; i < d->n && failed < 10; i++) {
		struct letter l;

		if (jetstream_stream_get(d->session.bus,
			    &(struct message_query){ DEAD_STREAM, d->seq[i], NULL }, &l.msg,
			    &err) != 0) {
			fprintf(stderr, "vcourier: dead letter %llu: %s\n",
				(unsigned long long)d->seq[i], err.text);
			failed++;
			continue;
		}
		if (action->run(d, &l, &err) != 0) {
			fprintf(stderr, "vcourier: dead letter %llu: %s\n",
				(unsigned long long)d->seq[i], err.text);
			failed++;
		} else {
			done++;
		}
		jetstream_msg_free(&l.msg);
		if (progress && (done % 100 == 0 || i + 1 == d->n))
			fprintf(stderr, "\r%zu of %zu%s", i + 1, d->n,
				i + 1 == d->n ? "\n" : "");
	}
	if (action->done != NULL)
		printf("%zu %s\n", done, action->done);
	return failed > 0 ? EXIT_RUNTIME : 0;
}

/* EXIT_NOT_YET, or the exit status. */
static int
read_options(struct dead *d, int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "dispatcher", required_argument, NULL, 'd' },
		{ "event", required_argument, NULL, 'e' },
		{ "reason", required_argument, NULL, 'r' },
		{ "since", required_argument, NULL, 's' }, { "all", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	int64_t seq;
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((c = getopt_long(argc, argv, "c:d:e:r:s:ajh", options, NULL)) != -1) {
		if (c == 'c')
			d->path = optarg;
		else if (c == 'd')
			d->dispatcher = optarg;
		else if (c == 'e')
			d->event = optarg;
		else if (c == 'r')
			d->reason = optarg;
		else if (c == 'a')
			d->all = true;
		else if (c == 'j')
			d->json = true;
		else if (c == 'h')
			return fputs(usage, stdout) < 0;
		else if (c != 's' || !session_time("--since", optarg, &d->since_us))
			return EXIT_USAGE;
	}
	for (; optind < argc; optind++) {
		if (!text_int(argv[optind], 1, INT64_MAX, &seq)) {
			fprintf(stderr,
				"vcourier: \"%s\" is not the sequence of a dead letter\n",
				argv[optind]);
			return EXIT_USAGE;
		}
		add_seq(d, (uint64_t)seq);
	}
	return EXIT_NOT_YET;
}

/*
 * A command that changes something needs a selection; filters and sequences exclude each other.
 */
static bool
choice_ok(const struct dead *d, const struct action *action)
{
	bool filters = d->dispatcher != NULL || d->event != NULL || d->reason != NULL ||
		d->since_us != 0;

	if (d->n > 0)
		return !filters && !d->all;
	return !(action->changes || action->run == show) || filters || d->all;
}

int
dead_main(int argc, char **argv)
{
	struct dead d = { .path = NULL };
	const struct action *action = NULL;
	int rc;

	for (size_t i = 0; argc > 1 && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(argv[1], actions[i].name) == 0)
			action = &actions[i];
	if (action == NULL) {
		bool help = argc > 1 &&
			(strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

		fputs(usage, help ? stdout : stderr);
		return help ? 0 : EXIT_USAGE;
	}
	rc = read_options(&d, argc - 1, argv + 1);
	if (rc == EXIT_NOT_YET && !choice_ok(&d, action)) {
		fputs(usage, stderr);
		rc = EXIT_USAGE;
	}
	if (rc == EXIT_NOT_YET)
		rc = session_open(&d.session, d.path);
	if (rc == EXIT_NOT_YET) {
		rc = work(&d, action);
		session_close(&d.session);
	}
	free(d.seq);
	return rc;
}
