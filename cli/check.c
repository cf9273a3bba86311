// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier check: checks configuration files and, with --connect, tries the connections in
 * them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command_list.h"
#include "connect.h"
#include "deployment.h"
#include "import_detect.h"
#include "printable.h"

struct check_options {
	bool connect;
};

/* Prints each line of text, with a word inserted after "file:line:column: ". */
static void
print_warnings(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		printable_line(stderr, "warning: %.*s", (int)len, text);
	}
}

static void
print_collector(const struct router_entry *entry, const struct source_choice *choice)
{
	struct source_settings settings;

	choice->source->settings(choice->options, &settings);
	printf("  collector  %s: %s\n", entry->name, settings.address);
}

static void
print_summary(const char *path, const struct deployment *d)
{
	size_t i;

	printf("%s: ok\n", path);
	for (i = 0; i < d->config.providers.n; i++)
		print_collector(&d->config.providers.entry[i], &d->source[i]);
	for (i = 0; i < d->config.processors.n; i++)
		printf("  dispatcher %s: %s\n", d->config.processors.entry[i].name,
			d->dispatcher[i].processor.processor->type);
}

/* An older file has hundreds of errors as a RouterConfig: one line says what it is. */
static bool
is_older_file(const char *path)
{
	enum import_kind kind = import_detect_file(path);

	if (kind == IMPORT_NONE || kind == IMPORT_ROUTER_CONFIG)
		return false;
	printable_line(stderr,
		"%s: this is %s: `vcourier import %s` writes a configuration from it", path,
		import_detect_name(kind), path);
	return true;
}

static int
check_file(const char *path, bool connect)
{
	struct config_errors errors;
	struct deployment deployment;
	int code = 0;

	if (is_older_file(path))
		return EXIT_CONFIG;
	config_errors_init(&errors);
	if (deployment_load(&deployment, path, &errors) != 0)
		code = EXIT_CONFIG;
	fputs(buf_str(&errors.text), stderr);
	if (errors.n > CONFIG_ERRORS_MAX)
		printable_line(stderr, "%s: and %zu more", path, errors.n - CONFIG_ERRORS_MAX);
	print_warnings(buf_str(&errors.warnings));
	if (code == 0)
		print_summary(path, &deployment);
	if (code == 0 && connect)
		code = connect_check(&deployment);
	deployment_free(&deployment);
	config_errors_free(&errors);
	return code;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct check_options *o = values;
	int code = 0;

	for (size_t i = 0; i < n_args; i++) {
		int one = check_file(args[i], o->connect);

		code = one > code ? one : code;
	}
	return code;
}

static const struct command_option options[] = {
	{ "connect", 0, COMMAND_FLAG, offsetof(struct check_options, connect), NULL, NULL, 0,
		"try each vCenter, NATS and each backend with their credentials, without changing "
		"anything there" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "no errors; warnings are possible" },
	{ 1, "another fault of a connection" }, { EXIT_USAGE, "wrong usage" },
	{ EXIT_UNREACHABLE, "something does not answer" },
	{ EXIT_FORBIDDEN, "credentials were refused, or a permission is missing" },
	{ EXIT_CONFIG, "a file is wrong, or a certificate is not trusted" }, { 0, NULL } };

const struct command check_command = { .program = "vcourier",
	.name = "check",
	.summary = "check a configuration, and the connections in it",
	.arguments = "FILE...",
	.args_min = 1,
	.args_max = SIZE_MAX,
	.options = options,
	.values_size = sizeof(struct check_options),
	.about =
		"Checks configuration files and prints all errors, one a line: "
		"FILE:LINE:COLUMN: KEY: REASON. It connects to nothing, unless --connect is given.",
	.exits = exits,
	.run = run };
