// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier config: prints the effective configuration; or all options, as a page or a schema.
 */
#include <stdio.h>
#include <string.h>

#include "config_print.h"
#include "daemon.h"
#include "deployment.h"
#include "flags.h"

int config_main(int argc, char **argv);

enum { OUTPUT_MAX = 16 * 1024 * 1024 };

static const char usage[] =
	"usage: vcourier config [FILE]\n"
	"       vcourier config --reference | --schema\n"
	"\n"
	"Prints the effective configuration of FILE (default " FLAGS_DEFAULT_PATH
	"): every default filled in,\n"
	"secrets masked. --reference prints the page of all options (Markdown), --schema the "
	"JSON Schema for editors.\n"
	"\n"
	"Exit status: 0 printed, 78 the configuration is wrong.\n";

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
		"- `true` and `false` are the only booleans; unknown or repeated "
		"keys, anchors, aliases and tags are "
		"refused.\n"
		"- `${NAME}` and `${NAME:-default}` in a value are replaced from the "
		"environment, except in single "
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

int
config_main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	struct buf out;
	int code = 0;

	if (strcmp(first, "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 2 ||
		(first[0] == '-' && strcmp(first, "--reference") != 0 &&
			strcmp(first, "--schema") != 0)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	buf_init(&out, OUTPUT_MAX);
	if (strcmp(first, "--reference") == 0)
		add_reference(&out);
	else if (strcmp(first, "--schema") == 0)
		config_schema(
			deployment_table(), "vcourier configuration (RouterConfig)", &out);
	else
		code = print_effective(argc > 1 ? first : NULL, &out);
	fputs(buf_str(&out), stdout);
	buf_free(&out);
	return code;
}
