// SPDX-License-Identifier: Apache-2.0
#include "function_documents.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

const char *const function_type_styles[] = { "auto", "router", "vsphere", "vsphereUnversioned",
	NULL };
const char *const function_encodings[] = { "binary", "structured", NULL };

/* ---- the fields that count; Kubernetes knows further ones, which change nothing here */

static const struct config_field filter_fields[] = {
	{ "attributes", CONFIG_MAP, offsetof(struct trigger_filter, attributes) },
	{ NULL },
};

/* clang-format 14 and 19 differ */
/* clang-format off */
#define WITHOUT_EFFECT(key) \
	{ \
		key, CONFIG_NODE, 0, CONFIG_IGNORED, .help = "without effect here" \
	}
/* clang-format on */

static const struct config_field ref_fields[] = {
	{ "apiVersion", CONFIG_STRING, offsetof(struct trigger_ref, api_version) },
	{ "kind", CONFIG_STRING, offsetof(struct trigger_ref, kind) },
	{ "name", CONFIG_STRING, offsetof(struct trigger_ref, name), CONFIG_REQUIRED },
	{ "namespace", CONFIG_STRING, offsetof(struct trigger_ref, namespace) },
	WITHOUT_EFFECT("group"),
	WITHOUT_EFFECT("address"),
	{ NULL },
};

static const struct config_field subscriber_fields[] = {
	{ "ref", CONFIG_OBJECT, offsetof(struct trigger_subscriber, ref),
		.fields = ref_fields },
	{ "uri", CONFIG_STRING, offsetof(struct trigger_subscriber, uri) },
	WITHOUT_EFFECT("CACerts"),
	WITHOUT_EFFECT("audience"),
	{ NULL },
};

static const struct config_field spec_fields[] = {
	{ "broker", CONFIG_STRING, offsetof(struct trigger_spec, broker) },
	{ "filter", CONFIG_OBJECT, offsetof(struct trigger_spec, filter),
		.fields = filter_fields },
	{ "filters", CONFIG_NODE, offsetof(struct trigger_spec, filters) },
	{ "subscriber", CONFIG_OBJECT, offsetof(struct trigger_spec, subscriber),
		CONFIG_REQUIRED, .fields = subscriber_fields },
	WITHOUT_EFFECT("delivery"),
	WITHOUT_EFFECT("brokerRef"),
	{ NULL },
};

/* clang-format off */
#define OWN_ROWS \
	{ "name", CONFIG_STRING, offsetof(struct own_document, name) }, \
	{ "url", CONFIG_STRING, offsetof(struct own_document, url), CONFIG_URL }, \
	{ "filters", CONFIG_NODE, offsetof(struct own_document, filters) }, \
	{ "typeStyle", CONFIG_ENUM, offsetof(struct own_document, type_style), \
		.choices = function_type_styles }, \
	{ "encoding", CONFIG_ENUM, offsetof(struct own_document, encoding), \
		.choices = function_encodings }, \
	{ NULL }
/* clang-format on */

static const struct config_field own_fields[] = {
	{ "filter", CONFIG_MAP, offsetof(struct own_document, filter.attributes) },
	OWN_ROWS,
};

static const struct config_field own_as_trigger_fields[] = {
	{ "filter", CONFIG_OBJECT, offsetof(struct own_document, filter),
		.fields = filter_fields },
	OWN_ROWS,
};

/* ---- reading */

static const char *
name_of(const struct config_node *node)
{
	return config_text(config_get(config_get(node, "metadata"), "name"));
}

/* "serving.knative.dev/v1" is in the group "serving.knative.dev". */
static bool
in_group(const struct config_node *node, const char *group)
{
	const char *version = config_text(config_get(node, "apiVersion"));
	size_t n = strlen(group);

	return version != NULL && strncmp(version, group, n) == 0 && version[n] == '/';
}

static int
port_of(const struct config_node *service, struct config_errors *errors)
{
	const struct config_node *template = config_get(
		config_get(service, "spec"), "template"),
				 *list = config_get(config_get(template, "spec"), "containers"),
				 *container;

	for (size_t i = 0; i < FUNCTION_DOCUMENTS_MAX; i++) {
		const struct config_node *port;
		int64_t value;

		container = config_item(list, i);
		if (container == NULL)
			break;
		port = config_get(
			config_item(config_get(container, "ports"), 0), "containerPort");
		if (port == NULL)
			continue;
		if (config_text(port) != NULL && text_int(config_text(port), 1, 65535, &value))
			return (int)value;
		config_error(errors, port, "must be a port, 1 to 65535");
		break;
	}
	return 8080;
}

