// SPDX-License-Identifier: Apache-2.0
/* vcourier function apply: makes containers of the Services in manifests, under systemd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "function_files.h"
#include "function_plan.h"
#include "function_run.h"
#include "function_unit.h"
#include "mem.h"
#include "printable.h"
#include "text.h"

enum { NETWORKS_MAX = 4096, DEFAULT_WAIT_MS = 60 * 1000 };

struct apply_options {
	struct function_flags flags;
	struct command_texts files, egress;
	const char *image_file, *timeout;
	bool dry_run, writable;
};

struct apply {
	const struct apply_options *options;
	struct function_site site;
	struct function_plan plan;
	struct buf networks;
	int64_t timeout_ms;
};

static int
fail(const char *name, const struct err *err)
{
	printable_line(stderr, "vcourier: function %s: %s", name, err->text);
	return EXIT_RUNTIME;
}

/* ---- the files of one function */

enum { ENV, LINES, LOGIN, UNIT, DOCUMENT, FILES };

struct item_files {
	struct function_file file[FILES];
	char *path[FILES];
};

static char *
below(const struct function_site *site, char *directory, const char *name)
{
	struct buf path;

	buf_init(&path, 16 * 1024);
	buf_printf(&path, "%s%s%s", site->root, directory, name);
	free(directory);
	return buf_take(&path, NULL);
}

static void
item_files_open(struct item_files *f, const struct function_site *site,
	const struct function_item *item)
{
	const char *name = item->spec.name;

	f->path[ENV] = below(site, function_site_secrets(name), "/env");
	f->path[LINES] = below(site, function_site_secrets(name), "/lines");
	f->path[LOGIN] = below(site, function_site_secrets(name), "/login");
	f->path[UNIT] = below(site, function_site_unit_file(name), "");
	f->path[DOCUMENT] = below(site, function_site_document(site, name), "");
	f->file[ENV].text = buf_str(&item->env.lines);
	f->file[LINES].text = item->env.n > 0 ? buf_str(&item->env.quoted) : NULL;
	f->file[LOGIN].text = item->login;
	f->file[UNIT].text = buf_str(&item->unit);
	f->file[DOCUMENT].text = buf_str(&item->document);
	for (size_t i = 0; i < FILES; i++) {
		f->file[i].path = f->path[i];
		f->file[i].mode = i <= LOGIN ? 0600 : 0644;
	}
}

static void
item_files_close(struct item_files *f)
{
	for (size_t i = 0; i < FILES; i++)
		free(f->path[i]);
}

static void
print_item(const struct apply *a, const struct function_item *item)
{
	struct item_files f;

	item_files_open(&f, &a->site, item);
	for (size_t i = 0; i < FILES; i++)
		function_file_print(&f.file[i]);
	item_files_close(&f);
}

/* ---- one function */

/*
 * The image comes before the unit: an image that cannot be had changes no function that runs.
 */
static int
install(const struct function_item *item, struct item_files *f, bool *changed, struct err *err)
{
	const struct function_image image = { .name = item->spec.image,
		.login = item->login != NULL ? f->path[LOGIN] : NULL,
		.pull = item->spec.c.pull_policy };
	bool reload = false;

	if (function_file_write(&f->file[LOGIN], changed, err) != 0 ||
		function_run_pull(&image, err) != 0 ||
		function_file_write(&f->file[ENV], changed, err) != 0 ||
		function_file_write(&f->file[LINES], changed, err) != 0 ||
		function_file_write(&f->file[UNIT], &reload, err) != 0)
		return -1;
	*changed = *changed || reload;
	return reload ? function_run_reload(err) : 0;
}

static int
apply_item(const struct apply *a, const struct function_item *item)
{
	const char *name = item->spec.name;
	const struct function_wait wait = { name, item->port, a->timeout_ms };
	bool changed = false, other = false;
	struct item_files f;
	struct err err;
	int rc;

	item_files_open(&f, &a->site, item);
	rc = install(item, &f, &changed, &err);
	/* its events wait until it answers */
	if (rc == 0)
		rc = function_file_write(&f.file[DOCUMENT], &other, &err);
	if (rc != 0) {
		item_files_close(&f);
		return fail(name, &err);
	}
	item_files_close(&f);
	/* an image that was pulled or loaded again counts, too */
	changed = changed || a->options->image_file != NULL ||
		item->spec.c.pull_policy == FUNCTION_PULL_ALWAYS;
	if (function_run_systemctl(changed ? "restart" : "start", name, &err) != 0 ||
		function_run_wait(&wait, &err) != 0) {
		fail(name, &err);
		function_run_show_log(name);
		return EXIT_RUNTIME;
	}
	printf("%s: %s, http://127.0.0.1:%d/\n", name,
		changed || other ? "applied" : "unchanged", item->port);
	return 0;
}

/* ---- the command */

static int
apply_all(struct apply *a)
{
	const struct apply_options *o = a->options;
	struct err err;
	int rc = 0;

	if (function_run_check_podman(&err) != 0 ||
		(o->image_file != NULL && function_run_load(o->image_file, &err) != 0)) {
		printable_line(stderr, "vcourier: %s", err.text);
		return EXIT_RUNTIME;
	}
	for (size_t i = 0; i < a->plan.n; i++)
		if (apply_item(a, &a->plan.item[i]) != 0)
			rc = EXIT_RUNTIME;
	return rc;
}

