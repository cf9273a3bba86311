// SPDX-License-Identifier: Apache-2.0
/* Parses a command line by its table. */
#define _GNU_SOURCE /* getopt_long_only */
#include "command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "exit_status.h"
#include "text.h"

enum {
	OPTIONS_MAX = 48,
	FIRST = 256, /* value of the first row of the table, for getopt */
	HELP = 1000,
	VERSION,
};

/* The rows of a command, in the form that getopt wants. */
struct command_parser {
	const struct command *command;
	const struct command_option *row[OPTIONS_MAX];
	struct option known[OPTIONS_MAX + 3];
	char letters[2 * OPTIONS_MAX + 4];
	int n;
};

static void say(const struct command *c, const char *fmt, va_list ap) ERR_PRINTF(2, 0);

static void
say(const struct command *c, const char *fmt, va_list ap)
{
	char name[COMMAND_NAME_SIZE];

	fprintf(stderr, "%s: ", command_name(c, name));
	vfprintf(stderr, fmt, ap);
}

int
command_usage_error(const struct command *c, const char *fmt, ...)
{
	struct buf usage;
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
	buf_init(&usage, 4096);
	command_add_usage(c, &usage);
	fprintf(stderr, "; %s", buf_str(&usage));
	buf_free(&usage);
	return EXIT_USAGE;
}

static int option_error(const struct command *c, const char *fmt, ...) ERR_PRINTF(2, 3);

/* An option is wrong, and the message says how. */
static int
option_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static void
add_rows(struct command_parser *p, const struct command_option *rows)
{
	for (; rows != NULL && rows->name != NULL && p->n < OPTIONS_MAX; rows++) {
		int value = rows->type != COMMAND_FLAG;
		char *end = p->letters + strlen(p->letters);

		p->row[p->n] = rows;
		p->known[p->n] = (struct option){ rows->name,
			value                          ? required_argument
				: p->command->one_dash ? optional_argument
						       : no_argument,
			NULL, FIRST + p->n };
		if (rows->letter != 0)
			snprintf(end, 3, "%c%s", rows->letter, value ? ":" : "");
		p->n++;
	}
}

static void
parser_init(struct command_parser *p, const struct command *c)
{
	*p = (struct command_parser){ .command = c, .letters = ":h" };
	add_rows(p, c->options);
	add_rows(p, c->shared);
	p->known[p->n] = (struct option){ "help", optional_argument, NULL, HELP };
	p->known[p->n + 1] = (struct option){ "version", no_argument, NULL, VERSION };
}

static const struct command_option *
row_of(const struct command_parser *p, int flag)
{
	if (flag >= FIRST && flag < FIRST + p->n)
		return p->row[flag - FIRST];
	for (int i = 0; flag > 0 && i < p->n; i++)
		if (p->row[i]->letter == flag)
			return p->row[i];
	return NULL;
}

/* The event router's flags take -log-json=true, in the words of Go's strconv.ParseBool. */
static bool
take_flag(const char *text, bool *out)
{
	static const char *const words[2][7] = {
		{ "0", "f", "F", "false", "False", "FALSE", NULL },
		{ "1", "t", "T", "true", "True", "TRUE", NULL },
	};

	*out = true;
	if (text == NULL)
		return true;
	for (int value = 0; value < 2; value++)
		for (size_t i = 0; words[value][i] != NULL; i++)
			if (strcmp(text, words[value][i]) == 0) {
				*out = value == 1;
				return true;
			}
	return false;
}

static bool
take_time(const char *text, int64_t *us)
{
	int64_t ms;

	if (clock_parse(text, strlen(text), us))
		return true;
	if (!text_duration(text, &ms))
		return false;
	*us = clock_wall_us() - ms * 1000;
	return true;
}

