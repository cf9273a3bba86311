// SPDX-License-Identifier: Apache-2.0
#include "flags.h"

#include <stdio.h>
#include <string.h>

#include "config_print.h"
#include "health.h"
#include "log.h"

#define AT(member) .offset = offsetof(struct flags, member)

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "logfmt", "json", NULL };

static const struct command_option options[] = {
	{ "config", 'c', COMMAND_TEXT, AT(path), "FILE",
		.help = "configuration (default " FLAGS_DEFAULT_PATH ")" },
	{ "name", 0, COMMAND_TEXT, AT(name), "NAME",
		.help = "which entry of the file, when there are several" },
	{ "log-level", 0, COMMAND_CHOICE, AT(level_text), "LEVEL", levels,
		.help = "debug, info, warn or error, instead of the file's" },
	{ "log-format", 0, COMMAND_CHOICE, AT(format_text), "FORM", formats,
		.help = "logfmt or json, instead of the file's" },
	{ "log-json", 0, COMMAND_FLAG, AT(log_json), .flags = COMMAND_HIDDEN, .help = "" },
	{ "metrics", 0, COMMAND_TEXT, AT(metrics), "ADDRESS",
		.help = "the metrics port, instead of the file's" },
	{ "check", 0, COMMAND_FLAG, AT(check),
		.help = "check the configuration as at a start, print all errors and exit" },
	{ "health", 0, COMMAND_FLAG, AT(health),
		.help = "ask the process with this metrics port (default 127.0.0.1:8082) whether it is ready, and exit" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "stopped" }, { EXIT_RUNTIME, "failed" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_CONFIG, "wrong configuration" }, { 0, NULL } };

static void
add_file_options(struct buf *out)
{
	buf_add_str(out, "\nThe other options in the file:\n");
	config_help(router_fields, "", out);
}

void
flags_command(const struct daemon_spec *spec, char name[COMMAND_NAME_SIZE], struct command *out)
{
	snprintf(name, COMMAND_NAME_SIZE, "vcourier-%s", spec->component);
	*out = (struct command){ .program = name,
		.summary = spec->summary,
		.options = options,
		.values_size = sizeof(struct flags),
		.about = spec->about,
		.more = "SIGHUP or a changed file reloads the configuration; a closed terminal "
			"ends the program. SIGTERM finishes the work in progress and exits. "
			"One dash is enough for a long option, and -log-json is accepted: the event "
			"router's flags.",
		.exits = exits,
		.one_dash = true,
		.add_help = { spec->help, add_file_options } };
}

static int
ask_health(const char *program, const char *address)
{
	struct buf url;
	int code;

	buf_init(&url, 512);
	buf_printf(
		&url, "http://%s/readyz", address != NULL ? address : HEALTH_DEFAULT_ADDRESS);
	code = health_ask(program, buf_str(&url));
	buf_free(&url);
	return code;
}

int
flags_parse(struct flags *flags, const struct daemon_spec *spec, int argc, char **argv)
{
	char name[COMMAND_NAME_SIZE];
	struct command command;
	struct command_args args;
	enum log_level level = LOG_INFO;
	int rc;

	flags_command(spec, name, &command);
	rc = command_parse(&command, argc, argv, flags, &args);
	if (rc != EXIT_NOT_YET)
		return rc;
	if (flags->health)
		return ask_health(name, flags->metrics);
	if (flags->path == NULL)
		flags->path = FLAGS_DEFAULT_PATH;
	flags->level = flags->level_text != NULL && log_parse_level(flags->level_text, &level)
		? (int)level
		: -1;
	flags->format = flags->format_text != NULL
		? strcmp(flags->format_text, "json") == 0 ? LOG_JSON : LOG_LOGFMT
		: -1;
	if (flags->log_json)
		flags->format = LOG_JSON;
	return EXIT_NOT_YET;
}
