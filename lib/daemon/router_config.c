// SPDX-License-Identifier: Apache-2.0
#include "router_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

#define AT(member) .offset = offsetof(struct router_top, member)

static const char *const api_versions[] = { "event-router.vmware.com/v1alpha1", NULL };
static const char *const kinds[] = { "RouterConfig", NULL };
static const char *const metrics_types[] = { "default", NULL };
static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const log_formats[] = { "logfmt", "json", NULL };
static const char *const auth_types[] = { "none", "basic_auth", NULL };

/*
 * Rows of nested blocks have offsets in the whole struct, because each block occurs once in the
 * file.
 */
static const struct config_field metadata_fields[] = {
	{ "name", CONFIG_STRING, AT(metadata.name), .help = "A name for people." },
	{ "labels", CONFIG_MAP, AT(metadata.labels), .help = "Labels for people." },
	{ NULL },
};

static const struct config_field basic_fields[] = {
	{ "username", CONFIG_STRING, AT(metrics.user), CONFIG_REQUIRED, .help = "User name." },
	{ "password", CONFIG_SECRET, AT(metrics.password), CONFIG_REQUIRED,
		.help = "Password." },
	{ NULL },
};

static const struct config_field metrics_auth_fields[] = {
	{ "type", CONFIG_ENUM, AT(metrics.auth_type), .def = "none", .choices = auth_types,
		.help = "`basic_auth` requires a password for everything except `/livez` and "
			"`/readyz`." },
	{ "basicAuth", CONFIG_OBJECT, .fields = basic_fields, .help = "User and password." },
	{ NULL },
};

static const struct config_field metrics_default_fields[] = {
	{ "bindAddress", CONFIG_STRING, AT(metrics.bind), CONFIG_BIND, .def = "127.0.0.1:8082",
		.help = "Where `/metrics`, `/livez`, `/readyz` and `/stats` are served. The "
			"first provider of the "
			"file takes this port, each further provider and then each processor "
			"the next one." },
	{ "auth", CONFIG_OBJECT, .fields = metrics_auth_fields,
		.help = "Access to this port." },
	{ NULL },
};

static const struct config_field metrics_fields[] = {
	{ "type", CONFIG_ENUM, AT(metrics.type), .def = "default", .choices = metrics_types,
		.help = "There is only one type." },
	{ "name", CONFIG_STRING, AT(metrics.name), .help = "A name for people." },
	{ "default", CONFIG_OBJECT, .fields = metrics_default_fields,
		.help = "The metrics port." },
	{ NULL },
};

static const struct config_field log_fields[] = {
	{ "level", CONFIG_ENUM, AT(log.level), .def = "info", .choices = log_levels,
		.help = "The lowest level that is logged." },
	{ "format", CONFIG_ENUM, AT(log.format), .def = "logfmt", .choices = log_formats,
		.help = "The format of a line." },
	{ NULL },
};

static const struct config_field certificates_fields[] = {
	{ "rootCAs", CONFIG_STRINGS, AT(root_cas), CONFIG_FILE,
		.help = "PEM files of the CA certificates that verify vCenter, instead of "
			"the system's. A changed file is used within seconds." },
	{ NULL },
};

const struct config_field router_fields[] = {
	{ "apiVersion", CONFIG_ENUM, AT(api_version), .def = "event-router.vmware.com/v1alpha1",
		.choices = api_versions, .help = "The format of this file." },
	{ "kind", CONFIG_ENUM, AT(kind), .def = "RouterConfig", .choices = kinds,
		.help = "The format of this file." },
	{ "metadata", CONFIG_OBJECT, .fields = metadata_fields, .help = "For people." },
	{ "eventProvider", CONFIG_NODE, AT(provider), .help = "The one vCenter to read." },
	{ "eventProviders", CONFIG_NODE, AT(providers),
		.help = "Several vCenters; each is read by a collector of its own, `--name` "
			"selects one." },
	{ "eventProvidersFrom", CONFIG_STRINGS, AT(providers_from),
		.help = "More vCenters, from other files: a file, or a directory whose `*.yaml` files "
			"are read. Each holds an eventProvider, or a list of them. Paths in such a "
			"file that are not absolute are relative to its directory, and this path to "
			"that of the configuration." },
	{ "eventProcessor", CONFIG_NODE, AT(processor),
		.help = "The one backend to deliver to." },
	{ "eventProcessors", CONFIG_NODE, AT(processors),
		.help = "Several backends; each is served by a dispatcher of its own, `--name` "
			"selects one." },
	{ "metricsProvider", CONFIG_OBJECT, .fields = metrics_fields,
		.help = "The metrics port." },
	{ "certificates", CONFIG_OBJECT, .fields = certificates_fields,
		.help = "CA certificates." },
	{ "log", CONFIG_OBJECT, .fields = log_fields,
		.help = "The log, on standard error; flags have precedence." },
	{ "bus", CONFIG_OBJECT, AT(bus), .fields = bus_fields, .help = "NATS." },
	{ NULL },
};

