// SPDX-License-Identifier: Apache-2.0
/* vcourier dead: shows events that could not be delivered, sends them again, or drops them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "letter_print.h"
#include "letter_row.h"
#include "mem.h"
#include "printable.h"
#include "protocol.h"
#include "session_open.h"
#include "text.h"

enum { FAILURES_MAX = 10 };

struct dead_options {
	struct connection_flags connection;
	const char *dispatcher, *event, *reason;
	int64_t since_us; /* 0: not given */
	bool all, json;
};

struct dead {
	const struct dead_options *options;
	uint64_t *seq; /* the dead letters to process */
	size_t n, cap;
	int width;   /* of the terminal that people read dead letters on; 0: none */
	bool titled; /* the titles are printed */
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
	const struct dead_options *o = d->options;
	const char *reason = bus_msg_header(msg, HEADER_REASON);
	const char *name = letter_event_name(
		bus_msg_subject(msg), bus_msg_header(msg, HEADER_SUBJECT));

	return (o->reason == NULL || (reason != NULL && strcmp(reason, o->reason) == 0)) &&
		(o->event == NULL || (name != NULL && strcmp(name, o->event) == 0));
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

/* Collects the sequences that the filters select. EXIT_NOT_YET, or the exit status. */
static int
collect(struct dead *d)
{
	const struct dead_options *o = d->options;
	struct session *s = &d->session;
	struct consumer_config c = {
		.stream = DEAD_STREAM, .deliver = DELIVER_ALL, .headers_only = true
	};
	char token[96], filter[128];
	struct err err;
	int rc;

	if (o->dispatcher != NULL) {
		rc = session_dispatcher(s, o->dispatcher, token);
		if (rc != EXIT_NOT_YET)
			return rc;
		snprintf(filter, sizeof(filter), DEAD_PREFIX ".%s.>", token);
		c.filter_subject = filter;
	}
	if (o->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = o->since_us;
	}
	/* no stream: there was never a dead letter */
	if (session_read(s, &c, collect_one, d, &err) != 0 && err.code != ERR_NOT_FOUND)
		return session_fail(s, &err);
	if (d->n == 0 && d->width != 0)
		fputs("no dead letters\n", stderr);
	return EXIT_NOT_YET;
}

static int
list(struct dead *d, struct letter *l, struct err *err)
{
	(void)err;
	if (d->width == 0) {
		letter_print_line(l, d->options->json);
		return 0;
	}
	if (!d->titled)
		letter_row_titles(d->width);
	d->titled = true;
	letter_row(l, d->width);
	return 0;
}

static int
show(struct dead *d, struct letter *l, struct err *err)
{
	(void)err;
	if (d->options->json)
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

struct action {
	const char *done; /* for the summary; NULL: the action prints its own output */
	int (*run)(struct dead *d, struct letter *l, struct err *err);
	bool changes;
};

/* One dead letter; the error is printed. */
static bool
act(struct dead *d, const struct action *action, uint64_t seq)
{
	struct letter l = { .msg = { .seq = 0 } };
	struct err err;
	bool found = jetstream_stream_get(d->session.bus,
			     &(struct message_query){ DEAD_STREAM, seq, NULL }, &l.msg,
			     &err) == 0;
	bool done = found && action->run(d, &l, &err) == 0;

	if (found)
		jetstream_msg_free(&l.msg);
	if (done)
		return true;
	if (!found && err.code == ERR_NOT_FOUND) {
		fprintf(stderr, "vcourier: there is no dead letter %llu\n",
			(unsigned long long)seq);
		return false;
	}
	session_explain(&d->session, &err);
	printable_line(
		stderr, "vcourier: dead letter %llu: %s", (unsigned long long)seq, err.text);
	return false;
}

static int
work(struct dead *d, const struct action *action)
{
	bool progress = action->changes && isatty(STDERR_FILENO);
	size_t done = 0, failed = 0;
	int rc;

	if (d->n == 0 && (rc = collect(d)) != EXIT_NOT_YET)
		return rc;
	for (size_t i = 0; i < d->n && failed < FAILURES_MAX; i++) {
		if (act(d, action, d->seq[i]))
			done++;
		else
			failed++;
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
read_sequences(struct dead *d, const struct command *c, char **args, size_t n)
{
	int64_t seq;

	for (size_t i = 0; i < n; i++) {
		if (!text_int(args[i], 1, INT64_MAX, &seq))
			return command_usage_error(
				c, "\"%.60s\" is not the sequence of a dead letter", args[i]);
		add_seq(d, (uint64_t)seq);
	}
	return EXIT_NOT_YET;
}

/*
 * A command that changes something needs a selection; filters and sequences exclude each other.
 */
static int
check_choice(const struct dead *d, const struct command *c, bool needed)
{
	const struct dead_options *o = d->options;
	bool filters = o->dispatcher != NULL || o->event != NULL || o->reason != NULL ||
		o->since_us != 0;

	if (d->n > 0 && (filters || o->all))
		return command_usage_error(c, "SEQ and filters exclude each other");
	if (d->n == 0 && needed && !filters && !o->all)
		return command_usage_error(
			c, "which dead letters is missing: SEQ, a filter or --all");
	return EXIT_NOT_YET;
}

static int
dead(void *values, const struct command_args *args, const struct command *c,
	const struct action *action)
{
	const struct dead_options *o = values;
	bool terminal = isatty(STDOUT_FILENO) != 0 && !o->json;
	struct dead d = { .options = o, .width = terminal ? command_width() : 0 };
	int rc = read_sequences(&d, c, args->arg, args->n);

	if (rc == EXIT_NOT_YET)
		rc = check_choice(&d, c, action->run != list);
	if (rc == EXIT_NOT_YET)
		rc = session_open(&d.session, &d.options->connection);
	if (rc == EXIT_NOT_YET) {
		rc = work(&d, action);
		session_close(&d.session);
	}
	free(d.seq);
	return rc;
}

static int
run_ls(void *values, char **args, size_t n)
{
	static const struct action action = { NULL, list, false };

	return dead(values, &(struct command_args){ args, n }, &dead_ls_command, &action);
}

static int
run_show(void *values, char **args, size_t n)
{
	static const struct action action = { NULL, show, false };

	return dead(values, &(struct command_args){ args, n }, &dead_show_command, &action);
}

static int
run_redrive(void *values, char **args, size_t n)
{
	static const struct action action = { "sent again", redrive, true };

	return dead(values, &(struct command_args){ args, n }, &dead_redrive_command, &action);
}

static int
run_drop(void *values, char **args, size_t n)
{
	static const struct action action = { "dropped", drop, true };

	return dead(values, &(struct command_args){ args, n }, &dead_drop_command, &action);
}

/* ---- the command lines */

#define AT(member) offsetof(struct dead_options, member)
/* clang-format 14 and 19 differ */
/* clang-format off */
#define FILTERS \
	{ "dispatcher", 'd', COMMAND_TEXT, AT(dispatcher), "NAME", NULL, 0, \
		"those of this dispatcher, by its name in the configuration" }, \
		{ "event", 'e', COMMAND_TEXT, AT(event), "NAME", NULL, 0, \
			"those of this event, for example VmPoweredOnEvent" }, \
		{ "reason", 'r', COMMAND_TEXT, AT(reason), "REASON", NULL, 0, \
			"rejected, gave_up, invalid_event, poison, ..." }, \
	{ \
		"since", 's', COMMAND_TIME, AT(since_us), "TIME", NULL, 0, \
			"dead since then: RFC 3339, or a duration (2h)" \
	}
#define ALL \
	{ \
		"all", 'a', COMMAND_FLAG, AT(all), NULL, NULL, 0, "all of them" \
	}
#define JSON \
	{ \
		"json", 'j', COMMAND_FLAG, AT(json), NULL, NULL, 0, "one JSON object a line" \
	}
/* clang-format on */

static const struct command_option ls_options[] = { FILTERS, JSON, { NULL } };
static const struct command_option show_options[] = { FILTERS, ALL, JSON, { NULL } };
static const struct command_option change_options[] = { FILTERS, ALL, { NULL } };

static const struct command_exit exits[] = { { 0, "done" },
	{ 1, "not all of them could be done" }, COMMAND_CONNECTS_EXITS };

static const char *const redrive_examples[] = { "dead redrive --reason rejected",
	"dead redrive 17 18", NULL };

const struct command dead_ls_command = { COMMAND_CONNECTS, .name = "dead ls",
	.summary = "events that could not be delivered, one line each", .options = ls_options,
	.values_size = sizeof(struct dead_options),
	.about = "Lists dead letters: events that a backend rejected, or that could not be "
		 "delivered for too long.",
	.exits = exits, .run = run_ls };

const struct command dead_show_command = { COMMAND_CONNECTS, .name = "dead show",
	.summary = "dead letters with their headers and the event", .arguments = "[SEQ...]",
	.args_max = SIZE_MAX, .options = show_options,
	.values_size = sizeof(struct dead_options),
	.about = "Shows dead letters, with the reply of the backend and the event. SEQ is the "
		 "number that \"dead ls\" prints.",
	.exits = exits, .run = run_show };

const struct command dead_redrive_command = { COMMAND_CONNECTS, .name = "dead redrive",
	.summary = "send dead letters again and remove them", .arguments = "[SEQ...]",
	.args_max = SIZE_MAX, .options = change_options,
	.values_size = sizeof(struct dead_options),
	.about = "Sends dead letters again, each to the dispatcher and the target it was meant "
		 "for, and removes the dead letter. SEQ is the number that \"dead ls\" prints.",
	.examples = redrive_examples, .exits = exits, .run = run_redrive };

const struct command dead_drop_command = { COMMAND_CONNECTS, .name = "dead drop",
	.summary = "remove dead letters", .arguments = "[SEQ...]", .args_max = SIZE_MAX,
	.options = change_options, .values_size = sizeof(struct dead_options),
	.about =
		"Removes dead letters without sending them. SEQ is the number that \"dead ls\" "
		"prints.",
	.exits = exits, .run = run_drop };
