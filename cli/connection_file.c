// SPDX-License-Identifier: Apache-2.0
#include "connection_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_status.h"
#include "mem.h"
#include "router_config.h"
#include "text.h"

enum { ROWS_MAX = 32, NAMES_MAX = 1000 };

/* The table of `bus` without the rows that are not to be read. */
struct rows {
	struct config_field row[ROWS_MAX];
};

static void
rows_init(struct rows *rows)
{
	size_t n = 0;

	while (bus_fields[n].key != NULL && n < ROWS_MAX - 1)
		n++;
	*rows = (struct rows){ .row = { { .key = NULL } } };
	memcpy(rows->row, bus_fields, n * sizeof(bus_fields[0]));
}

static void
leave_out(struct rows *rows, const char *key)
{
	for (struct config_field *f = rows->row; f->key != NULL; f++)
		if (strcmp(f->key, key) == 0)
			f->flags |= CONFIG_IGNORED;
}

static void
leave_out_credentials(struct rows *rows)
{
	leave_out(rows, "user");
	leave_out(rows, "password");
	leave_out(rows, "token");
	leave_out(rows, "credentialsFile");
}

static void
leave_out_replaced(struct rows *rows, const struct connection_flags *f)
{
	if (f->user != NULL || f->creds != NULL)
		leave_out_credentials(rows);
	if (f->password_file != NULL)
		leave_out(rows, "password");
	if (f->server != NULL)
		leave_out(rows, "urls");
	if (f->ca != NULL)
		leave_out(rows, "caFile");
	if (f->cert != NULL)
		leave_out(rows, "certFile");
	if (f->key != NULL)
		leave_out(rows, "keyFile");
}

/* ---- names */

enum entry_kind { ANY_ENTRY, VCENTERS, OTHER_SOURCES };

/* Where the entries are: under one key, a list under the other. */
struct entries {
	const char *one, *several;
	enum entry_kind kind;
};

static bool
is_of_kind(const struct config_node *entry, enum entry_kind kind)
{
	const struct router_entry e = { .type = config_text(config_get(entry, "type")) };

	return kind == ANY_ENTRY || router_entry_is_vcenter(&e) == (kind == VCENTERS);
}

static void
add_name(char ***list, size_t *n, const struct config_node *entry, enum entry_kind kind)
{
	const char *name = config_text(config_get(entry, "name"));

	if (name == NULL || *name == '\0' || *n == NAMES_MAX || !is_of_kind(entry, kind))
		return;
	*list = mem_grow(*list, *n + 2, sizeof(**list));
	(*list)[(*n)++] = mem_strdup(name);
	(*list)[*n] = NULL;
}

static char **
names(const struct config_node *root, const struct entries *from)
{
	const struct config_node *list = config_get(root, from->several), *entry;
	char **found = NULL;
	size_t n = 0;

	add_name(&found, &n, config_get(root, from->one), from->kind);
	for (size_t i = 0; i < NAMES_MAX && (entry = config_item(list, i)) != NULL; i++)
		add_name(&found, &n, entry, from->kind);
	return found;
}

/* ---- files */

struct file {
	struct config *config;
	const struct config_node *root, *bus;
};

static int
file_open(struct file *f, const char *path, struct config_errors *errors)
{
	*f = (struct file){ .config = NULL };
	if (config_load(&f->config, path, errors) != 0)
		return -1;
	f->root = config_root(f->config);
	f->bus = config_get(f->root, "bus");
	if (f->bus == NULL && config_get(f->root, "eventProvider") == NULL &&
		config_get(f->root, "eventProviders") == NULL &&
		config_get(f->root, "eventProvidersFrom") == NULL)
		config_error(errors, f->root,
			"neither a block bus, the connection to NATS, nor an eventProvider");
	else
		config_check_keys(f->root, router_fields, errors);
	return errors->n == 0 ? 0 : -1;
}

static int
report(const struct config_errors *errors)
{
	fputs(buf_str(&errors->text), stderr);
	return errors->n == 0 ? EXIT_NOT_YET : EXIT_CONFIG;
}

static void
bind_bus(const struct file *f, const struct rows *rows, struct bus_config *bus,
	struct config_errors *errors)
{
	config_bind(f->bus, rows->row, bus, sizeof(*bus), errors);
}

struct name_list {
	char ***names;
	size_t n;
	enum entry_kind kind;
};

static void
add_from_file(void *ctx, const struct config_node *entry, const char *file)
{
	struct name_list *list = ctx;

	(void)file;
	add_name(list->names, &list->n, entry, list->kind);
}

