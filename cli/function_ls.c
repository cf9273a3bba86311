// SPDX-License-Identifier: Apache-2.0
/* vcourier function ls: the functions of the directory, and their containers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_list.h"
#include "directory.h"
#include "function_documents.h"
#include "function_run.h"
#include "function_site.h"
#include "json.h"
#include "mem.h"
#include "printable.h"
#include "text.h"
#include "url_mask.h"

enum { FILTER_MAX = 64 * 1024, SHOWN_MAX = 60 };

struct ls_options {
	struct function_flags flags;
	bool json;
};

struct ls_row {
	char *name;
	const char *url, *file; /* of the site; NULL: in no file of the directory */
	bool container;
	struct function_state state;
	struct buf filter;
};

struct ls {
	struct function_site site;
	struct ls_row *row;
	size_t n, cap;
};

/* ---- what there is */

static struct ls_row *
row_of(struct ls *ls, const char *name)
{
	for (size_t i = 0; i < ls->n; i++)
		if (strcmp(ls->row[i].name, name) == 0)
			return &ls->row[i];
	ls->row = mem_grow_for(ls->row, ls->n, &ls->cap, sizeof(*ls->row));
	ls->row[ls->n] = (struct ls_row){ .name = mem_strdup(name) };
	buf_init(&ls->row[ls->n].filter, FILTER_MAX);
	return &ls->row[ls->n++];
}

static void
add_containers(struct ls *ls)
{
	static const char *const suffixes[] = { ".container", NULL };
	char *path = function_site_path(&ls->site, FUNCTION_UNITS);
	struct directory units;

	if (directory_read(&units, path, suffixes, FUNCTION_SET_MAX, NULL) == 0) {
		for (size_t i = 0; i < units.n; i++) {
			size_t n = strlen(units.name[i]) - strlen(suffixes[0]);

			if (!text_starts(units.name[i], FUNCTION_UNIT_PREFIX))
				continue;
			units.name[i][n] = '\0';
			row_of(ls, units.name[i] + strlen(FUNCTION_UNIT_PREFIX))->container =
				true;
		}
		directory_free(&units);
	}
	free(path);
}

/* ---- filters */

static void
add_attributes(char *const *map, struct buf *out)
{
	for (size_t i = 0; map != NULL && map[i] != NULL; i += 2)
		buf_printf(out, "%s%.200s=%.400s", i > 0 ? "," : "", map[i], map[i + 1]);
	if (map == NULL || map[0] == NULL)
		buf_add_str(out, "all events");
}

static void
add_filter(char *const *attributes, const struct config_node *filters, struct buf *out)
{
	if (out->len > 0)
		buf_add_str(out, " or ");
	if (config_length(filters) > 0)
		buf_add_str(out, "filters");
	else
		add_attributes(attributes, out);
}

/* The filters of this function in its file. */
static void
read_filter(const struct ls *ls, struct ls_row *row)
{
	struct function_documents d;
	struct config_errors errors;
	struct config *config;
	struct buf path;

	buf_init(&path, 16 * 1024);
	buf_printf(&path, "%s%s/%s", ls->site.root, ls->site.directory, row->file);
	config_errors_init(&errors);
	if (config_load_manifest(&config, buf_str(&path), &errors) == 0) {
		function_documents_read(&d, config, &errors);
		for (size_t i = 0; i < d.n_triggers; i++) {
			const struct trigger_spec *t = &d.trigger[i].spec;
			const char *name = t->subscriber.ref.name != NULL
				? t->subscriber.ref.name
				: d.trigger[i].name;

			if (strcmp(name, row->name) == 0)
				add_filter(t->filter.attributes, t->filters, &row->filter);
		}
		if (d.n_triggers == 0)
			add_filter(d.own.filter.attributes, d.own.filters, &row->filter);
		function_documents_free(&d);
		config_free(config);
	}
	config_errors_free(&errors);
	buf_free(&path);
}

/* ---- output */

static const char *
state_of(const struct ls_row *row)
{
	return !row->container                             ? "-"
		: !row->state.loaded                       ? "not loaded"
		: strcmp(row->state.active, "active") == 0 ? "running"
							   : row->state.sub;
}

