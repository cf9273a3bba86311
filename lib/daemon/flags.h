// SPDX-License-Identifier: Apache-2.0
/*
 * The command line of the daemons, the same for each; it accepts the event router's flags, too.
 */
#ifndef VCOURIER_FLAGS_H
#define VCOURIER_FLAGS_H

#include "command.h"
#include "daemon.h"

#define FLAGS_DEFAULT_PATH "/etc/vcourier/config.yaml"

struct flags { /* strings are argv's; NULL: not given */
	const char *path, *name, *metrics;
	const char *level_text, *format_text;
	bool log_json, check, health;
	int level, format; /* enum log_level, enum log_format; -1: not given */
};

/*
 * EXIT_NOT_YET, or the exit status: 0 after --help and --version, EXIT_USAGE after an error
 * message.
 */
int flags_parse(struct flags *flags, const struct daemon_spec *spec, int argc, char **argv);

/* The table of a daemon; its strings live as long as the process, its program in `name`. */
void flags_command(
	const struct daemon_spec *spec, char name[COMMAND_NAME_SIZE], struct command *out);

#endif
