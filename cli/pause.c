// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier pause: what runs in a container that has the tool for `kubectl exec`, because the
 * image contains no other program. It is not for people, so no list has it.
 */
#include "command_list.h"
#include "stop.h"

enum { SLEEP_MS = 3600 * 1000 };

static int
run(void *values, char **args, size_t n_args)
{
	(void)values;
	(void)args;
	(void)n_args;
	stop_init(); /* pid 1 ignores each signal that it does not handle */
	while (!stop_sleep(SLEEP_MS))
		stop_take_reload();
	return 0;
}

static const struct command_option options[] = { { NULL } };

const struct command pause_command = { .program = "vcourier",
	.name = "pause",
	.options = options,
	.about = "Does nothing until SIGTERM: for a container in which the tool is used.",
	.run = run };
