// SPDX-License-Identifier: Apache-2.0
/* Manifests of VEBA 0.8 (Tanzu Sources for Knative). */
#include <stdlib.h>
#include <string.h>

#include "function_filter.h"
#include "import_read.h"
#include "manifest_objects.h"
#include "mem.h"
#include "text.h"

struct import_credentials {
	char *user, *password, *domain;
};

/* The Secrets that sources name are `used`. */
static void
find_credentials(struct import_plan *plan, struct manifest_objects *objects,
	const struct config_node *source, struct import_credentials *out)
{
	const struct config_node *spec = config_get(source, "spec"),
				 *ref = config_get(spec, "secretRef"), *secret;
	const char *name = manifest_text(ref, "name");

	*out = (struct import_credentials){ .user = NULL };
	secret = name != NULL
		? manifest_find(objects, &(struct manifest_query){ "Secret", name, source })
		: NULL;
	if (secret != NULL) {
		manifest_use(objects, secret);
		out->user = manifest_secret_value(secret, "username");
		out->password = manifest_secret_value(secret, "password");
		out->domain = manifest_secret_value(secret, "domain");
	}
	if (out->user != NULL && out->password != NULL)
		import_plan_says(plan, ref, "becomes auth, with the password in passwordFile");
	else
		import_plan_says(plan, ref != NULL ? ref : spec,
			"the Secret \"%.64s\" with username and password is in no file: write the password to passwordFile",
			name != NULL ? name : "");
}

static void
free_credentials(struct import_credentials *c)
{
	free(c->user);
	mem_free_secret(c->password);
	free(c->domain);
}

/* ---- Triggers */

/* Keys of the objects, by which others are found; only `key` counts. */
static const struct config_field source_rows[] = { { "sink", CONFIG_NODE, 0 },
	{ "address", CONFIG_STRING, 0 }, { "skipTLSVerify", CONFIG_BOOL, 0 },
	{ "secretRef", CONFIG_NODE, 0 }, { "checkpointConfig", CONFIG_NODE, 0 },
	{ "payloadEncoding", CONFIG_STRING, 0 }, { "serviceAccountName", CONFIG_STRING, 0 },
	{ "ceOverrides", CONFIG_NODE, 0 }, { NULL } };
static const struct config_field sink_rows[] = { { "ref", CONFIG_NODE, 0 },
	{ "uri", CONFIG_STRING, 0 }, { "CACerts", CONFIG_STRING, 0 },
	{ "audience", CONFIG_STRING, 0 }, { NULL } };
static const struct config_field ref_rows[] = { { "apiVersion", CONFIG_STRING, 0 },
	{ "kind", CONFIG_STRING, 0 }, { "name", CONFIG_STRING, 0 },
	{ "namespace", CONFIG_STRING, 0 }, { NULL } };

static const struct config_field filter_rows[] = {
	{ "attributes", CONFIG_MAP, 0 },
	{ NULL },
};

/* The dialect of one Trigger; false: it is not readable, which is reported. */
static bool
trigger_style(struct import_plan *plan, const struct config_node *trigger,
	enum event_type_style *style)
{
	const struct config_node *spec = config_get(trigger, "spec"),
				 *filter = config_get(spec, "filter");
	char **attributes = NULL;
	struct function_filter *f = NULL;

	if (filter == NULL ||
		config_bind(filter, filter_rows, &attributes, sizeof(attributes),
			&plan->errors) == 0)
		f = function_filter_new(
			attributes, config_get(spec, "filters"), trigger, &plan->errors);
	config_release(filter_rows, &attributes);
	if (f == NULL)
		return false;
	*style = function_filter_style(f);
	function_filter_free(f);
	return true;
}

static const char *const style_names[] = { "router", "vsphere", "vsphereUnversioned" };

/* The dialect of all Triggers. Without Triggers, the dialect of VEBA 0.8. */
static enum event_type_style
style_of_triggers(struct import_plan *plan, const struct manifest_objects *objects)
{
	enum event_type_style style = EVENT_TYPE_VSPHERE, one;
	size_t seen[3] = { 0, 0, 0 };

	for (size_t i = 0; i < objects->n; i++)
		if (manifest_is_kind(objects->node[i], "Trigger") &&
			trigger_style(plan, objects->node[i], &one)) {
			seen[one]++;
			import_plan_says(plan, objects->node[i],
				"the Trigger \"%.64s\" stays as it is; its types are those of typeStyle %s",
				manifest_name(objects->node[i]), style_names[one]);
		}
	if (seen[EVENT_TYPE_VSPHERE] == 0 && seen[EVENT_TYPE_VSPHERE_UNVERSIONED] > 0)
		style = EVENT_TYPE_VSPHERE_UNVERSIONED;
	if (seen[EVENT_TYPE_VSPHERE] > 0 && seen[EVENT_TYPE_VSPHERE_UNVERSIONED] > 0)
		buf_add_str(&plan->report,
			"note: Triggers with and without \".v0\" need two dispatchers, or the backend functions\n");
	return style;
}

