// SPDX-License-Identifier: Apache-2.0
/* The subcommands of vcourier: one line each, name and what it does. foo_main is in foo.c. */
COMMAND(convert, "recorded SOAP replies to CloudEvents: what the collector publishes")
COMMAND(match, "try an event pattern on events")
COMMAND(check, "check a configuration, and the connections in it")
COMMAND(config, "the effective configuration; or all options, as a page or a schema")
COMMAND(health, "ask a metrics port whether its process is ready, for container health checks")
COMMAND(status, "streams, dispatchers and dead letters on one screen")
COMMAND(tail, "events as they are stored, one line each")
COMMAND(dead, "events that could not be delivered: show them, send them again, drop them")
COMMAND(replay, "send stored events again, to one dispatcher")
