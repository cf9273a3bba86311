// SPDX-License-Identifier: Apache-2.0
#include "command_list.h"

const struct command *const command_list[] = {
#define COMMAND(name) &name##_command,
#include "commands.h"
#undef COMMAND
	NULL
};
