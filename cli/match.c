// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier match: tries an event pattern on events, one JSON text a line, and prints `match` or
 * `nomatch` for each; a dry run for `filter:`, `pattern:` and EventBridge rules.
 */
#define _POSIX_C_SOURCE 200809L /* getc_unlocked */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_envelope.h"
#include "buf.h"
#include "event.h"
#include "exit_status.h"
#include "pattern.h"

int match_main(int argc, char **argv);

enum {
	EXIT_BAD_EVENT = 1,
	EXIT_BAD_PATTERN = 2,
	LINE_MAX_BYTES = 64 * 1024 * 1024,
};

struct match {
	const char *pattern_file, *events_file;
	bool cloudevent;
	struct aws_envelope envelope;
	struct pattern *pattern;
	struct event event;
	struct buf line, text;
};

static const char usage[] =
	"usage: vcourier match --pattern FILE [--cloudevent] [EVENTS|-]\n"
	"\n"
	"Prints `match` or `nomatch` for each event of EVENTS (default: standard input), JSON lines.\n"
	"\n"
	"  -p, --pattern FILE    the event pattern, as EventBridge rules have it\n"
	"  -c, --cloudevent      the events are CloudEvents (structured mode): match what an EventBridge rule\n"
	"                        sees of them, {\"source\":...,\"detail-type\":...,\"detail\":<the event>}; a\n"
	"                        condition on the envelope's id, which only AWS knows, counts as met\n"
	"      --account ID      AWS account in that envelope (default 123456789012)\n"
	"      --region NAME     AWS region in that envelope (default us-east-1)\n"
	"\n"
	"Exit status: 0 every event was tried, 1 a line is not an event (printed as `error`), 2 the pattern is\n"
	"invalid.\n";

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

static int
load_pattern(struct match *m)
{
	FILE *f = fopen(m->pattern_file, "re");
	struct err err;
	int rc = 0, c;

	if (f == NULL) {
		fprintf(stderr, "vcourier: %s: %s\n", m->pattern_file, err_strerror(errno));
		return EXIT_USAGE;
	}
	buf_clear(&m->text);
	while (m->text.len <= PATTERN_TEXT_MAX && (c = getc_unlocked(f)) != EOF)
		buf_add_char(&m->text, (char)c);
	if (ferror(f)) {
		fprintf(stderr, "vcourier: %s: %s\n", m->pattern_file, err_strerror(errno));
		rc = EXIT_USAGE;
	} else if (pattern_compile(&m->pattern, buf_str(&m->text), m->text.len, &err) != 0) {
		fprintf(stderr, "vcourier: %s: %s\n", m->pattern_file, err.text);
		rc = EXIT_BAD_PATTERN;
	}
	fclose(f);
	return rc;
}

/* 1: matches, 0: does not match, or -1 and an error. */
static int
try_event(struct match *m, struct err *err)
{
	if (!buf_ok(&m->line))
		return err_set(err, ERR_LIMIT, "longer than %d bytes", LINE_MAX_BYTES);
	if (!m->cloudevent)
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
		fprintf(stderr, "vcourier: %s: %s\n", m->events_file, err_strerror(errno));
		return EXIT_USAGE;
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
			fprintf(stderr, "vcourier: %s:%lu: %s\n",
				standard ? "stdin" : m->events_file, n, err.text);
			rc = EXIT_BAD_EVENT;
		}
	}
	if (ferror(f)) {
		fprintf(stderr, "vcourier: %s: %s\n", m->events_file, err_strerror(errno));
		rc = EXIT_BAD_EVENT;
	}
	if (!standard)
		fclose(f);
	return fflush(stdout) == 0 ? rc : EXIT_BAD_EVENT;
}

/* EXIT_NOT_YET, or the exit status. */
static int
read_options(struct match *m, int argc, char **argv)
{
	static const struct option options[] = {
		{ "pattern", required_argument, NULL, 'p' },
		{ "cloudevent", no_argument, NULL, 'c' },
		{ "account", required_argument, NULL, 'a' },
		{ "region", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((c = getopt_long(argc, argv, "p:ch", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			m->pattern_file = optarg;
			break;
		case 'c':
			m->cloudevent = true;
			break;
		case 'a':
			m->envelope.account = optarg;
			break;
		case 'r':
			m->envelope.region = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return EXIT_USAGE;
		}
	}
	if (m->pattern_file == NULL || argc - optind > 1) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	m->events_file = optind < argc ? argv[optind] : "-";
	return EXIT_NOT_YET;
}

int
match_main(int argc, char **argv)
{
	struct match m = { .envelope = { .account = "123456789012", .region = "us-east-1" } };
	int rc = read_options(&m, argc, argv);

	if (rc != EXIT_NOT_YET)
		return rc;
	event_init(&m.event);
	buf_init(&m.line, LINE_MAX_BYTES);
	buf_init(&m.text, LINE_MAX_BYTES + EVENT_ATTRIBUTES_BYTES_MAX * 8);
	rc = load_pattern(&m);
	if (rc == 0 && m.cloudevent)
		pattern_assume(m.pattern, "id"); /* as the dispatcher does */
	if (rc == 0)
		rc = try_all(&m);
	pattern_free(m.pattern);
	event_free(&m.event);
	buf_free(&m.line);
	buf_free(&m.text);
	return rc;
}
