// SPDX-License-Identifier: Apache-2.0
/* vcourier: the operator's tool. `vcourier COMMAND --help` describes each command. */
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "exit_status.h"

#define COMMAND(name, help) int name##_main(int argc, char **argv);
#include "commands.h"
#undef COMMAND

static const struct command {
	const char *name, *help;
	int (*main)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, help) { #name, help, name##_main },
#include "commands.h"
#undef COMMAND
};

static void
usage(FILE *to)
{
	fputs("usage: vcourier COMMAND [OPTIONS]\n\n", to);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\nvcourier COMMAND --help describes a command; vcourier --version prints the version.\n",
		to);
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	bus_init();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		puts("vcourier " VCOURIER_VERSION);
		return 0;
	}
	if (*name != '\0')
		fprintf(stderr, "vcourier: unknown command \"%s\"\n", name);
	usage(stderr);
	return EXIT_USAGE;
}