enum { ENTRIES_MAX = 1000 }; /* each name is compared with all names before it */

/* Of two names longer than a token, the tokens can be equal. */
static void
check_name(const struct router_entries *entries, const struct router_entry *entry,
	struct config_errors *errors)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct router_entry *other = &entries->entry[i];

		if (other->name == NULL || strcmp(other->token, entry->token) != 0)
			continue;
		if (strcmp(other->name, entry->name) == 0)
			config_error(errors, config_get(entry->node, "name"),
				"a name may be given only once");
		else
			config_error(errors, config_get(entry->node, "name"),
				"its short form in NATS, %s, is that of \"%s\", too",
				entry->token, other->name);
	}
}

static void
set_token(struct router_entry *entry)
{
	struct buf token;

	buf_init(&token, 2 * SUBJECT_TOKEN_MAX); /* before it is cut */
	subject_add_token(&token, entry->name, strlen(entry->name));
	snprintf(entry->token, sizeof(entry->token), "%s", buf_str(&token));
	buf_free(&token);
}

static void
add_entry(struct router_entries *entries, const struct config_node *node,
	struct config_errors *errors)
{
	const char *name = config_text(config_get(node, "name")),
		   *type = config_text(config_get(node, "type"));
	struct router_entry entry = { .name = name, .type = type, .node = node };

	if (type == NULL)
		config_error(errors, node, "type is missing");
	if (name == NULL || *name == '\0')
		config_error(errors, node, "name is missing");
	if (name != NULL) {
		set_token(&entry);
		check_name(entries, &entry, errors);
	}
	entries->entry = mem_grow(entries->entry, entries->n + 1, sizeof(*entries->entry));
	entries->entry[entries->n++] = entry;
}

bool
router_entry_is_vcenter(const struct router_entry *entry)
{
	return entry->type == NULL || strcmp(entry->type, "vcenter") == 0 ||
		strcmp(entry->type, "vcsim") == 0;
}

bool
router_discovers(const struct config_node *processor)
{
	static const struct config_field row[] = { { "discover", CONFIG_BOOL }, { NULL } };
	struct config_errors errors;
	bool discovers = false;

	/* the entry has keys that this table does not have; their errors are not shown */
	config_errors_init(&errors);
	config_bind(processor, row, &discovers, sizeof(discovers), &errors);
	config_errors_free(&errors);
	return discovers;
}

/* The file has no eventProvider, and no dispatcher that finds streams by itself. */
static bool
is_without_streams(const struct router_config *config)
{
	for (size_t i = 0; i < config->processors.n; i++)
		if (router_discovers(config->processors.entry[i].node))
			return false;
	return config->providers.n == 0;
}

static void
add_entries(struct router_entries *entries, const struct config_node *one,
	const struct config_node *list, struct config_errors *errors)
{
	const struct config_node *node;
	size_t i;

	if (one != NULL)
		add_entry(entries, one, errors);
	if (list != NULL && config_item(list, 0) == NULL)
		config_error(errors, list, "must be a list of at least one");
	for (i = 0; (node = config_item(list, i)) != NULL && i < ENTRIES_MAX; i++)
		add_entry(entries, node, errors);
	if (node != NULL)
		config_error(errors, node, "more than %d entries", ENTRIES_MAX);
}

static void
check_metrics(const struct router_config *config, struct config_errors *errors)
{
	const struct config_node *node = config_get(
		config_get(config_get(config_root(config->file), "metricsProvider"), "default"),
		"auth");
	bool basic = config->top.metrics.user != NULL;

	if (basic && config->top.metrics.auth_type == 0)
		config_error(errors, node, "basicAuth needs type basic_auth");
	if (!basic && config->top.metrics.auth_type != 0)
		config_error(errors, node, "type basic_auth needs the block basicAuth");
}