/* Reads everything, and changes nothing yet. EXIT_NOT_YET, or the exit status. */
static int
prepare(struct apply *a)
{
	struct function_plan *plan = &a->plan;
	struct err err;
	int rc;

	plan->writable = a->options->writable;
	plan->egress = &a->options->egress;
	if (function_unit_has_filter(plan->egress) &&
		function_run_networks(&a->networks, &err) != 0) {
		printable_line(stderr, "vcourier: %s", err.text);
		return EXIT_RUNTIME;
	}
	plan->networks = buf_str(&a->networks);
	rc = function_plan_read(plan, &a->options->files);
	if (rc == 0 && function_site_lock(&a->site, &err) != 0) {
		printable_line(stderr, "vcourier: the directory of functions: %s", err.text);
		return EXIT_CONFIG;
	}
	if (rc == 0)
		rc = function_plan_place(plan);
	printable_lines(stderr, buf_str(&plan->errors.warnings), plan->errors.warnings.len);
	printable_lines(stderr, buf_str(&plan->errors.text), plan->errors.text.len);
	return rc == 0 ? EXIT_NOT_YET : EXIT_CONFIG;
}

static int
check_options(struct apply *a, size_t n_args)
{
	const struct apply_options *o = a->options;
	struct err err;

	(void)n_args;
	a->timeout_ms = DEFAULT_WAIT_MS;
	if (o->files.n == 0)
		return command_usage_error(&function_apply_command, "-f FILE is missing");
	if (o->timeout != NULL && !text_duration(o->timeout, &a->timeout_ms))
		return command_usage_error(&function_apply_command,
			"--timeout \"%.60s\" is no duration, such as 2m", o->timeout);
	if (!function_unit_check_egress(&o->egress, &err))
		return command_usage_error(&function_apply_command, "%s", err.text);
	if (o->flags.root == NULL && !o->dry_run && geteuid() != 0) {
		fputs("vcourier: only root may do this\n", stderr);
		return EXIT_FORBIDDEN;
	}
	return EXIT_NOT_YET;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct apply *a = mem_alloc(sizeof(*a));
	int rc;

	(void)args;
	a->options = values;
	buf_init(&a->networks, NETWORKS_MAX);
	rc = check_options(a, n_args);
	if (rc == EXIT_NOT_YET) {
		rc = function_site_open(&a->site, &a->options->flags);
		if (rc == EXIT_NOT_YET) {
			function_plan_init(&a->plan, &a->site);
			rc = prepare(a);
			for (size_t i = 0;
				rc == EXIT_NOT_YET && a->options->dry_run && i < a->plan.n; i++)
				print_item(a, &a->plan.item[i]);
			if (rc == EXIT_NOT_YET)
				rc = a->options->dry_run ? 0 : apply_all(a);
			function_plan_free(&a->plan);
		}
		function_site_close(&a->site);
	}
	buf_free(&a->networks);
	free(a);
	return rc;
}

#define AT(member) offsetof(struct apply_options, member)
static const struct command_option options[] = {
	{ "filename", 'f', COMMAND_TEXTS, AT(files), "FILE", NULL, 0,
		"a manifest; may be repeated, for example for Secrets" },
	{ "dry-run", 0, COMMAND_FLAG, AT(dry_run), NULL, NULL, 0,
		"print the files that would be written, and do nothing" },
	{ "image-file", 0, COMMAND_TEXT, AT(image_file), "FILE", NULL, 0,
		"load the images from an archive of podman save" },
	{ "egress", 0, COMMAND_TEXTS, AT(egress), "WHERE", NULL, 0,
		"where the function may connect to: any (the default), none, or a network; may be repeated" },
	{ "writable", 0, COMMAND_FLAG, AT(writable), NULL, NULL, 0,
		"the root file system of the container can be written" },
	{ "timeout", 0, COMMAND_TEXT, AT(timeout), "TIME", NULL, COMMAND_RARE,
		"how long to wait until the port answers; default 60s" },
	FUNCTION_OPTIONS(struct apply_options),
	{ NULL },
};

static const char *const examples[] = { "function apply -f function.yaml",
	"function apply -f function.yaml -f secret.yaml --egress 10.0.0.0/8", NULL };

static const struct command_exit exits[] = { { 0, "all functions run, and their ports answer" },
	{ 1, "an image cannot be had, or a function does not run" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_FORBIDDEN, "not root" },
	{ EXIT_CONFIG, "the configuration or a manifest is wrong: nothing was changed" },
	{ 0, NULL } };

const struct command function_apply_command = { .program = "vcourier",
	.name = "function apply",
	.summary = "run the functions of a manifest in containers",
	.options = options,
	.values_size = sizeof(struct apply_options),
	.about =
		"Makes a podman container under systemd of each Knative Service in the files, and "
		"tells the dispatcher of type functions which events it gets. Run it again after "
		"a change; what has not changed is not restarted.\n\n"
		"What a manifest asks for and is not possible here is an error, what has no "
		"effect a line that says so.",
	.more = "A Secret is in one of the files, or in a directory "
		"/etc/vcourier/secrets/functions/SECRET/ with a file for each key. The "
		"container has a read-only root file system with a writable /tmp, no capabilities, user ids of its own, and a port of "
		"127.0.0.1 that nobody else has.",
	.examples = examples,
	.exits = exits,
	.run = run };