/* The vCenters of eventProvidersFrom. If such a file cannot be read, the daemons report it. */
static void
add_other_names(struct connection_settings *c, const struct file *f, const char *path)
{
	static const struct config_field row[] = { { "eventProvidersFrom", CONFIG_STRINGS },
		{ NULL } };
	struct name_list lists[] = { { &c->vcenters, 0, VCENTERS },
		{ &c->sources, 0, OTHER_SOURCES } };
	struct provider_files files;
	struct config_errors errors;
	char **paths = NULL;

	config_errors_init(&errors);
	/* the file has keys that this table does not have; their errors are not shown */
	config_bind(f->root, row, &paths, sizeof(paths), &errors);
	provider_files_load(&files, path, paths, &errors);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct name_list *list = &lists[i];

		while (*list->names != NULL && (*list->names)[list->n] != NULL)
			list->n++;
		provider_files_each(&files, add_from_file, list);
	}
	provider_files_free(&files);
	config_release(row, &paths);
	config_errors_free(&errors);
}

static bool
discovers(const struct config_node *root)
{
	const struct config_node *list = config_get(root, "eventProcessors"), *entry;
	bool found = router_discovers(config_get(root, "eventProcessor"));

	for (size_t i = 0; i < NAMES_MAX && (entry = config_item(list, i)) != NULL; i++)
		found |= router_discovers(entry);
	return found;
}

static void
take_names(struct connection_settings *c, const struct file *f, const char *path)
{
	struct entries providers = { "eventProvider", "eventProviders", VCENTERS };
	const struct entries processors = { "eventProcessor", "eventProcessors", ANY_ENTRY };

	c->vcenters = names(f->root, &providers);
	providers.kind = OTHER_SOURCES;
	c->sources = names(f->root, &providers);
	c->dispatchers = names(f->root, &processors);
	c->discovers = discovers(f->root);
	add_other_names(c, f, path);
}

int
connection_file_read(
	struct connection_settings *c, const struct connection_flags *flags, const char *path)
{
	struct config_errors errors;
	struct rows rows;
	struct file f;
	int rc;

	config_errors_init(&errors);
	rows_init(&rows);
	leave_out_replaced(&rows, flags);
	if (file_open(&f, path, &errors) == 0) {
		bind_bus(&f, &rows, &c->bus, &errors);
		take_names(c, &f, path);
	}
	if (errors.n == 0)
		bus_config_check(f.bus, &c->bus, &errors);
	config_errors_sort(&errors);
	rc = report(&errors);
	config_free(f.config);
	config_errors_free(&errors);
	return rc;
}

/* Moves the members that the block has from one struct to the other. */
static void
take(struct bus_config *to, struct bus_config *from, const struct config_node *block)
{
	for (const struct config_field *f = bus_fields; f->key != NULL; f++) {
		size_t size = f->type == CONFIG_STRING || f->type == CONFIG_STRINGS
			? sizeof(char *)
			: f->type == CONFIG_SECRET ? sizeof(struct secret)
			: f->type == CONFIG_BOOL   ? sizeof(bool)
						   : 0;
		char key[64], *a = (char *)to + f->offset, *b = (char *)from + f->offset;
		char kept[sizeof(struct secret)];

		snprintf(key, sizeof(key), "%sFile", f->key);
		if (config_get(block, f->key) == NULL &&
			(f->type != CONFIG_SECRET || config_get(block, key) == NULL))
			continue;
		memcpy(kept, a, size);
		memcpy(a, b, size);
		memcpy(b, kept, size);
	}
}

int
connection_file_host(struct connection_settings *c, const struct connection_flags *flags,
	const char *deployment)
{
	struct bus_config cli = { .urls = NULL };
	struct config_errors errors;
	struct rows rows;
	struct file own, daemons = { .config = NULL };
	int rc;

	config_errors_init(&errors);
	rows_init(&rows);
	leave_out_replaced(&rows, flags);
	if (file_open(&own, CONNECTION_CLI_PATH, &errors) == 0)
		bind_bus(&own, &rows, &cli, &errors);
	leave_out_credentials(&rows);
	for (const struct config_field *f = bus_fields; f->key != NULL; f++)
		if (config_get(own.bus, f->key) != NULL)
			leave_out(&rows, f->key);
	if (errors.n == 0 && deployment != NULL &&
		file_open(&daemons, deployment, &errors) != 0)
		daemons.root = daemons.bus = NULL;
	if (errors.n == 0) {
		bind_bus(&daemons, &rows, &c->bus, &errors);
		take_names(c, &daemons, deployment);
	}
	if (errors.n == 0)
		take(&c->bus, &cli, own.bus);
	rc = report(&errors);
	config_release(bus_fields, &cli);
	config_free(own.config);
	config_free(daemons.config);
	config_errors_free(&errors);
	return rc;
}
