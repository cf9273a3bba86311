// SPDX-License-Identifier: Apache-2.0
/* vcourier completion: the completion of a shell, from the tables of the command lines. */
#include <stdio.h>
#include <string.h>

#include "command_list.h"

/* Calls fn for each option of the command that is described somewhere. */
static void
each_option(const struct command *c,
	void (*fn)(const struct command *c, const struct command_option *o))
{
	const struct command_option *tables[] = { c->options, c->shared };

	for (size_t t = 0; t < 2; t++)
		for (const struct command_option *o = tables[t]; o != NULL && o->name != NULL;
			o++)
			if (!(o->flags & COMMAND_HIDDEN))
				fn(c, o);
}

static void
each_command(void (*fn)(const struct command *c))
{
	for (const struct command *const *c = command_list; *c != NULL; c++)
		if ((*c)->summary != NULL)
			fn(*c);
}

/* In single quotes, for every shell. */
static void
print_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("\"", stdout);
		else if (strchr("[]:$`\\", *text) == NULL)
			putchar(*text);
		else
			putchar(' ');
	putchar('\'');
}

static bool
is_file(const struct command_option *o)
{
	return o->value != NULL && strcmp(o->value, "FILE") == 0;
}

static bool
takes_files(const struct command *c)
{
	return c->arguments != NULL &&
		(strstr(c->arguments, "FILE") != NULL ||
			strstr(c->arguments, "EVENTS") != NULL);
}

/* ---- bash */

static bool
in_group(const struct command *c, const char *group)
{
	size_t len = strlen(group);

	return strncmp(c->name, group, len) == 0 && c->name[len] == ' ';
}

static void
bash_words(void)
{
	for (const struct command *const *c = command_list; *c != NULL; c++)
		if ((*c)->summary != NULL && strchr((*c)->name, ' ') == NULL)
			printf(" %s", (*c)->name);
	for (const struct command_group *g = command_groups; g->name != NULL; g++)
		printf(" %s", g->name);
}

static void
bash_second(const struct command *c)
{
	const char *space = strchr(c->name, ' ');

	if (space != NULL)
		printf("\t\t%.*s) commands=\"$commands %s\" ;;&\n", (int)(space - c->name),
			c->name, space + 1);
}

static void
bash_option(const struct command *c, const struct command_option *o)
{
	(void)c;
	printf(" --%s", o->name);
}

static void
bash_value(const struct command *c, const struct command_option *o)
{
	if (o->choices == NULL)
		return;
	printf("\t\"%s --%s\") COMPREPLY=($(compgen -W \"", c->name, o->name);
	for (size_t i = 0; o->choices[i] != NULL; i++)
		printf("%s%s", i > 0 ? " " : "", o->choices[i]);
	fputs("\" -- \"$word\")); return ;;\n", stdout);
}

static void
bash_options(const struct command *c)
{
	printf("\t\"%s\") options=\"--help", c->name);
	each_option(c, bash_option);
	printf("\"; files=%d ;;\n", takes_files(c));
}

static void
bash_values(const struct command *c)
{
	each_option(c, bash_value);
}