static int
wrong_choice(const struct command_parser *p, const struct command_option *o, const char *text)
{
	struct buf list;
	int rc;

	buf_init(&list, 512);
	for (size_t i = 0; o->choices[i] != NULL; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", o->choices[i]);
	rc = option_error(
		p->command, "--%s: \"%.60s\" is none of %s", o->name, text, buf_str(&list));
	buf_free(&list);
	return rc;
}

static bool
is_choice(const struct command_option *o, const char *text)
{
	for (size_t i = 0; o->choices[i] != NULL; i++)
		if (strcmp(text, o->choices[i]) == 0)
			return true;
	return false;
}

static int
take_another(const struct command_parser *p, const struct command_option *o, const char *text,
	struct command_texts *to)
{
	if (to->n == COMMAND_TEXTS_MAX)
		return command_usage_error(
			p->command, "--%s: more than %d of them", o->name, COMMAND_TEXTS_MAX);
	if (*text == '\0')
		return option_error(p->command, "--%s: the value is empty", o->name);
	to->text[to->n++] = text;
	return EXIT_NOT_YET;
}

/* EXIT_NOT_YET, or the exit status. */
static int
take(const struct command_parser *p, const struct command_option *o, const char *text,
	void *values)
{
	void *to = (char *)values + o->offset;

	switch (o->type) {
	case COMMAND_FLAG:
		if (!take_flag(text, to))
			return option_error(p->command,
				"--%s: \"%.60s\" is neither true nor false", o->name, text);
		break;
	case COMMAND_CHOICE:
		if (!is_choice(o, text))
			return wrong_choice(p, o, text);
		*(const char **)to = text;
		break;
	case COMMAND_TEXTS:
		return take_another(p, o, text, to);
	case COMMAND_COUNT:
		if (!text_int(text, 1, INT64_MAX, to))
			return option_error(p->command,
				"--%s: \"%.60s\" is not a number from 1 on", o->name, text);
		break;
	case COMMAND_TIME:
		if (!take_time(text, to))
			return option_error(p->command,
				"--%s: \"%.60s\" is neither a time (2026-11-22T10:00:00Z) nor a duration (2h)",
				o->name, text);
		break;
	default:
		if (*text == '\0')
			return option_error(p->command, "--%s: the value is empty", o->name);
		*(const char **)to = text;
		break;
	}
	return EXIT_NOT_YET;
}

static bool
is_ambiguous(const struct command_parser *p, const char *name, size_t len)
{
	int found = 0;

	for (int i = 0; i < p->n + 2; i++)
		found += strncmp(p->known[i].name, name, len) == 0;
	return found > 1;
}

/* getopt has returned '?' or ':' for this word of argv. */
static int
refuse(const struct command_parser *p, const char *word, int letter)
{
	const char *name = word + strspn(word, "-");
	size_t len = strcspn(name, "=");
	const struct command_option *o = row_of(p, letter);
	char text[64];
	struct config_suggestion near = { .text = text };

	if (o != NULL && letter < FIRST)
		return option_error(p->command, "-%c needs a value: %s", letter, o->value);
	if (o != NULL)
		return option_error(p->command, "--%s takes no value", o->name);
	if (letter != 0 && letter < FIRST)
		return option_error(p->command, "-%c: unknown option", letter);
	if (letter != 0)
		return option_error(p->command, "%.60s takes no value", word);
	snprintf(text, sizeof(text), "%.*s", (int)(len < 60 ? len : 60), name);
	if (is_ambiguous(p, name, len))
		return option_error(
			p->command, "--%s is the beginning of several options", text);
	for (int i = 0; i < p->n + 2; i++) {
		o = row_of(p, p->known[i].val); /* NULL: --help, --version */
		if (o == NULL || !(o->flags & COMMAND_HIDDEN))
			config_suggest(&near, p->known[i].name);
	}
	if (near.best != NULL)
		return option_error(p->command, "--%s: unknown option, did you mean --%s?",
			text, near.best);
	return option_error(p->command, "--%s: unknown option", text);
}

static int
lacks_value(const struct command_parser *p, int flag)
{
	const struct command_option *o = row_of(p, flag);

	return option_error(p->command, "--%s needs a value: %s", o->name, o->value);
}

static int
print_help(const struct command *c, const char *next)
{
	struct buf help;

	buf_init(&help, 1024 * 1024);
	command_add_help(c, next != NULL && strcmp(next, "all") == 0, command_width(), &help);
	fputs(buf_str(&help), stdout);
	buf_free(&help);
	return 0;
}

/* The n-th word of "SEQ... [FILE]", for messages. */
static const char *
argument_name(const struct command *c, size_t n, char buf[COMMAND_NAME_SIZE])
{
	const char *s = c->arguments;

	for (; n > 0 && strchr(s, ' ') != NULL; n--)
		s = strchr(s, ' ') + 1;
	s += strspn(s, "[");
	snprintf(buf, COMMAND_NAME_SIZE, "%.*s", (int)strcspn(s, " ].|"), s);
	return buf;
}

static int
check_arguments(const struct command *c, char **arg, size_t n)
{
	char name[COMMAND_NAME_SIZE];

	if (n < c->args_min)
		return command_usage_error(c, "%s is missing", argument_name(c, n, name));
	if (n > c->args_max)
		return command_usage_error(
			c, "unexpected argument \"%.60s\"", arg[c->args_max]);
	return EXIT_NOT_YET;
}

int
command_parse(
	const struct command *c, int argc, char **argv, void *values, struct command_args *args)
{
	struct command_parser p;
	int flag, rc;

	parser_init(&p, c);
	memset(values, 0, c->values_size);
	opterr = 0;
	/* NOLINTBEGIN(concurrency-mt-unsafe): before the first thread */
	while ((flag = c->one_dash ? getopt_long_only(argc, argv, p.letters, p.known, NULL)
				   : getopt_long(argc, argv, p.letters, p.known, NULL)) != -1) {
		/* NOLINTEND(concurrency-mt-unsafe) */
		const struct command_option *o = row_of(&p, flag);

		if (flag == HELP || flag == 'h')
			return print_help(c, optarg != NULL ? optarg : argv[optind]);
		if (flag == VERSION) {
			printf("%s %s\n", c->program, VCOURIER_VERSION);
			return 0;
		}
		if (flag == ':' && row_of(&p, optopt) != NULL)
			return lacks_value(&p, optopt);
		if (o == NULL)
			return refuse(&p, argv[optind - 1], optopt);
		if ((rc = take(&p, o, optarg, values)) != EXIT_NOT_YET)
			return rc;
	}
	args->arg = argv + optind;
	args->n = (size_t)(argc - optind);
	return check_arguments(c, args->arg, args->n);
}
