// SPDX-License-Identifier: Apache-2.0
/* Manifests of VEBA 0.8 (Tanzu Sources for Knative). */
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "function_filter.h"
#include "import_read.h"
#include "mem.h"
#include "text.h"

enum { OBJECTS_MAX = 10000, SECRET_MAX = 64 * 1024 };

/* The objects of all files, Lists unfolded. */
struct import_objects {
	const struct config_node *node[OBJECTS_MAX];
	size_t n;
};

static void
add_object(struct import_objects *objects, const struct config_node *node)
{
	if (objects->n < OBJECTS_MAX)
		objects->node[objects->n++] = node;
}

static void
collect(struct import_objects *objects, const struct config *config)
{
	const struct config_node *document = NULL, *item;

	while ((document = config_next_document(config, document)) != NULL) {
		const char *kind = config_text(config_get(document, "kind"));

		if (kind == NULL || strcmp(kind, "List") != 0)
			add_object(objects, document);
		for (size_t i = 0; kind != NULL && i < OBJECTS_MAX &&
			(item = config_item(config_get(document, "items"), i)) != NULL;
			i++)
			add_object(objects, item);
	}
}

static const char *
text_at(const struct config_node *node, const char *key)
{
	return config_text(config_get(node, key));
}

static bool
is_kind(const struct config_node *node, const char *kind)
{
	const char *text = text_at(node, "kind");

	return text != NULL && strcmp(text, kind) == 0;
}

static const char *
name_of(const struct config_node *node)
{
	const char *name = text_at(config_get(node, "metadata"), "name");

	return name != NULL ? name : "";
}

/* NULL: not given, so it is the one of the command that applies the file. */
static const char *
namespace_of(const struct config_node *node)
{
	return text_at(config_get(node, "metadata"), "namespace");
}

/* ---- Secrets */

/* A value of the Secret: stringData, or data in base64. The caller frees it. */
static char *
secret_value(const struct config_node *secret, const char *key)
{
	const char *plain = text_at(config_get(secret, "stringData"), key),
		   *encoded = text_at(config_get(secret, "data"), key);
	struct buf out;

	if (plain != NULL)
		return mem_strdup(plain);
	if (encoded == NULL)
		return NULL;
	buf_init(&out, SECRET_MAX);
	if (base64_decode(&out, encoded, strlen(encoded)))
		return buf_take(&out, NULL);
	buf_free(&out);
	return NULL;
}

struct import_credentials {
	char *user, *password, *domain;
};

/*
 * The Secret of a source: by its name, in the namespace of the source; the last one, as with
 * kubectl apply. NULL: no file has it.
 */
static const struct config_node *
find_secret(const struct import_objects *objects, const struct config_node *source,
	const char *name)
{
	const char *namespace = namespace_of(source), *other;
	const struct config_node *found = NULL;

	for (size_t i = 0; i < objects->n; i++) {
		other = namespace_of(objects->node[i]);
		if (is_kind(objects->node[i], "Secret") &&
			strcmp(name_of(objects->node[i]), name) == 0 &&
			(namespace == NULL || other == NULL || strcmp(namespace, other) == 0))
			found = objects->node[i];
	}
	return found;
}

static void
find_credentials(struct import_plan *plan, const struct import_objects *objects,
	const struct config_node *source, struct import_credentials *out)
{
	const struct config_node *spec = config_get(source, "spec"),
				 *ref = config_get(spec, "secretRef"), *secret;
	const char *name = text_at(ref, "name");

	*out = (struct import_credentials){ .user = NULL };
	secret = name != NULL ? find_secret(objects, source, name) : NULL;
	if (secret != NULL) {
		out->user = secret_value(secret, "username");
		out->password = secret_value(secret, "password");
		out->domain = secret_value(secret, "domain");
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
style_of_triggers(struct import_plan *plan, const struct import_objects *objects)
{
	enum event_type_style style = EVENT_TYPE_VSPHERE, one;
	size_t seen[3] = { 0, 0, 0 };

	for (size_t i = 0; i < objects->n; i++)
		if (is_kind(objects->node[i], "Trigger") &&
			trigger_style(plan, objects->node[i], &one)) {
			seen[one]++;
			import_plan_says(plan, objects->node[i],
				"the Trigger \"%.64s\" stays as it is; its types are those of typeStyle %s",
				name_of(objects->node[i]), style_names[one]);
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
	const char *namespace = text_at(ref, "namespace"), *own = namespace_of(source);
	struct import_knative k = { .api_version = text_at(ref, "apiVersion"),
		.kind = text_at(ref, "kind"),
		.name = text_at(ref, "name"),
		.namespace = namespace != NULL ? namespace
			: own != NULL          ? own
					       : "default",
		.type_style = style_names[style] };

	if (sink == NULL) {
		buf_printf(&plan->report, "note: %.64s has no sink: it gets no dispatcher\n",
			name_of(source));
		return;
	}
	if (k.name == NULL)
		k.uri = text_at(sink, "uri");
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
	const char *encoding = text_at(spec, "payloadEncoding");

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
read_source(struct import_plan *plan, const struct import_objects *objects,
	const struct config_node *source, const char *type)
{
	const struct config_node *spec = config_get(source, "spec"),
				 *skip = config_get(spec, "skipTLSVerify");
	bool insecure = skip != NULL && import_router_true(config_text(skip));
	struct import_credentials credentials;

	if (text_at(spec, "address") == NULL) {
		config_error(&plan->errors, source, "spec.address is missing");
		return;
	}
	import_plan_says(plan, source, "%s \"%.64s\" becomes an eventProvider of type %s",
		text_at(source, "kind"), name_of(source), type);
	import_plan_says(plan, config_get(spec, "address"), "becomes %s.address", type);
	if (skip != NULL)
		import_plan_says(plan, skip, "becomes %s.insecureSSL%s", type,
			insecure ? "; thumbprint is the secure way to a self-signed certificate"
				 : "");
	find_credentials(plan, objects, source, &credentials);
	report_rest(plan, spec, strcmp(type, "horizon") == 0);
	import_plan_source(plan,
		&(struct import_source){ .type = type,
			.name = *name_of(source) != '\0' ? name_of(source) : type,
			.address = text_at(spec, "address"),
			.login = { credentials.user, credentials.password, credentials.domain },
			.insecure = insecure });
	free_credentials(&credentials);
}

void
import_manifest_read(struct import_plan *plan, const struct config *const *configs, size_t n)
{
	struct import_objects *objects = mem_alloc(sizeof(*objects));
	enum event_type_style style;

	for (size_t i = 0; i < n; i++)
		collect(objects, configs[i]);
	style = style_of_triggers(plan, objects);
	for (size_t i = 0; i < objects->n; i++) {
		const struct config_node *node = objects->node[i];
		bool vsphere = is_kind(node, "VSphereSource");

		if (!vsphere && !is_kind(node, "HorizonSource"))
			continue;
		read_source(plan, objects, node, vsphere ? "vcenter" : "horizon");
		read_sink(plan, node, style);
		plan->from_tanzu |= vsphere;
		plan->from_horizon |= !vsphere;
	}
	free(objects);
}
