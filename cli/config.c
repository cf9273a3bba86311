// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier config: prints the effective configuration; or all options, as a page or a schema.
 */
#include <stdio.h>

#include "command_list.h"
#include "config_print.h"
#include "deployment.h"
#include "flags.h"

enum { OUTPUT_MAX = 16 * 1024 * 1024 };

struct config_options {
	bool reference, schema;
};

static void
add_reference(struct buf *out)
{
	buf_add_str(out,
		"# Configuration\n\n"
		"<!-- Written by `make docs` from the option tables. -->\n\n"
		"One YAML file for the whole deployment, the event router's "
		"`RouterConfig`. `vcourier check FILE` checks it, "
		"`vcourier config FILE` prints the effective configuration, "
		"`schemas/config.schema.json` lets editors complete and check it. "
		"`--name` selects the `eventProviders` or `eventProcessors` entry that a "
		"process uses.\n\n"
		"- Durations have units: `250ms`, `30s`, `1h30m`, `7d`, or ISO 8601 "
		"(`PT30S`). Sizes too: `64KiB`, "
		"`10GiB`.\n"
		"- `true` and `false` (also `True`, `TRUE`) are the only booleans; unknown or repeated "
		"keys, anchors, aliases and tags are "
		"refused.\n"
		"- `${NAME}` and `${NAME:-default}` in a value are replaced from the "
		"environment, except in single "
		"quotes. In a password, only a whole `${NAME}` is: `p${w}d` is text.\n"
		"- In double quotes a backslash begins an escape: write `'CORP\\tony'` in single "
		"quotes.\n"
		"- Each secret also has a `...File` form: the file is read at "
		"each use, so a secret changes "
		"without a restart. A file name without a slash is searched in "
		"systemd's credentials directory.\n"
		"- A changed file, or SIGHUP, is read again; an invalid one is reported "
		"and the old one stays in use.\n\n"
		"## The file\n\n");
	config_reference(deployment_table(), out);
}

static int
print_effective(const char *path, struct buf *out)
{
	struct deployment deployment;
	int code = deployment_open(&deployment, path);

	if (code != EXIT_NOT_YET)
		return code;
	deployment_print(&deployment, out);
	deployment_free(&deployment);
	return 0;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct config_options *o = values;
	struct buf out;
	int code = 0;

	if (o->reference + o->schema + (n_args > 0) > 1)
		return command_usage_error(
			&config_command, "FILE, --reference and --schema exclude each other");
	buf_init(&out, OUTPUT_MAX);
	if (o->reference)
		add_reference(&out);
	else if (o->schema)
		config_schema(
			deployment_table(), "vcourier configuration (RouterConfig)", &out);
	else
		code = print_effective(n_args > 0 ? args[0] : NULL, &out);
	fputs(buf_str(&out), stdout);
	buf_free(&out);
	return code;
}

#define AT(member) offsetof(struct config_options, member)

static const struct command_option options[] = {
	{ "reference", 0, COMMAND_FLAG, AT(reference), NULL, NULL, 0,
		"print the page of all options (Markdown) instead" },
	{ "schema", 0, COMMAND_FLAG, AT(schema), NULL, NULL, 0,
		"print the JSON Schema for editors instead" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "printed" }, { EXIT_USAGE, "wrong usage" },
	{ EXIT_CONFIG, "the configuration is wrong" }, { 0, NULL } };

const struct command config_command = { .program = "vcourier",
	.name = "config",
	.summary = "the effective configuration, or all options",
	.arguments = "[FILE]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct config_options),
	.about = "Prints the effective configuration of FILE (default " FLAGS_DEFAULT_PATH
		 "): every default filled in, secrets masked.",
	.exits = exits,
	.run = run };
