// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier import: writes a configuration from the files of VEBA and of older event routers,
 * and says what became of each value.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command_list.h"
#include "file.h"
#include "import_detect.h"
#include "import_read.h"
#include "mem.h"
#include "printable.h"

enum { FILES_MAX = 200, OUTPUT_MAX = 16 * 1024 * 1024 };

struct import_options {
	const char *secrets, *functions;
};

struct import_files {
	struct config *config[FILES_MAX];
	size_t n;
};

/* Properties are text, and are read at once; the other files are YAML. */
static void
read_file(struct import_plan *plan, struct import_files *files, const char *path)
{
	struct config *config;
	struct buf text;
	struct err err;

	buf_init(&text, CONFIG_FILE_MAX);
	if (file_read(path, &text, NULL, &err) != 0) {
		plan->errors.n++;
		buf_printf(&plan->errors.text, "%s\n", err.text);
	} else if (import_detect_properties(buf_str(&text))) {
		import_properties_read(plan, path, buf_str(&text));
	} else if (config_load_manifest(&config, path, &plan->errors) == 0) {
		files->config[files->n++] = config;
	}
	mem_wipe(text.data, text.len);
	buf_free(&text);
}

static void
read_files(struct import_plan *plan, struct import_files *files)
{
	const struct config *manifest[FILES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct config *config = files->config[i];

		switch (import_detect(config)) {
		case IMPORT_MANIFEST:
			manifest[n++] = config;
			break;
		case IMPORT_ROUTER_JSON:
			import_router_read(plan, config);
			break;
		case IMPORT_VALUES:
			import_values_read(plan, config);
			break;
		case IMPORT_ROUTER_CONFIG:
			config_error(&plan->errors, config_next_document(config, NULL),
				"a RouterConfig is read as it is: vcourier check");
			break;
		default:
			config_error(&plan->errors, config_next_document(config, NULL),
				"neither a manifest of VEBA, nor a configuration of the event router, nor OVF properties");
			break;
		}
	}
	if (n > 0)
		import_manifest_read(plan, manifest, n);
}

static void
print_notes(const struct import_plan *plan)
{
	if (plan->from_tanzu)
		fputs("note: for the functions: the id was the event's key, and is now KEY-TIME; the subject was "
		      "not set, and is now the event's name; the source is the URL of vCenter's SDK (before "
		      "June 2023: the host alone). type and time are the same\n",
			stderr);
	if (plan->from_horizon)
		fputs("note: for the functions of Horizon's events: the subject was not set, and is now the "
		      "type as Horizon writes it; the time has milliseconds. id, type and source are the "
		      "same\n",
			stderr);
	if (plan->from_router)
		fputs("note: for the functions: the id was random, and is now the same at each delivery. "
		      "type, subject, source and data are the same\n",
			stderr);
	for (size_t i = 0; plan->secrets == NULL && i < plan->n_secrets; i++)
		printable_line(stderr,
			"note: write a secret to /etc/vcourier/secrets/%s, or let --secrets DIR do it",
			plan->secret[i].name);
}

static int
write_all(const struct import_plan *plan)
{
	struct buf out;
	struct err err;
	int code = 0;

	buf_init(&out, OUTPUT_MAX);
	if (plan->errors.n > 0)
		code = EXIT_CONFIG;
	else if (import_plan_write(plan, &out, &err) != 0 ||
		(plan->secrets != NULL &&
			import_secrets_write(
				plan->secrets, plan->secret, plan->n_secrets, &err) != 0)) {
		printable_line(stderr, "vcourier: %s", err.text);
		code = EXIT_CONFIG;
	}
	if (code == 0) {
		print_notes(plan);
		fputs(buf_str(&out), stdout);
	}
	buf_free(&out);
	return code;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct import_options *o = values;
	struct import_plan *plan = mem_alloc(sizeof(*plan));
	struct import_files files = { .n = 0 };
	int code;

	import_plan_init(plan, o->secrets, o->functions);
	for (size_t i = 0; i < n_args; i++)
		read_file(plan, &files, args[i]);
	read_files(plan, &files);
	printable_lines(stderr, buf_str(&plan->report), plan->report.len);
	printable_lines(stderr, buf_str(&plan->errors.text), plan->errors.text.len);
	code = write_all(plan);
	for (size_t i = 0; i < files.n; i++)
		config_free(files.config[i]);
	import_plan_free(plan);
	free(plan);
	return code;
}

static const struct command_option options[] = {
	{ "secrets", 0, COMMAND_TEXT, offsetof(struct import_options, secrets), "DIR", NULL, 0,
		"write each password to a file of its own in DIR, which the configuration names" },
	{ "functions", 0, COMMAND_TEXT, offsetof(struct import_options, functions), "DIR", NULL,
		0,
		"instead of a Knative broker: the backend functions with the manifests in DIR" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "the configuration was written" },
	{ EXIT_USAGE, "wrong usage" },
	{ EXIT_CONFIG, "a file is wrong or of no known kind, or a secret cannot be written" },
	{ 0, NULL } };

const struct command import_command = { .program = "vcourier",
	.name = "import",
	.summary = "write a configuration from files of VEBA or older event routers",
	.arguments = "FILE...",
	.args_min = 1,
	.args_max = FILES_MAX,
	.options = options,
	.values_size = sizeof(struct import_options),
	.about =
		"Reads VSphereSource and HorizonSource with their Secrets and Triggers (VEBA 0.8), the event "
		"router's JSON of 0.3 and 0.4, the values of its Helm chart, and OVF properties of the "
		"appliance (the document ovfEnv, or lines guestinfo.KEY=VALUE). Prints a configuration.\n\n"
		"Standard error has a line for each value, FILE:LINE:COLUMN: KEY: what it becomes or that it "
		"has no counterpart, and what changes for the functions. No password is printed: without "
		"--secrets, the files that must have them are named.",
	.exits = exits,
	.run = run };
