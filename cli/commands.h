// SPDX-License-Identifier: Apache-2.0
/*
 * The subcommands of vcourier, in the order of its help: one line each. `dead ls` is
 * dead_ls_command.
 */
COMMAND(status)
COMMAND(tail)
COMMAND(events)
COMMAND(subject)
COMMAND(dead_ls)
COMMAND(dead_show)
COMMAND(dead_redrive)
COMMAND(dead_drop)
COMMAND(replay)
COMMAND(emit)
COMMAND(backup)
COMMAND(restore)
COMMAND(check)
COMMAND(config)
COMMAND(import)
COMMAND(function_apply)
COMMAND(function_ls)
COMMAND(function_logs)
COMMAND(function_rm)
COMMAND(match)
COMMAND(convert)
COMMAND(health)
COMMAND(completion)
COMMAND(manual)
