// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier check: checks configuration files and, with --connect, tries the connections in
 * them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "connect.h"
#include "daemon.h"
#include "deployment.h"

int check_main(int argc, char **argv);

static const char usage[] = "usage: vcourier check [--connect] FILE...\n"
			    "\n"
			    "Checks configuration files and prints all errors, one a "
			    "line: FILE:LINE:COLUMN: KEY: REASON.\n"
			    "It connects to nothing, unless --connect is given: then each "
			    "vCenter, NATS and each backend are tried with\n"
			    "their credentials, without changing anything there.\n"
			    "\n"
			    "Exit status: 0 no errors (warnings are possible), 1 something "
			    "does not answer, 78 a file is wrong.\n";

/* Prints each line of text, with a word inserted after "file:line:column: ". */
static void
print_warnings(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		fprintf(stderr, "warning: %.*s\n", (int)len, text);
	}
}

static void
print_summary(const char *path, const struct deployment *d)
{
	size_t i;

	printf("%s: ok\n", path);
	for (i = 0; i < d->config.providers.n; i++)
		printf("  collector  %s: %s\n", d->config.providers.entry[i].name,
			d->vcenter[i].address);
	for (i = 0; i < d->config.processors.n; i++)
		printf("  dispatcher %s: %s\n", d->config.processors.entry[i].name,
			d->dispatcher[i].processor.processor->type);
}

static int
check_file(const char *path, bool connect)
{
	struct config_errors errors;
	struct deployment deployment;
	int code = 0;

	config_errors_init(&errors);
	if (deployment_load(&deployment, path, &errors) != 0)
		code = EXIT_CONFIG;
	fputs(buf_str(&errors.text), stderr);
	if (errors.n > CONFIG_ERRORS_MAX)
		fprintf(stderr, "%s: and %zu more\n", path, errors.n - CONFIG_ERRORS_MAX);
	print_warnings(buf_str(&errors.warnings));
	if (code == 0)
		print_summary(path, &deployment);
	if (code == 0 && connect && connect_check(&deployment) != 0)
		code = EXIT_RUNTIME;
	deployment_free(&deployment);
	config_errors_free(&errors);
	return code;
}

int
check_main(int argc, char **argv)
{
	bool connect = false;
	int i = 1, code = 0;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--connect") == 0) {
		connect = true;
		i++;
	}
	if (i == argc || argv[i][0] == '-') {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	for (; i < argc; i++) {
		int one = check_file(argv[i], connect);

		code = one > code ? one : code;
	}
	return code;
}
