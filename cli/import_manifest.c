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

static void
find_credentials(struct import_plan *plan, const struct manifest_objects *objects,
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

static void
read_sink(
	struct import_plan *plan, const struct config_node *source, enum event_type_style style)
{
	const struct config_node *sink = config_get(config_get(source, "spec"), "sink"),
				 *ref = config_get(sink, "ref");
	const char *namespace = manifest_text(ref, "namespace"),
		   *own = manifest_text(config_get(source, "metadata"), "namespace");
	struct import_knative k = { .api_version = manifest_text(ref, "apiVersion"),
		.kind = manifest_text(ref, "kind"),
		.name = manifest_text(ref, "name"),
		.namespace = namespace != NULL ? namespace
			: own != NULL          ? own
					       : "default",
		.type_style = style_names[style] };

	if (sink == NULL) {
		buf_printf(&plan->report, "note: %.64s has no sink: it gets no dispatcher\n",
			manifest_name(source));
		return;
	}
	if (k.name == NULL)
		k.uri = manifest_text(sink, "uri");
	else if (config_get(sink, "uri") != NULL)
		import_plan_says(plan, config_get(sink, "uri"),
			"has no counterpart beside a ref: use destination.uri with the whole address");
	if (k.name != NULL && (k.api_version == NULL || k.kind == NULL)) {
		config_error(&plan->errors, ref, "apiVersion or kind is missing");
		return;
	}
	if (k.name == NULL && k.uri == NULL) {
		config_error(&plan->errors, sink, "neither ref nor uri");
		return;
	}
	import_plan_says(plan, sink,
		plan->functions != NULL
			? "becomes the backend functions: copy the manifests of the functions to its directory"
			: "becomes eventProcessor.knative.destination, encoding binary");
	import_plan_knative(plan, &k);
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
	import_plan_says(plan, config_get(spec, "ceOverrides"),
		"has no counterpart: extensions are not added to events");
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

static void
read_source(struct import_plan *plan, const struct manifest_objects *objects,
	const struct config_node *source, const char *type)
{
	const struct config_node *spec = config_get(source, "spec"),
				 *skip = config_get(spec, "skipTLSVerify");
	bool insecure = skip != NULL && import_router_true(config_text(skip));
	struct import_credentials credentials;

	if (manifest_text(spec, "address") == NULL) {
		config_error(&plan->errors, source, "spec.address is missing");
		return;
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
	import_plan_source(plan,
		&(struct import_source){ .type = type,
			.name = *manifest_name(source) != '\0' ? manifest_name(source) : type,
			.address = manifest_text(spec, "address"),
			.login = { credentials.user, credentials.password, credentials.domain },
			.insecure = insecure });
	free_credentials(&credentials);
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

		if (!vsphere && !manifest_is_kind(node, "HorizonSource"))
			continue;
		read_source(plan, objects, node, vsphere ? "vcenter" : "horizon");
		read_sink(plan, node, style);
		plan->from_tanzu |= vsphere;
		plan->from_horizon |= !vsphere;
	}
	free(objects);
}