static void
print_bash(void)
{
	fputs("# bash completion of vcourier; written by `vcourier completion bash`\n"
	      "_vcourier() {\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command=${COMP_WORDS[1]} options= files=0 commands=\n"
	      "\tCOMPREPLY=()\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"--help --version",
		stdout);
	bash_words();
	fputs("\" -- \"$word\"))\n\t\treturn\n\tfi\n\tcase $command in\n", stdout);
	each_command(bash_second);
	fputs("\tesac\n\tif [[ $commands ]]; then\n"
	      "\t\tif ((COMP_CWORD == 2)); then\n"
	      "\t\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
	      "\t\t\treturn\n\t\tfi\n\t\tcommand=\"$command ${COMP_WORDS[2]}\"\n\tfi\n"
	      "\tcase \"$command $before\" in\n",
		stdout);
	each_command(bash_values);
	fputs("\tesac\n\tcase $command in\n", stdout);
	each_command(bash_options);
	fputs("\tesac\n\tif [[ $word == -* ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	      "\telif ((files)) || [[ $before == -[cf] || $before == --*file || $before == --filename || $before == --config ||\n"
	      "\t\t$before == --creds || $before == --ca || $before == --cert || $before == --key ]]; then\n"
	      "\t\tcompopt -o filenames\n"
	      "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	      "\tfi\n}\ncomplete -F _vcourier vcourier\n",
		stdout);
}

/* ---- zsh */

static void
zsh_option(const struct command *c, const struct command_option *o)
{
	(void)c;
	printf(" \\\n\t\t\t'--%s%s'", o->name, o->value != NULL ? "=" : "");
	fputs("[", stdout);
	print_quoted(o->help);
	fputs("]", stdout);
	if (o->choices != NULL) {
		printf("':%s:(", o->value);
		for (size_t i = 0; o->choices[i] != NULL; i++)
			printf("%s%s", i > 0 ? " " : "", o->choices[i]);
		fputs(")'", stdout);
	} else if (o->value != NULL) {
		printf("':%s:%s'", o->value, is_file(o) ? "_files" : "");
	}
}

static void
zsh_options(const struct command *c)
{
	printf("\t\t(%.*s", (int)strcspn(c->name, " "), c->name);
	if (strchr(c->name, ' ') != NULL)
		printf("\\ %s", strchr(c->name, ' ') + 1);
	fputs(") _arguments", stdout);
	each_option(c, zsh_option);
	printf(" \\\n\t\t\t'--help[print help]'%s ;;\n",
		takes_files(c) ? " '*:file:_files'" : "");
}

static void
zsh_describe(const struct command *c)
{
	if (strchr(c->name, ' ') != NULL)
		return;
	printf("\t\t\t%s:", c->name);
	print_quoted(c->summary);
	putchar('\n');
}

/* The second word of a group: one list for each, and the options by both words. */
static void
zsh_group(const struct command_group *g)
{
	printf("\tif [[ $name == %s ]]; then\n\t\tif ((CURRENT == 3)); then\n\t\t\tsecond=(\n",
		g->name);
	for (const struct command *const *c = command_list; *c != NULL; c++) {
		if (!in_group(*c, g->name))
			continue;
		printf("\t\t\t%s:", strchr((*c)->name, ' ') + 1);
		print_quoted((*c)->summary);
		putchar('\n');
	}
	printf("\t\t\t)\n\t\t\t_describe command second\n\t\t\treturn\n\t\tfi\n"
	       "\t\tname=\"%s $words[3]\"\n\t\tshift words\n\t\t((CURRENT--))\n\tfi\n",
		g->name);
}

static void
print_zsh(void)
{
	fputs("#compdef vcourier\n# written by `vcourier completion zsh`\n"
	      "_vcourier() {\n\tlocal -a commands second\n\tlocal name=$words[2]\n"
	      "\tif ((CURRENT == 2)); then\n\t\tcommands=(\n",
		stdout);
	each_command(zsh_describe);
	for (const struct command_group *g = command_groups; g->name != NULL; g++) {
		printf("\t\t\t%s:", g->name);
		print_quoted(g->summary);
		putchar('\n');
	}
	fputs("\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n", stdout);
	for (const struct command_group *g = command_groups; g->name != NULL; g++)
		zsh_group(g);
	fputs("\tshift words\n\t((CURRENT--))\n\tcase $name in\n", stdout);
	each_command(zsh_options);
	fputs("\tesac\n}\n_vcourier \"$@\"\n", stdout);
}

/* ---- fish */

static void
fish_condition(const struct command *c)
{
	const char *space = strchr(c->name, ' ');

	printf("complete -c vcourier -n '__fish_seen_subcommand_from %.*s",
		(int)strcspn(c->name, " "), c->name);
	if (space != NULL)
		printf("; and __fish_seen_subcommand_from %s", space + 1);
	fputs("'", stdout);
}

static void
fish_option(const struct command *c, const struct command_option *o)
{
	fish_condition(c);
	if (o->letter != 0)
		printf(" -s %c", o->letter);
	printf(" -l %s%s", o->name, o->value == NULL ? "" : is_file(o) ? " -rF" : " -x");
	if (o->choices != NULL) {
		fputs(" -a '", stdout);
		for (size_t i = 0; o->choices[i] != NULL; i++)
			printf("%s%s", i > 0 ? " " : "", o->choices[i]);
		fputs("'", stdout);
	}
	fputs(" -d ", stdout);
	print_quoted(o->help);
	putchar('\n');
}

static void
fish_command(const struct command *c)
{
	const char *space = strchr(c->name, ' ');

	if (space != NULL)
		printf("complete -c vcourier -f -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
			(int)(space - c->name), c->name, space + 1);
	else
		printf("complete -c vcourier -f -n __fish_use_subcommand -a %s -d ", c->name);
	print_quoted(c->summary);
	putchar('\n');
	each_option(c, fish_option);
	if (takes_files(c)) {
		fish_condition(c);
		fputs(" -F\n", stdout);
	}
}

static void
print_fish(void)
{
	fputs("# fish completion of vcourier; written by `vcourier completion fish`\n", stdout);
	for (const struct command_group *g = command_groups; g->name != NULL; g++) {
		printf("complete -c vcourier -f -n __fish_use_subcommand -a %s -d ", g->name);
		print_quoted(g->summary);
		putchar('\n');
	}
	each_command(fish_command);
}

static int
run(void *values, char **args, size_t n_args)
{
	(void)values;
	(void)n_args;
	if (strcmp(args[0], "bash") == 0)
		print_bash();
	else if (strcmp(args[0], "zsh") == 0)
		print_zsh();
	else if (strcmp(args[0], "fish") == 0)
		print_fish();
	else
		return command_usage_error(
			&completion_command, "\"%.60s\" is none of bash, zsh, fish", args[0]);
	return 0;
}

static const struct command_option options[] = { { NULL } };

static const char *const examples[] = {
	"completion bash > ~/.local/share/bash-completion/completions/vcourier", NULL
};

const struct command completion_command = { .program = "vcourier",
	.name = "completion",
	.summary = "print the completion for bash, zsh or fish",
	.arguments = "SHELL",
	.args_min = 1,
	.args_max = 1,
	.options = options,
	.about =
		"Prints the completion of this command for a shell: bash, zsh or fish. Packages "
		"install all three.",
	.examples = examples,
	.run = run };