static void
add_service(struct function_documents *d, const struct config_node *node,
	struct config_errors *errors)
{
	if (name_of(node) == NULL) {
		config_error(errors, node, "metadata.name is missing");
		return;
	}
	d->service = mem_grow_for(
		d->service, d->n_services, &d->cap_services, sizeof(*d->service));
	d->service[d->n_services++] = (struct service_document){
		.node = node, .name = name_of(node), .port = port_of(node, errors)
	};
}

static void
add_trigger(struct function_documents *d, const struct config_node *node,
	struct config_errors *errors)
{
	struct trigger_document *t;

	if (name_of(node) == NULL || config_get(node, "spec") == NULL) {
		config_error(errors, node, "%s is missing",
			name_of(node) == NULL ? "metadata.name" : "spec");
		return;
	}
	d->trigger = mem_grow_for(
		d->trigger, d->n_triggers, &d->cap_triggers, sizeof(*d->trigger));
	t = &d->trigger[d->n_triggers++];
	*t = (struct trigger_document){ .node = node, .name = name_of(node) };
	config_bind(config_get(node, "spec"), spec_fields, &t->spec, sizeof(t->spec), errors);
}

/* `filter: {subject: X}`, or as in a Trigger, `filter: {attributes: {subject: X}}`. */
static void
add_own(struct function_documents *d, const struct config_node *node,
	struct config_errors *errors)
{
	struct own_document *own = &d->own;
	const struct config_node *filter = config_get(node, "filter"),
				 *inner = config_get(filter, "attributes");
	bool as_trigger = inner != NULL && config_text(inner) == NULL;

	if (own->node != NULL) {
		config_error(errors, node, "a second document without kind");
		return;
	}
	config_bind(node, as_trigger ? own_as_trigger_fields : own_fields, own, sizeof(*own),
		errors);
	own->node = node;
	own->has_filter = filter != NULL || own->filters != NULL;
	own->has_type_style = config_get(node, "typeStyle") != NULL;
	own->has_encoding = config_get(node, "encoding") != NULL;
}

static void
add_document(struct function_documents *d, const struct config_node *node,
	struct config_errors *errors)
{
	const char *kind = config_text(config_get(node, "kind"));

	if (config_length(node) == 0 && config_text(node) == NULL)
		return; /* an empty document */
	if (d->n_services + d->n_triggers >= FUNCTION_DOCUMENTS_MAX)
		config_error(errors, node, "more than %d documents", FUNCTION_DOCUMENTS_MAX);
	else if (config_get(node, "kind") == NULL)
		add_own(d, node, errors);
	else if (kind != NULL && strcmp(kind, "Service") == 0 &&
		in_group(node, "serving.knative.dev"))
		add_service(d, node, errors);
	else if (kind != NULL && strcmp(kind, "Trigger") == 0 &&
		in_group(node, "eventing.knative.dev"))
		add_trigger(d, node, errors);
}

int
function_documents_read(
	struct function_documents *d, const struct config *config, struct config_errors *errors)
{
	size_t before = errors->n;
	const struct config_node *node = NULL;

	*d = (struct function_documents){ .service = NULL };
	while ((node = config_next_document(config, node)) != NULL && errors->n == before) {
		const char *kind = config_text(config_get(node, "kind"));
		const struct config_node *items = config_get(node, "items"), *item;

		if (kind == NULL || strcmp(kind, "List") != 0) {
			add_document(d, node, errors);
			continue;
		}
		for (size_t i = 0; i <= FUNCTION_DOCUMENTS_MAX && errors->n == before &&
			(item = config_item(items, i)) != NULL;
			i++)
			add_document(d, item, errors);
	}
	return errors->n == before ? 0 : -1;
}

void
function_documents_free(struct function_documents *d)
{
	for (size_t i = 0; i < d->n_triggers; i++)
		config_release(spec_fields, &d->trigger[i].spec);
	free(d->service);
	free(d->trigger);
	config_release(own_as_trigger_fields, &d->own);
	config_release(own_fields, &d->own);
	*d = (struct function_documents){ .service = NULL };
}