static void
print_json(const struct ls_row *row)
{
	struct buf out, url;

	buf_init(&out, 2 * FILTER_MAX);
	buf_init(&url, 2 * FILTER_MAX);
	buf_add_char(&out, '{');
	json_add_member(&out, "name", row->name);
	buf_printf(&out, ",\"container\":%s,", row->container ? "true" : "false");
	json_add_member(&out, "state", state_of(row));
	if (row->url != NULL) {
		buf_add_char(&out, ',');
		url_mask_add(&url, row->url);
		json_add_member(&out, "url", buf_str(&url));
		buf_add_char(&out, ',');
		json_add_member(&out, "file", row->file);
	}
	buf_add_char(&out, ',');
	json_add_member(&out, "filter", buf_str(&row->filter));
	if (row->container)
		buf_printf(&out, ",\"restarts\":%lld,\"last_exit\":%lld",
			(long long)row->state.restarts, (long long)row->state.exit_status);
	buf_add_char(&out, '}');
	printable_json(stdout, buf_str(&out), out.len);
	buf_free(&out);
	buf_free(&url);
}

static void
print_line(const struct ls_row *row)
{
	struct buf filter, url;

	buf_init(&filter, 2 * FILTER_MAX);
	buf_init(&url, 2 * FILTER_MAX);
	url_mask_add(&url, row->url != NULL ? row->url : "-");
	printable_add(&filter, buf_str(&row->filter),
		row->filter.len < SHOWN_MAX ? row->filter.len : SHOWN_MAX);
	printable_line(stdout, "%-24s %-12s %8lld %4lld  %-28s %s", row->name, state_of(row),
		(long long)row->state.restarts, (long long)row->state.exit_status,
		buf_str(&url), buf_str(&filter));
	buf_free(&filter);
	buf_free(&url);
}

/* ---- the command */

static int
add_states(struct ls *ls, struct err *err)
{
	const char **name = mem_array(ls->n + 1, sizeof(*name));
	struct function_state *state = mem_array(ls->n + 1, sizeof(*state));
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < ls->n; i++)
		if (ls->row[i].container)
			name[n++] = ls->row[i].name;
	if (n > 0)
		rc = function_run_states(name, n, state, err);
	for (size_t i = ls->n; rc == 0 && i-- > 0;)
		if (ls->row[i].container)
			ls->row[i].state = state[--n];
	free(name);
	free(state);
	return rc;
}

static int
list(struct ls *ls, bool json)
{
	struct err err;

	add_containers(ls);
	for (size_t i = 0; i < ls->site.set.n; i++) {
		const struct function_entry *entry = ls->site.set.entry[i];
		struct ls_row *row = row_of(ls, entry->name);

		row->url = entry->url;
		row->file = entry->file;
		read_filter(ls, row);
	}
	if (add_states(ls, &err) != 0) {
		printable_line(stderr, "vcourier: %s", err.text);
		return EXIT_RUNTIME;
	}
	if (!json)
		printf("%-24s %-12s %8s %4s  %-28s %s\n", "FUNCTION", "STATE", "RESTARTS",
			"EXIT", "URL", "FILTER");
	for (size_t i = 0; i < ls->n; i++)
		if (json)
			print_json(&ls->row[i]);
		else
			print_line(&ls->row[i]);
	return 0;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct ls_options *o = values;
	struct ls ls = { .n = 0 };
	int rc = function_site_open(&ls.site, &o->flags);

	(void)args;
	(void)n_args;
	if (rc == EXIT_NOT_YET)
		rc = list(&ls, o->json);
	for (size_t i = 0; i < ls.n; i++) {
		free(ls.row[i].name);
		buf_free(&ls.row[i].filter);
	}
	free(ls.row);
	function_site_close(&ls.site);
	return rc;
}

static const struct command_option options[] = {
	{ "json", 'j', COMMAND_FLAG, offsetof(struct ls_options, json), NULL, NULL, 0,
		"one JSON object a line" },
	FUNCTION_OPTIONS(struct ls_options),
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "done" }, { 1, "systemd does not answer" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_CONFIG, "wrong configuration" }, { 0, NULL } };

const struct command function_ls_command = { .program = "vcourier",
	.name = "function ls",
	.summary = "the functions, their containers and their filters",
	.options = options,
	.values_size = sizeof(struct ls_options),
	.about =
		"Lists the functions that the dispatcher of type functions calls. A state of \"-\" "
		"is a function that something else runs; a URL of \"-\" a container that gets "
		"no events.",
	.exits = exits,
	.run = run };