/* ---- sources */

/* The address of a sink: a ref, a path beside it, or a URL. False: an error was added. */
static bool
read_destination(
	struct import_plan *plan, const struct config_node *sink, struct import_knative *k)
{
	const struct config_node *ref = config_get(sink, "ref"), *uri = config_get(sink, "uri");
	bool absolute;

	k->api_version = manifest_text(ref, "apiVersion");
	k->kind = manifest_text(ref, "kind");
	k->name = manifest_text(ref, "name");
	k->uri = config_text(uri);
	absolute = k->uri != NULL && strstr(k->uri, "://") != NULL;
	if (k->name != NULL && absolute) { /* as Knative resolves it */
		import_plan_says(plan, ref, "is not used, because uri is a whole address");
		k->name = NULL;
	}
	if (k->name != NULL && (k->api_version == NULL || k->kind == NULL)) {
		config_error(&plan->errors, ref, "apiVersion or kind is missing");
		return false;
	}
	if (k->name == NULL && k->uri == NULL) {
		config_error(&plan->errors, sink, "neither ref nor uri");
		return false;
	}
	if (k->uri != NULL && !absolute &&
		(k->name == NULL || (*k->uri != '/' && *k->uri != '?'))) {
		config_error(&plan->errors, uri,
			"must be a whole address, or, beside a ref, a path that begins with /");
		return false;
	}
	return true;
}

static const struct config_field override_rows[] = {
	{ "extensions", CONFIG_MAP, 0 },
	{ NULL },
};

/* To be released by the caller. */
static char **
read_overrides(struct import_plan *plan, const struct config_node *spec)
{
	const struct config_node *overrides = config_get(spec, "ceOverrides");
	char **extensions = NULL;

	if (overrides == NULL)
		return NULL;
	import_plan_says(plan, overrides,
		plan->functions != NULL ? "has no counterpart in the backend functions"
					: "becomes eventProcessor.knative.ceOverrides");
	config_bind(overrides, override_rows, &extensions, sizeof(extensions), &plan->errors);
	return extensions;
}

static void
read_sink(struct import_plan *plan, const struct config_node *source, const char *name,
	enum event_type_style style)
{
	const struct config_node *sink = config_get(config_get(source, "spec"), "sink"),
				 *ref = config_get(sink, "ref");
	const char *namespace = manifest_text(ref, "namespace"),
		   *own = manifest_text(config_get(source, "metadata"), "namespace");
	struct import_knative k = { .namespace = namespace != NULL ? namespace
			: own != NULL                              ? own
								   : "default",
		.ca_certs = manifest_text(sink, "CACerts"),
		.audience = manifest_text(sink, "audience"),
		.type_style = style_names[style],
		.source = name };

	if (sink == NULL) {
		buf_printf(&plan->report, "note: %.64s has no sink: it gets no dispatcher\n",
			manifest_name(source));
		return;
	}
	if (!read_destination(plan, sink, &k))
		return;
	k.extensions = read_overrides(plan, config_get(source, "spec"));
	import_plan_says(plan, sink,
		plan->functions != NULL
			? "becomes the backend functions: copy the manifests of the functions to its directory"
			: "becomes eventProcessor.knative.destination, encoding binary");
	import_plan_rest(plan, sink, sink_rows);
	import_plan_rest(plan, ref, ref_rows);
	import_plan_knative(plan, &k);
	config_release(override_rows, &k.extensions);
}

/* What the custom resource has beside address, secretRef and sink. */
static void
report_rest(struct import_plan *plan, const struct config_node *spec, bool horizon)
{
	const char *encoding = manifest_text(spec, "payloadEncoding");

	import_plan_says(plan, config_get(spec, "checkpointConfig"),
		"has no counterpart: the stream is the checkpoint, and nothing is lost at a restart");
	import_plan_says(plan, config_get(spec, "serviceAccountName"),
		"has no counterpart: the collector does not use the API of Kubernetes");
	import_plan_rest(plan, spec, source_rows);
	if (horizon)
		return;
	if (encoding != NULL && text_distance(encoding, "application/json", 0) == 0)
		import_plan_says(
			plan, config_get(spec, "payloadEncoding"), "stays: the data is JSON");
	else
		import_plan_says(plan,
			encoding != NULL ? config_get(spec, "payloadEncoding") : spec,
			"payloadEncoding %s has no counterpart: the data is JSON, so functions that read XML must change",
			encoding != NULL ? encoding : "application/xml (the default)");
}

