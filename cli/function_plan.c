// SPDX-License-Identifier: Apache-2.0
#include "function_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function_files.h"
#include "function_run.h"
#include "function_unit.h"
#include "mem.h"

enum { TEXT_MAX = 8 * 1024 * 1024 };

void
function_plan_init(struct function_plan *plan, struct function_site *site)
{
	*plan = (struct function_plan){ .site = site };
	config_errors_init(&plan->errors);
}

void
function_plan_free(struct function_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		function_spec_free(&plan->item[i].spec);
		function_env_free(&plan->item[i].env);
		mem_free_secret(plan->item[i].login);
		buf_free(&plan->item[i].unit);
		buf_free(&plan->item[i].document);
	}
	free(plan->item);
	for (size_t i = 0; i < plan->n_files; i++) {
		function_documents_free(&plan->documents[i]);
		config_free(plan->config[i]);
	}
	config_errors_free(&plan->errors);
}

/* ---- files */

/* The checks of the dispatcher, so that it leaves nothing out later. */
static void
check_triggers(struct function_plan *plan, size_t file, struct function_set *set)
{
	const struct function_rules rules = function_site_rules(plan->site);
	const struct config *config = plan->config[file];
	struct function_documents *d = &plan->documents[file];
	struct config_errors again;

	function_manifest_add(set, config, config_file_path(config), &rules, &plan->errors);
	config_errors_init(&again); /* the same ones */
	function_documents_read(d, config, &again);
	config_errors_free(&again);
	if (d->own.url != NULL)
		config_error(&plan->errors, d->own.node,
			"url: the address of a function in a container is chosen here");
	for (size_t i = 0; d->n_services == 0 && i < d->n_triggers; i++)
		config_error(&plan->errors, d->trigger[i].node,
			"no Service is in this file: it belongs into the file of its Trigger");
}

static bool
has_trigger(const struct function_documents *d, const char *name)
{
	for (size_t i = 0; i < d->n_triggers; i++) {
		const char *ref = d->trigger[i].spec.subscriber.ref.name;

		if (ref != NULL && strcmp(ref, name) == 0)
			return true;
	}
	return false;
}

static void
add_service(struct function_plan *plan, const struct function_documents *d,
	const struct service_document *service)
{
	struct function_item *item;

	for (size_t i = 0; i < plan->n; i++)
		if (strcmp(plan->item[i].spec.name, service->name) == 0) {
			config_error(&plan->errors, service->node,
				"a second Service with the name \"%.64s\"", service->name);
			return;
		}
	if (!has_trigger(d, service->name))
		config_error(&plan->errors, service->node,
			"no Trigger in this file has the Service \"%.64s\" as its subscriber",
			service->name);
	plan->item = mem_grow_for(plan->item, plan->n, &plan->cap, sizeof(*plan->item));
	item = &plan->item[plan->n++];
	*item = (struct function_item){ .port = 0 };
	buf_init(&item->unit, TEXT_MAX);
	buf_init(&item->document, TEXT_MAX);
	item->valid = function_spec_read(&item->spec, service, &plan->errors) == 0;
}

/* After all files: a Secret may be in any of them. */
static void
read_secrets(struct function_plan *plan, struct function_item *item)
{
	char *directory = function_site_path(plan->site, FUNCTION_SECRETS "/functions");
	const struct function_sources sources = { &plan->objects, directory };

	if (item->valid) {
		function_env_read(&item->env, &item->spec, &sources, &plan->errors);
		item->login = function_env_login(&item->spec, &sources, &plan->errors);
	}
	free(directory);
}

int
function_plan_read(struct function_plan *plan, const struct command_texts *files)
{
	struct function_set set;

	function_set_init(&set);
	for (size_t i = 0; i < files->n; i++) {
		struct config **config = &plan->config[plan->n_files];

		if (config_load_manifest(config, files->text[i], &plan->errors) != 0)
			continue;
		manifest_objects_add(&plan->objects, *config);
		check_triggers(plan, plan->n_files++, &set);
	}
	for (size_t i = 0; i < plan->n_files; i++)
		for (size_t k = 0; k < plan->documents[i].n_services; k++)
			add_service(plan, &plan->documents[i], &plan->documents[i].service[k]);
	for (size_t i = 0; i < plan->n; i++)
		read_secrets(plan, &plan->item[i]);
	if (plan->n == 0 && plan->errors.n == 0)
		config_error(&plan->errors, config_next_document(plan->config[0], NULL),
			"no Service of serving.knative.dev is in %s",
			files->n > 1 ? "these files" : "this file");
	function_set_free(&set);
	return plan->errors.n == 0 ? 0 : -1;
}

/* ---- places */

/* The directory has this function in a file that is not ours, or a file of ours is not ours. */
static void
check_owner(struct function_plan *plan, const struct function_item *item)
{
	const struct function_set *set = &plan->site->set;
	const struct config_node *node = item->spec.node;
	const char *name = item->spec.name;
	char *document = function_site_document(plan->site, name),
	     *unit = function_site_unit_file(name);
	char *paths[] = { function_site_path(plan->site, document),
		function_site_path(plan->site, unit) };
	const char *file = strrchr(document, '/') + 1;

	for (size_t i = 0; i < 2; i++)
		if (function_file_is_foreign(paths[i]))
			config_error(&plan->errors, node,
				"%.200s was not written by this command: remove it first",
				paths[i]);
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->entry[i]->name, name) == 0 &&
			strcmp(set->entry[i]->file, file) != 0)
			config_error(&plan->errors, node,
				"the function \"%.64s\" is in %.128s/%.128s already", name,
				plan->site->directory, set->entry[i]->file);
	free(paths[0]);
	free(paths[1]);
	free(document);
	free(unit);
}

static void
write_texts(struct function_plan *plan, struct function_item *item)
{
	const struct function_unit unit = { .spec = &item->spec,
		.env = &item->env,
		.port = item->port,
		.login = item->login != NULL,
		.writable = plan->writable,
		.egress = plan->egress,
		.networks = plan->networks };
	const char *name = item->spec.name;

	function_unit_write(&unit, &item->unit);
	for (size_t i = 0; i < plan->n_files; i++)
		if (has_trigger(&plan->documents[i], name))
			function_unit_document(&plan->documents[i], name, item->port,
				&item->document, &plan->errors);
	if (!buf_ok(&item->unit) || !buf_ok(&item->document))
		config_error(
			&plan->errors, item->spec.node, "the function is larger than 8 MiB");
}

int
function_plan_place(struct function_plan *plan)
{
	struct function_ports taken = { .port = mem_array(plan->n + 1, sizeof(int)) };

	for (size_t i = 0; i < plan->n; i++) {
		struct function_item *item = &plan->item[i];
		const char *name = item->spec.name;

		check_owner(plan, item);
		item->port = function_site_port(plan->site, name,
			function_site_port_of(plan->site, name) != 0 &&
				function_run_is_active(name),
			&taken);
		if (item->port == 0)
			config_error(&plan->errors, item->spec.node,
				"no port from %d to %d is free", FUNCTION_PORT_FIRST,
				FUNCTION_PORT_FIRST + FUNCTION_PORTS - 1);
		taken.port[taken.n++] = item->port;
		write_texts(plan, item);
	}
	free(taken.port);
	return plan->errors.n == 0 ? 0 : -1;
}