static void
add_from_file(void *ctx, const struct config_node *entry, const char *file)
{
	struct router_config *config = ctx;
	struct router_entries *entries = &config->providers;

	if (entries->n >= ENTRIES_MAX) {
		config_error(&config->files_errors, entry, "more than %d entries", ENTRIES_MAX);
		return;
	}
	add_entry(entries, entry, &config->files_errors);
	entries->entry[entries->n - 1].other_file = file;
}

static void
number_entries(struct router_config *config)
{
	size_t position = 0, i;

	for (i = 0; i < config->providers.n; i++)
		if (config->providers.entry[i].other_file == NULL)
			config->providers.entry[i].position = position++;
	for (i = 0; i < config->processors.n; i++)
		config->processors.entry[i].position = position++;
	for (i = 0; i < config->providers.n; i++)
		if (config->providers.entry[i].other_file != NULL)
			config->providers.entry[i].position = position++;
}

/* The list of the event router 0.3 and 0.4, or values of its chart. */
static bool
is_older(const struct config_node *root)
{
	return config_item(root, 0) != NULL || config_get(root, "eventrouter") != NULL;
}

int
router_config_load(struct router_config *config, const char *path, struct config_errors *errors)
{
	const struct config_node *root;
	size_t before = errors->n;

	memset(config, 0, sizeof(*config));
	config_errors_init(&config->files_errors);
	if (config_load(&config->file, path, errors) != 0)
		return -1;
	root = config_root(config->file);
	if (is_older(root))
		config_error(errors, root,
			"this is no RouterConfig: `vcourier import FILE` writes one from the files of older event routers");
	config_bind(root, router_fields, &config->top, sizeof(config->top), errors);
	add_entries(&config->providers, config->top.provider, config->top.providers, errors);
	add_entries(&config->processors, config->top.processor, config->top.processors, errors);
	provider_files_load(
		&config->files, path, config->top.providers_from, &config->files_errors);
	provider_files_each(&config->files, add_from_file, config);
	number_entries(config);
	if (is_without_streams(config) && errors->n == before && config->files_errors.n == 0)
		config_error(errors, root,
			"no eventProvider: the vCenter to read, whose stream dispatchers read");
	if (config->top.bus.urls != NULL) /* otherwise the file is not even a mapping */
		bus_config_check(config_get(root, "bus"), &config->top.bus, errors);
	check_metrics(config, errors);
	return errors->n == before ? 0 : -1;
}

void
router_config_free(struct router_config *config)
{
	config_release(router_fields, &config->top);
	free(config->providers.entry);
	free(config->processors.entry);
	provider_files_free(&config->files);
	config_errors_free(&config->files_errors);
	config_free(config->file);
	memset(config, 0, sizeof(*config));
}

const struct router_entry *
router_config_pick(const struct router_entries *entries, const char *name, struct err *err)
{
	struct buf names;
	size_t i;

	if (name == NULL && entries->n == 1)
		return &entries->entry[0];
	buf_init(&names, 200);
	for (i = 0; i < entries->n; i++) {
		if (entries->entry[i].name ==
			NULL) /* its error was reported when the file was read */
			continue;
		if (name != NULL && strcmp(entries->entry[i].name, name) == 0) {
			buf_free(&names);
			return &entries->entry[i];
		}
		buf_printf(&names, "%s%s", i != 0 ? ", " : "", entries->entry[i].name);
	}
	if (name == NULL && entries->n == 0)
		err_set(err, ERR_CONFIG, "the file has none");
	else if (name == NULL)
		err_set(err, ERR_USAGE, "the file has several, --name must pick one: %s",
			buf_str(&names));
	else
		err_set(err, ERR_USAGE, "--name %s is not in the file; there are: %s", name,
			buf_str(&names));
	buf_free(&names);
	return NULL;
}

void
router_config_metrics_bind(
	const struct router_config *config, const struct router_entry *entry, struct buf *out)
{
	const char *bind = config->top.metrics.bind, *colon = strrchr(bind, ':');
	int64_t port = 0;

	buf_clear(out);
	text_int(colon + 1, 0, 65535, &port);
	if (port != 0)
		port += (int64_t)entry->position;
	buf_add(out, bind, (size_t)(colon - bind));
	buf_printf(out, ":%d", (int)(port <= 65535 ? port : port - 65535));
}
