// SPDX-License-Identifier: Apache-2.0
/* vcourier: the operator's tool. `vcourier COMMAND --help` describes each command. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "command_list.h"
#include "config.h"
#include "mem.h"
#include "printable.h"

/* The longest name of a command, and of a command within its group. */
enum { NAME_WIDTH = 13, NAME_WIDTH_IN_GROUP = 15 };

static void
print_summary(const char *name, int width, const char *summary, FILE *to)
{
	int at = 2 + width + 1;
	struct command_wrap wrap = { .indent = at, .used = at, .width = command_width() - 1 };
	struct buf text;

	buf_init(&text, 1024);
	command_add_wrapped(&wrap, summary, &text);
	fprintf(to, "  %-*s %s\n", width, name, buf_str(&text));
	buf_free(&text);
}

/* The commands of a group. Returns how many there are. */
static int
add_group(const char *word, FILE *to)
{
	size_t len = strlen(word);
	int n = 0;

	for (const struct command *const *c = command_list; *c != NULL; c++) {
		const char *name = (*c)->name;

		if (strncmp(name, word, len) != 0 || name[len] != ' ')
			continue;
		if (n++ == 0)
			fprintf(to, "usage: vcourier %s COMMAND [OPTIONS]\n\n", word);
		print_summary(name, NAME_WIDTH_IN_GROUP, (*c)->summary, to);
	}
	return n;
}

/* All commands, a group as one line. */
static void
add_list(FILE *to)
{
	const struct command_group *group = command_groups;

	fputs("usage: vcourier COMMAND [OPTIONS]\n\n", to);
	for (const struct command *const *c = command_list; *c != NULL; c++) {
		bool in_group = strchr((*c)->name, ' ') != NULL;
		size_t len = group->name != NULL ? strlen(group->name) : 0;

		if (in_group && len > 0 && strncmp((*c)->name, group->name, len) == 0) {
			print_summary(group->name, NAME_WIDTH, group->summary, to);
			group++;
		} else if (!in_group && (*c)->summary != NULL) {
			print_summary((*c)->name, NAME_WIDTH, (*c)->summary, to);
		}
	}
}

const struct command *const command_list[] = {
#define COMMAND(name) &name##_command,
#include "commands.h"
#undef COMMAND
	NULL
};

const struct command_group command_groups[] = {
	{ "dead", "events that could not be delivered: ls, show, redrive, drop" },
	{ "function", "functions in containers of this machine: apply, ls, logs, rm" },
	{ NULL, NULL },
};

static void
usage(FILE *to)
{
	static const char last[] = "vcourier COMMAND --help describes a command; "
				   "vcourier --version prints the version.";
	struct command_wrap wrap = { .width = command_width() - 1 };
	struct buf out;

	add_list(to);
	buf_init(&out, 1024);
	command_add_wrapped(&wrap, last, &out);
	fprintf(to, "\n%s\n", buf_str(&out));
	buf_free(&out);
}

/* The number of words of the command's name when argv begins with them, else 0. */
static int
words_of(const struct command *c, int argc, char **argv)
{
	const char *name = c->name;
	int n = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, " ");

		if (n == argc || strlen(argv[n]) != len || strncmp(argv[n], name, len) != 0)
			return 0;
		n++;
		name += len;
		name += *name == ' ';
	}
	return n;
}

static bool
is_group(const char *word)
{
	for (const struct command_group *g = command_groups; g->name != NULL; g++)
		if (strcmp(g->name, word) == 0)
			return true;
	return false;
}

static bool
asks_for_help(const char *word)
{
	return strncmp(word, "--help", 6) == 0 || strcmp(word, "-h") == 0;
}

static int
suggest(const char *name)
{
	struct config_suggestion near = { .text = name };

	for (const struct command *const *c = command_list; *c != NULL; c++)
		config_suggest(&near, (*c)->name);
	for (const struct command_group *g = command_groups; g->name != NULL; g++)
		config_suggest(&near, g->name);
	fprintf(stderr, "vcourier: unknown command \"%.60s\"", name);
	if (near.best != NULL)
		printable_line(stderr, ", did you mean \"%s\"?", near.best);
	else
		fputs("; vcourier --help lists them\n", stderr);
	return EXIT_USAGE;
}

/* argv begins with no command. */
static int
explain(int argc, char **argv)
{
	char name[COMMAND_NAME_SIZE];

	if (argc <= 0 || argv[0] == NULL) {
		fputs("vcourier: the command is missing\n", stderr);
		usage(stderr);
	} else if (argv[0][0] == '-') {
		printable_line(stderr, "vcourier: %.60s: the command comes before the options",
			argv[0]);
		usage(stderr);
	} else if (!is_group(argv[0])) {
		return suggest(argv[0]);
	} else if (argc > 1 && asks_for_help(argv[1])) {
		add_group(argv[0], stdout);
		return 0;
	} else if (argc > 1 && argv[1][0] != '-') {
		snprintf(name, sizeof(name), "%s %.40s", argv[0], argv[1]);
		return suggest(name);
	} else {
		printable_line(stderr, "vcourier: %s: which command is missing", argv[0]);
		add_group(argv[0], stderr);
	}
	return EXIT_USAGE;
}

static int
run(const struct command *c, int argc, char **argv)
{
	void *values = mem_alloc(c->values_size + 1);
	struct command_args args;
	int rc = command_parse(c, argc, argv, values, &args);

	if (rc == EXIT_NOT_YET)
		rc = c->run(values, args.arg, args.n);
	free(values);
	return rc;
}

/* A reader that has seen enough, as `head`, is no failure; a full disk is one. */
static int
finish_output(int rc)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return rc;
	printable_line(stderr, "vcourier: standard output: %s", err_strerror(errno));
	return rc == 0 ? EXIT_RUNTIME : rc;
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	bus_init();
	signal(SIGPIPE, SIG_IGN);
	for (const struct command *const *c = command_list; name != NULL && *c != NULL; c++) {
		int words = words_of(*c, argc - 1, argv + 1);

		if (words > 0)
			return finish_output(run(*c, argc - words, argv + words));
	}
	if (name != NULL && strcmp(name, "--version") == 0)
		puts("vcourier " VCOURIER_VERSION);
	else if (name != NULL && asks_for_help(name))
		usage(stdout);
	else
		return explain(argc - 1, argv + 1);
	return finish_output(0);
}