/* The name of the source in the configuration; NULL: an error was added. */
static const char *
read_source(struct import_plan *plan, struct manifest_objects *objects,
	const struct config_node *source, const char *type)
{
	const struct config_node *spec = config_get(source, "spec"),
				 *skip = config_get(spec, "skipTLSVerify");
	bool insecure = skip != NULL && import_router_true(config_text(skip));
	struct import_credentials credentials;
	const char *name;

	if (manifest_text(spec, "address") == NULL) {
		config_error(&plan->errors, source, "spec.address is missing");
		return NULL;
	}
	import_plan_says(plan, source, "%s \"%.64s\" becomes an eventProvider of type %s",
		manifest_text(source, "kind"), manifest_name(source), type);
	import_plan_says(plan, config_get(spec, "address"), "becomes %s.address", type);
	if (skip != NULL)
		import_plan_says(plan, skip, "becomes %s.insecureSSL%s", type,
			insecure ? "; thumbprint is the secure way to a self-signed certificate"
				 : "");
	find_credentials(plan, objects, source, &credentials);
	report_rest(plan, spec, strcmp(type, "horizon") == 0);
	name = import_plan_source(plan,
		&(struct import_source){ .type = type,
			.name = *manifest_name(source) != '\0' ? manifest_name(source) : type,
			.address = manifest_text(spec, "address"),
			.login = { credentials.user, credentials.password, credentials.domain },
			.insecure = insecure });
	free_credentials(&credentials);
	return name;
}

static const struct config_field data_rows[] = { { "data", CONFIG_MAP, 0 }, { NULL } };

/* A Secret as the event router's manifests and chart have it: its whole file. */
static bool
has_router_config(const struct config_node *secret)
{
	char **data = NULL, **value, *text;
	struct config_errors errors;
	bool found = false;

	if (!manifest_is_kind(secret, "Secret"))
		return false;
	config_errors_init(&errors); /* of the keys beside data, which do not matter */
	config_bind(secret, data_rows, &data, sizeof(data), &errors);
	for (value = data; value != NULL && *value != NULL && !found; value += 2) {
		text = manifest_secret_value(secret, value[0]);
		found = text != NULL && strstr(text, "kind: RouterConfig") != NULL;
		mem_free_secret(text);
	}
	config_release(data_rows, &data);
	config_errors_free(&errors);
	return found;
}

/* The objects that are neither sources nor Triggers, nor a Secret that a source names. */
static void
report_others(struct import_plan *plan, const struct manifest_objects *objects)
{
	const struct config_node *node;

	for (size_t i = 0; i < objects->n; i++) {
		node = objects->node[i];
		if (objects->used[i] || manifest_is_kind(node, "Trigger"))
			continue;
		if (manifest_is_kind(node, "Broker"))
			import_plan_says(plan, node, "the Broker \"%.64s\" stays as it is",
				manifest_name(node));
		else if (has_router_config(node))
			import_plan_says(plan, node,
				"the Secret \"%.64s\" has a file of the event router, which is read as it is: docs/migration.md says how to get it",
				manifest_name(node));
		else
			import_plan_says(plan, node, "%.64s \"%.64s\": nothing is done with it",
				manifest_text(node, "kind") != NULL
					? manifest_text(node, "kind")
					: "an object",
				manifest_name(node));
	}
}

void
import_manifest_read(struct import_plan *plan, const struct config *const *configs, size_t n)
{
	struct manifest_objects *objects = mem_alloc(sizeof(*objects));
	enum event_type_style style;

	for (size_t i = 0; i < n; i++)
		manifest_objects_add(objects, configs[i]);
	style = style_of_triggers(plan, objects);
	for (size_t i = 0; i < objects->n; i++) {
		const struct config_node *node = objects->node[i];
		bool vsphere = manifest_is_kind(node, "VSphereSource");
		const char *name;

		if (!vsphere && !manifest_is_kind(node, "HorizonSource"))
			continue;
		objects->used[i] = true;
		name = read_source(plan, objects, node, vsphere ? "vcenter" : "horizon");
		read_sink(plan, node, name, style);
		plan->from_tanzu |= vsphere;
		plan->from_horizon |= !vsphere;
	}
	report_others(plan, objects);
	free(objects);
}
