// SPDX-License-Identifier: Apache-2.0
/* vcourier function rm and function logs. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command_list.h"
#include "function_files.h"
#include "function_run.h"
#include "function_site.h"
#include "function_spec.h"
#include "printable.h"
#include "text.h"

enum { COUNT_DIGITS = 24 };

struct name_options {
	struct function_flags flags;
	bool follow;
	int64_t count;
};

static char *
below(const struct function_site *site, char *path)
{
	char *whole = function_site_path(site, path);

	free(path);
	return whole;
}

static bool
has_container(const struct function_site *site, const char *name)
{
	char *path = below(site, function_site_unit_file(name));
	struct stat st;
	bool has = lstat(path, &st) == 0;

	free(path);
	return has;
}

static int
unknown(const char *name)
{
	printable_line(stderr,
		"vcourier: no function \"%.64s\" was applied here; vcourier function ls", name);
	return EXIT_RUNTIME;
}

/* ---- rm */

/* The secrets of the function alone; a directory that holds something else stays. */
static int
remove_secrets(
	const struct function_site *site, const char *name, bool *removed, struct err *err)
{
	static const char *const files[] = { "env", "lines", "login", NULL };
	char *directory = below(site, function_site_secrets(name));
	int rc = 0;

	for (size_t i = 0; files[i] != NULL && rc == 0; i++) {
		struct buf path;

		buf_init(&path, 16 * 1024);
		buf_printf(&path, "%s/%s", directory, files[i]);
		rc = function_file_remove(buf_str(&path), removed, err);
		buf_free(&path);
	}
	if (rc == 0)
		rmdir(directory);
	free(directory);
	return rc;
}

/* A unit that systemd does not know does not run. */
static int
stop(const char *name, struct err *err)
{
	struct function_state state;

	if (function_run_states(&name, 1, &state, err) != 0)
		return -1;
	return state.loaded ? function_run_systemctl("stop", name, err) : 0;
}

/* First the file of the dispatcher: no new events for a function that ends. */
static int
remove_function(const struct function_site *site, const char *name, struct err *err)
{
	char *document = below(site, function_site_document(site, name)),
	     *unit = below(site, function_site_unit_file(name));
	bool removed = false, container = has_container(site, name);
	int rc = 0;

	if (!function_file_is_foreign(document))
		rc = function_file_remove(document, &removed, err);
	if (rc == 0 && container && function_file_is_foreign(unit))
		rc = err_set(err, ERR_CONFIG, "%.200s was not written by this command", unit);
	if (rc == 0 && container)
		rc = stop(name, err);
	if (rc == 0)
		rc = function_file_remove(unit, &removed, err);
	if (rc == 0)
		rc = remove_secrets(site, name, &removed, err);
	if (rc == 0 && container && function_run_reload(err) != 0)
		rc = -1;
	if (rc == 0 && container) /* it may have failed, and there is nothing to reset then */
		function_run_systemctl("reset-failed", name, NULL);
	free(document);
	free(unit);
	if (rc == 0 && !removed)
		return err_set(err, ERR_NOT_FOUND, "was not applied here");
	return rc;
}

static int
run_rm(void *values, char **args, size_t n_args)
{
	const struct name_options *o = values;
	struct function_site site;
	struct err err;
	int rc;

	if (o->flags.root == NULL && geteuid() != 0) {
		fputs("vcourier: only root may do this\n", stderr);
		return EXIT_FORBIDDEN;
	}
	rc = function_site_open(&site, &o->flags);
	if (rc == EXIT_NOT_YET && function_site_lock(&site, &err) != 0) {
		printable_line(stderr, "vcourier: %s", err.text);
		rc = EXIT_RUNTIME;
	}
	for (size_t i = 0; i < n_args && (rc == EXIT_NOT_YET || rc == EXIT_RUNTIME); i++) {
		if (!function_spec_is_name(args[i])) {
			rc = unknown(args[i]);
		} else if (remove_function(&site, args[i], &err) == 0) {
			printf("%s: removed\n", args[i]);
		} else {
			printable_line(stderr, "vcourier: function %s: %s", args[i], err.text);
			rc = EXIT_RUNTIME;
		}
	}
	function_site_close(&site);
	return rc == EXIT_NOT_YET ? 0 : rc;
}

/* ---- logs */

static int
run_logs(void *values, char **args, size_t n_args)
{
	const struct name_options *o = values;
	char unit[FUNCTION_UNIT_SIZE], lines[COUNT_DIGITS];
	const char *argv[8] = { "journalctl", "--unit" };
	struct function_site site = { .root = o->flags.root != NULL ? o->flags.root : "" };
	size_t n = 2;

	(void)n_args;
	if (!function_spec_is_name(args[0]) || !has_container(&site, args[0]))
		return unknown(args[0]);
	argv[n++] = function_run_unit(args[0], unit);
	argv[n++] = "--output=short-iso";
	if (o->follow)
		argv[n++] = "--follow";
	if (o->count > 0) {
		snprintf(lines, sizeof(lines), "-n%lld", (long long)o->count);
		argv[n++] = lines;
	}
	argv[n] = NULL;
	fflush(stdout);
	/* execvp does not change the words */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	printable_line(stderr, "vcourier: journalctl: %s", err_strerror(errno));
	return EXIT_RUNTIME;
}

/* ---- the command lines */

static const struct command_option rm_options[] = {
	FUNCTION_OPTIONS(struct name_options),
	{ NULL },
};

static const struct command_option logs_options[] = {
	{ "follow", 'f', COMMAND_FLAG, offsetof(struct name_options, follow), NULL, NULL, 0,
		"go on with new lines" },
	{ "count", 'n', COMMAND_COUNT, offsetof(struct name_options, count), "N", NULL, 0,
		"the last N lines" },
	FUNCTION_ROOT(struct name_options),
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "done" },
	{ 1, "there is no such function, or systemd does not answer" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_FORBIDDEN, "not root" },
	{ EXIT_CONFIG, "wrong configuration" }, { 0, NULL } };

const struct command function_rm_command = { .program = "vcourier",
	.name = "function rm",
	.summary = "stop and remove functions that were applied",
	.arguments = "NAME...",
	.args_min = 1,
	.args_max = SIZE_MAX,
	.options = rm_options,
	.values_size = sizeof(struct name_options),
	.about =
		"Stops the container, and removes the files that \"function apply\" wrote. The image "
		"stays (podman image rm), and so do Secrets in /etc/vcourier/secrets/functions.",
	.exits = exits,
	.run = run_rm };

const struct command function_logs_command = { .program = "vcourier",
	.name = "function logs",
	.summary = "what a function wrote, from the journal",
	.arguments = "NAME",
	.args_min = 1,
	.args_max = 1,
	.options = logs_options,
	.values_size = sizeof(struct name_options),
	.about = "Runs journalctl for the unit of the function.",
	.exits = exits,
	.run = run_logs };
