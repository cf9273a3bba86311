// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* getopt_long_only */
#include "flags.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config_print.h"
#include "log.h"

static void
print_help(const struct daemon_spec *spec)
{
	struct buf out;

	printf("usage: vcourier-%s [options]\n\n%s\n\n"
	       "  -c, --config FILE      configuration (default " FLAGS_DEFAULT_PATH ")\n"
	       "      --name NAME        which %s of the file, when there are several\n"
	       "      --log-level LEVEL  debug, info, warn or error, instead of the file's\n"
	       "      --log-format FORM  logfmt or json, instead of the file's\n"
	       "      --metrics ADDRESS  the metrics port, instead of the file's\n"
	       "      --check            check the configuration as at a start, print all errors and exit\n"
	       "      --help, --version\n\n"
	       "One dash is enough, and -log-json is accepted. SIGHUP or a changed file reloads; SIGTERM "
	       "finishes the work in progress and exits.\n"
	       "Exit status: 0 stopped, 1 failed, 64 wrong usage, 78 wrong configuration.\n",
		spec->component, spec->about,
		spec->provider ? "eventProvider" : "eventProcessor");
	if (spec->help != NULL)
		spec->help();
	buf_init(&out, 64 * 1024);
	config_help(router_fields, "", &out);
	printf("\nThe other options in the file:\n%s", buf_str(&out));
	buf_free(&out);
}

enum { CONFIG = 'c', NAME = 256, LEVEL, FORMAT, LOG_JSON_FLAG, METRICS, CHECK, HELP, VERSION };

/* 0: applied, -1: the value is invalid. */
static int
take(struct flags *f, int flag, const char *value)
{
	enum log_level level;

	switch (flag) {
	case CONFIG:
		f->path = value;
		return 0;
	case NAME:
		f->name = value;
		return 0;
	case METRICS:
		f->metrics = value;
		return 0;
	case CHECK:
		f->check = true;
		return 0;
	case LOG_JSON_FLAG:
		f->format = LOG_JSON;
		return 0;
	case FORMAT:
		f->format = strcmp(value, "json") == 0 ? LOG_JSON : LOG_LOGFMT;
		return f->format == LOG_JSON || strcmp(value, "logfmt") == 0 ? 0 : -1;
	case LEVEL:
		if (!log_parse_level(value, &level))
			return -1;
		f->level = (int)level;
		return 0;
	default: /* getopt has printed why */
		return -1;
	}
}

int
flags_parse(struct flags *flags, const struct daemon_spec *spec, int argc, char **argv)
{
	static const struct option known[] = { { "config", required_argument, NULL, CONFIG },
		{ "name", required_argument, NULL, NAME },
		{ "log-level", required_argument, NULL, LEVEL },
		{ "log-format", required_argument, NULL, FORMAT },
		{ "log-json", no_argument, NULL, LOG_JSON_FLAG },
		{ "metrics", required_argument, NULL, METRICS },
		{ "check", no_argument, NULL, CHECK }, { "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION }, { NULL, 0, NULL, 0 } };
	int flag;

	*flags = (struct flags){ .path = FLAGS_DEFAULT_PATH, .level = -1, .format = -1 };
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((flag = getopt_long_only(argc, argv, "c:", known, NULL)) != -1) {
		if (flag == HELP || flag == VERSION) {
			if (flag == HELP)
				print_help(spec);
			else
				printf("vcourier-%s %s\n", spec->component, VCOURIER_VERSION);
			return 0;
		}
		if (take(flags, flag, optarg) != 0) {
			if (flag != '?')
				fprintf(stderr, "%s: not a log level or format: %s\n", argv[0],
					optarg);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return EXIT_NOT_YET;
	fprintf(stderr, "%s: unexpected argument: %s\n", argv[0], argv[optind]);
	return EXIT_USAGE;
}
