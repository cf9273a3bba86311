// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier match: tries an event pattern on events, one JSON text a line, and prints `match` or
 * `nomatch` for each; a dry run for `filter:`, `pattern:` and EventBridge rules.
 */
#define _POSIX_C_SOURCE 200809L /* getc_unlocked */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_envelope.h"
#include "buf.h"
#include "command_list.h"
#include "event.h"
#include "pattern_argument.h"
#include "printable.h"

enum {
	LINE_MAX_BYTES = 64 * 1024 * 1024,
};

struct match_options {
	const char *pattern, *account, *region;
	bool cloudevent;
};

struct match {
	const struct match_options *options;
	const char *events_file;
	struct aws_envelope envelope;
	struct pattern *pattern;
	struct event event;
	struct buf line, text;
};

/* One line without its newline; false at the end of the file. Too long: line->overflow. */
static bool
read_line(FILE *f, struct buf *line)
{
	int c = getc_unlocked(f);

	buf_clear(line);
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(f))
		buf_add_char(line, (char)c);
	return true;
}

/* 1: matches, 0: does not match, or -1 and an error. */
static int
try_event(struct match *m, struct err *err)
{
	if (!buf_ok(&m->line))
		return err_set(err, ERR_LIMIT, "longer than %d bytes", LINE_MAX_BYTES);
	if (!m->options->cloudevent)
		return pattern_match(m->pattern, buf_str(&m->line), m->line.len, err);
	if (event_parse(&m->event, buf_str(&m->line), m->line.len, err) != 0)
		return -1;
	buf_clear(&m->text);
	aws_envelope_add(&m->text, &m->envelope, &m->event);
	return pattern_match(m->pattern, buf_str(&m->text), m->text.len, err);
}

static int
try_all(struct match *m)
{
	bool standard = strcmp(m->events_file, "-") == 0;
	FILE *f = standard ? stdin : fopen(m->events_file, "re");
	unsigned long n = 0;
	int rc = 0;

	if (f == NULL) {
		printable_line(stderr, "vcourier: %s: %s", m->events_file, err_strerror(errno));
		return EXIT_CONFIG;
	}
	while (read_line(f, &m->line)) {
		struct err err;
		int matched;

		n++;
		if (strspn(buf_str(&m->line), " \t\r") == m->line.len && buf_ok(&m->line))
			continue;
		matched = try_event(m, &err);
		puts(matched < 0 ? "error" : matched ? "match" : "nomatch");
		if (matched < 0) {
			printable_line(stderr, "vcourier: %s:%lu: %s",
				standard ? "stdin" : m->events_file, n, err.text);
			rc = EXIT_RUNTIME;
		}
	}
	if (ferror(f)) {
		printable_line(stderr, "vcourier: %s: %s", m->events_file, err_strerror(errno));
		rc = EXIT_CONFIG;
	}
	if (!standard)
		fclose(f);
	return fflush(stdout) == 0 ? rc : EXIT_RUNTIME;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct match m = { .options = values, .events_file = n_args > 0 ? args[0] : "-" };
	const struct match_options *o = m.options;
	int rc;

	if (o->pattern == NULL)
		return command_usage_error(&match_command, "--pattern PATTERN is missing");
	m.envelope.account = o->account != NULL ? o->account : "123456789012";
	m.envelope.region = o->region != NULL ? o->region : "us-east-1";
	rc = pattern_argument_compile(o->pattern, &m.pattern);
	if (rc != EXIT_NOT_YET)
		return rc;
	event_init(&m.event);
	buf_init(&m.line, LINE_MAX_BYTES);
	buf_init(&m.text, LINE_MAX_BYTES + EVENT_ATTRIBUTES_BYTES_MAX * 8);
	if (o->cloudevent)
		pattern_assume(m.pattern, "id"); /* as the dispatcher does */
	rc = try_all(&m);
	pattern_free(m.pattern);
	event_free(&m.event);
	buf_free(&m.line);
	buf_free(&m.text);
	return rc;
}

#define AT(member) offsetof(struct match_options, member)

static const struct command_option options[] = {
	{ "pattern", 'p', COMMAND_TEXT, AT(pattern), "PATTERN", NULL, 0,
		"the event pattern: JSON text, or the name of a file" },
	{ "cloudevent", 0, COMMAND_FLAG, AT(cloudevent), NULL, NULL, 0,
		"the events are CloudEvents (structured mode): match what a rule of EventBridge sees of them" },
	{ "account", 0, COMMAND_TEXT, AT(account), "ID", NULL, COMMAND_RARE,
		"AWS account in what the rule sees (default 123456789012)" },
	{ "region", 0, COMMAND_TEXT, AT(region), "NAME", NULL, COMMAND_RARE,
		"AWS region in what the rule sees (default us-east-1)" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "every event was tried" },
	{ 1, "a line is not an event (printed as error)" },
	{ EXIT_USAGE, "wrong usage, or a pattern on the command line that is invalid" },
	{ EXIT_CONFIG, "a file that cannot be read, or an invalid pattern in it" },
	{ 0, NULL } };

static const char *const examples[] = {
	"match -p '{\"subject\":[\"VmPoweredOnEvent\"]}' events.jsonl",
	"match --cloudevent --pattern rule.json events.jsonl", NULL
};

const struct command match_command = { .program = "vcourier",
	.name = "match",
	.summary = "try an event pattern on events",
	.arguments = "[EVENTS|-]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct match_options),
	.about = "Prints match or nomatch for each event of the file EVENTS (default: standard "
		 "input), one JSON text a line.",
	.more = PATTERN_ARGUMENT_HELP
	"\n\nA rule of EventBridge sees {\"source\":..., \"detail-type\":..., \"detail\":<the "
	"event>}. A condition on the id of that envelope, which only AWS knows, counts as met.",
	.examples = examples,
	.exits = exits,
	.run = run };
