// SPDX-License-Identifier: Apache-2.0
/* The subcommands of vcourier: one line each, name and what it does. foo_main is in foo.c. */
COMMAND(convert, "recorded SOAP replies to CloudEvents: what the collector publishes")
COMMAND(match, "does an event pattern match these events?")
COMMAND(check, "is this configuration right, and does everything in it answer?")
COMMAND(config, "the effective configuration; or all options, as a page or a schema")
COMMAND(health, "is the process at this metrics port ready? for container health checks")
COMMAND(status, "streams, dispatchers and dead letters on one screen")
COMMAND(tail, "events as they come, one line each")
COMMAND(dead, "events that could not be delivered: look at them, send them again, drop them")
COMMAND(replay, "send stored events again, to one dispatcher")
