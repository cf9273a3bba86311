// SPDX-License-Identifier: Apache-2.0
/*
 * The subcommands, for the program, the completion and the manual pages. To add one: a line in
 * commands.h, and `const struct command NAME_command` in NAME.c.
 */
#ifndef VCOURIER_COMMAND_LIST_H
#define VCOURIER_COMMAND_LIST_H

#include "command.h"
#include "connection.h"
#include "exit_status.h"

#define COMMAND(name) extern const struct command name##_command;
#include "commands.h"
#undef COMMAND

/* All of them, in main.c; NULL-terminated. One without a summary is for the build. */
extern const struct command *const command_list[];

/* Commands of two words, such as "dead ls", in the order of command_list. */
struct command_group {
	const char *name, *summary; /* NULL ends the list */
};
extern const struct command_group command_groups[];

/* What commands that connect have in common: members of a struct command. */
#define COMMAND_CONNECTS \
	.program = "vcourier", .shared = connection_options, .shared_title = CONNECTION_TITLE

/* The exit statuses that every command which connects has, after its own. */
#define COMMAND_CONNECTS_EXITS \
	{ EXIT_USAGE, "wrong usage" }, { EXIT_UNREACHABLE, "NATS does not answer" }, \
		{ EXIT_FORBIDDEN, "not permitted" }, { EXIT_CONFIG, "wrong configuration" }, \
	{ \
		0, NULL \
	}

#endif
