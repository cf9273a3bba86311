// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier manual: the source of a manual page, for `make`, from the tables of the command
 * lines and of the configuration file. Without a name it prints the names of all pages.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector_spec.h"
#include "command_list.h"
#include "config_print.h"
#include "deployment.h"
#include "dispatcher_spec.h"
#include "flags.h"
#include "roff.h"

enum { PAGE_MAX = 4 * 1024 * 1024, NAME_SIZE = COMMAND_NAME_SIZE };

struct manual_options {
	const char *date;
};

/* "vcourier-dead-ls" */
static const char *
page_name(const struct command *c, char name[NAME_SIZE])
{
	command_name(c, name);
	for (char *s = name; *s != '\0'; s++)
		if (*s == ' ')
			*s = '-';
	return name;
}

static void
add_title(struct buf *out, const char *name, const char *section, const char *date)
{
	buf_add_str(out, ".\\\" Written by the build from the option tables.\n.TH ");
	for (; *name != '\0'; name++)
		buf_add_char(out, (char)toupper((unsigned char)*name));
	buf_printf(out, " %s %s \"vcourier %s\" \"vcourier manual\"\n", section, date,
		VCOURIER_VERSION);
}

static void
add_name(struct buf *out, const char *name, const char *summary)
{
	buf_add_str(out, ".SH NAME\n");
	roff_add_word(out, name, strlen(name));
	buf_add_str(out, " \\-\n");
	roff_add_word(out, summary, strlen(summary));
	buf_add_char(out, '\n');
}

static void
add_options(struct buf *out, const struct command_option *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (rows->flags & COMMAND_HIDDEN)
			continue;
		buf_add_str(out, ".TP\n");
		if (rows->letter != 0)
			buf_printf(out, "\\fB\\-%c\\fR, ", rows->letter);
		buf_add_str(out, "\\fB\\-\\-");
		roff_add_word(out, rows->name, strlen(rows->name));
		buf_add_str(out, "\\fR");
		if (rows->value != NULL)
			buf_printf(out, " \\fI%s\\fR", rows->value);
		buf_add_char(out, '\n');
		roff_add(out, rows->help);
	}
}

static void
add_synopsis(struct buf *out, const struct command *c)
{
	char name[NAME_SIZE];

	command_name(c, name);
	buf_add_str(out, ".SH SYNOPSIS\n\\fB");
	roff_add_word(out, name, strlen(name));
	buf_add_str(out, "\\fR [\\fIOPTIONS\\fR]");
	if (c->arguments != NULL) {
		buf_add_str(out, " \\fI");
		roff_add_word(out, c->arguments, strlen(c->arguments));
		buf_add_str(out, "\\fR");
	}
	buf_add_char(out, '\n');
}

static void
add_paragraphs(struct buf *out, const struct command *c)
{
	buf_add_str(out, ".SH DESCRIPTION\n");
	roff_add(out, c->about);
	if (c->more == NULL)
		return;
	buf_add_str(out, ".PP\n");
	roff_add(out, c->more);
}

static void
add_end(struct buf *out, const struct command *c)
{
	if (c->exits != NULL)
		buf_add_str(out, ".SH EXIT STATUS\n");
	for (const struct command_exit *e = c->exits; e != NULL && e->meaning != NULL; e++) {
		buf_printf(out, ".TP\n%d\n", e->status);
		roff_add(out, e->meaning);
	}
	if (c->examples != NULL)
		buf_add_str(out, ".SH EXAMPLES\n.nf\n");
	for (const char *const *e = c->examples; e != NULL && *e != NULL; e++) {
		buf_printf(out, "%s ", c->program);
		roff_add_word(out, *e, strlen(*e));
		buf_add_char(out, '\n');
	}
	if (c->examples != NULL)
		buf_add_str(out, ".fi\n");
}

static void
add_command(struct buf *out, const struct command *c, const char *section, const char *date)
{
	char name[NAME_SIZE];

	add_title(out, page_name(c, name), section, date);
	add_name(out, name, c->summary);
	add_synopsis(out, c);
	add_paragraphs(out, c);
	buf_add_str(out, ".SH OPTIONS\n");
	add_options(out, c->options);
	if (c->shared != NULL)
		buf_printf(out, ".SS Options of %s\n", c->shared_title);
	add_options(out, c->shared);
	buf_add_str(out,
		".TP\n\\fB\\-\\-help\\fR [\\fBall\\fR]\nprint a short help, or all of it\n");
	add_end(out, c);
	buf_add_str(out, ".SH SEE ALSO\n.BR vcourier (1),\n.BR vcourier.yaml (5)\n");
}

static void
add_program(struct buf *out, const char *date)
{
	char name[NAME_SIZE];

	add_title(out, "vcourier", "1", date);
	add_name(out, "vcourier", "the operator's tool for vCenter events on NATS");
	buf_add_str(out,
		".SH SYNOPSIS\n\\fBvcourier\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
		".SH DESCRIPTION\n");
	roff_add(out,
		"vcourier looks at the streams of vCenter events in NATS JetStream and at what "
		"collectors and dispatchers do with them, and handles dead letters. Each command "
		"has a page of its own.");
	buf_add_str(out, ".SH COMMANDS\n");
	for (const struct command *const *c = command_list; *c != NULL; c++) {
		if ((*c)->summary == NULL)
			continue;
		buf_add_str(out, ".TP\n.BR ");
		page_name(*c, name);
		roff_add_word(out, name, strlen(name));
		buf_add_str(out, " (1)\n");
		roff_add(out, (*c)->summary);
	}
	buf_printf(out, ".SH OPTIONS OF %s\n", "THE CONNECTION");
	add_options(out, connection_options);
	buf_add_str(out, ".PP\n");
	roff_add(out, CONNECTION_ORDER);
	buf_add_str(out,
		".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nfailed, or found what it looks for\n"
		".TP\n64\nwrong usage\n.TP\n69\nNATS does not answer\n.TP\n77\nnot permitted\n"
		".TP\n78\nwrong configuration\n"
		".SH FILES\n.TP\n.I " CONNECTION_CLI_PATH
		"\nthe connection of this command\n.TP\n.I " FLAGS_DEFAULT_PATH
		"\nthe configuration of the daemons\n"
		".SH SEE ALSO\n.BR vcourier\\-collector (8),\n.BR vcourier\\-dispatcher (8),\n"
		".BR vcourier.yaml (5)\n");
}

static void
add_file_option(void *ctx, const char *name, const char *type, const char *help)
{
	struct buf *out = ctx;

	buf_add_str(out, ".TP\n\\fB");
	roff_add_word(out, name, strlen(name));
	buf_add_str(out, "\\fR\n");
	roff_add(out, type);
	buf_add_str(out, ".br\n");
	roff_add(out, help);
}

static void
add_file(struct buf *out, const char *date)
{
	add_title(out, "vcourier.yaml", "5", date);
	add_name(out, "vcourier.yaml", "configuration of collectors and dispatchers");
	buf_add_str(out, ".SH DESCRIPTION\n");
	roff_add(out,
		"One YAML file for the whole deployment, by default `" FLAGS_DEFAULT_PATH
		"`. Durations have units: `250ms`, `30s`, `1h30m`, `7d`. Sizes too: `64KiB`, `10GiB`. "
		"`${NAME}` and `${NAME:-default}` in a value are replaced from the environment, except "
		"in single quotes. `[File]` in a name: with `File` at its end the option names a file "
		"that is read at each use. Several sources and backends are lists: `eventProviders` and "
		"`eventProcessors`.");
	buf_add_str(out, ".SH OPTIONS\n");
	config_each(deployment_table(), "", add_file_option, out);
	buf_add_str(
		out, ".SH SEE ALSO\n.BR vcourier\\-check (1),\n.BR vcourier\\-config (1)\n");
}

/* ---- the command */

static void
list(void)
{
	char name[NAME_SIZE];

	puts("vcourier.1\nvcourier.yaml.5\nvcourier-collector.8\nvcourier-dispatcher.8");
	for (const struct command *const *c = command_list; *c != NULL; c++)
		if ((*c)->summary != NULL)
			printf("%s.1\n", page_name(*c, name));
}

/* False: there is no such page. */
static bool
add_page(struct buf *out, const char *page, const char *date)
{
	static const struct daemon_spec *const daemons[] = { &collector_spec,
		&dispatcher_spec };
	char name[NAME_SIZE], program[NAME_SIZE];
	struct command daemon;

	if (strcmp(page, "vcourier.1") == 0)
		add_program(out, date);
	else if (strcmp(page, "vcourier.yaml.5") == 0)
		add_file(out, date);
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		flags_command(daemons[i], program, &daemon);
		snprintf(name, sizeof(name), "vcourier-%s.8", daemons[i]->component);
		if (strcmp(page, name) == 0)
			add_command(out, &daemon, "8", date);
	}
	for (const struct command *const *c = command_list; *c != NULL; c++) {
		size_t len = strlen(page_name(*c, name));

		if ((*c)->summary != NULL && strncmp(page, name, len) == 0 &&
			strcmp(page + len, ".1") == 0)
			add_command(out, *c, "1", date);
	}
	return out->len > 0;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct manual_options *o = values;
	const char *date = o->date != NULL ? o->date : "1970-01-01";
	struct buf out;
	int rc = 0;

	if (n_args == 0) {
		list();
		return 0;
	}
	buf_init(&out, PAGE_MAX);
	if (add_page(&out, args[0], date))
		fputs(buf_str(&out), stdout);
	else
		rc = command_usage_error(
			&manual_command, "there is no page \"%.60s\"", args[0]);
	buf_free(&out);
	return rc;
}

static const struct command_option options[] = {
	{ "date", 0, COMMAND_TEXT, offsetof(struct manual_options, date), "DATE",
		.help = "the date of the page" },
	{ NULL },
};

const struct command manual_command = { .program = "vcourier",
	.name = "manual",
	.arguments = "[PAGE]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct manual_options),
	.about = "Prints the source of a manual page; without PAGE the names of all pages.",
	.run = run };
