// SPDX-License-Identifier: Apache-2.0
/*
 * Values of the event router's Helm chart. What users write is laid over the chart's own
 * values: a key that is not in the file has the value of the chart.
 */
#include <stdio.h>
#include <string.h>

#include "import_read.h"

/* Of chart 0.8, as far as a user need not replace them. */
static const struct default_value {
	const char *block, *key, *value;
} defaults[] = {
	{ "", "eventProvider", "vcenter" },
	{ "", "eventProcessor", "openfaas" },
	{ "vcenter", "username", "administrator@vsphere.local" },
	{ "webhook", "port", "8080" },
	{ "webhook", "path", "/webhook" },
	{ "horizon", "domain", "corp" },
	{ "horizon", "username", "administrator" },
	{ "openfaas", "address", "http://gateway.openfaas:8080" },
	{ "openfaas", "basicAuth", "true" },
	{ "openfaas", "username", "admin" },
	{ "knative", "encoding", "binary" },
	{ "knative", "destination.ref.apiVersion", "eventing.knative.dev/v1" },
	{ "knative", "destination.ref.kind", "Broker" },
	{ "knative", "destination.ref.name", "default" },
	{ "knative", "destination.ref.namespace", "default" },
	{ "metrics", "port", "8082" },
};

/*
 * The text of a value of a block, "" for none; NULL: neither the file nor the chart has it.
 */
static const char *
value_of(const struct config_node *values, const char *block, const char *key)
{
	const struct config_node *node = *block != '\0' ? config_get(values, block) : values;
	const char *rest = key, *text;
	char part[64];

	for (const char *dot; (dot = strchr(rest, '.')) != NULL; rest = dot + 1) {
		snprintf(part, sizeof(part), "%.*s", (int)(dot - rest), rest);
		node = config_get(node, part);
	}
	text = config_text(config_get(node, rest));
	for (size_t i = 0; text == NULL && i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (strcmp(block, defaults[i].block) == 0 && strcmp(key, defaults[i].key) == 0)
			text = defaults[i].value;
	return text;
}

/* A value that the file does not have is told. */
static const char *
told(struct import_plan *plan, const struct config_node *values, const char *block,
	const char *key)
{
	const struct config_node *node = *block != '\0' ? config_get(values, block) : values;
	const char *text = value_of(values, block, key);

	if (text != NULL && config_get(node, key) == NULL)
		import_plan_says(plan, node != NULL ? node : values,
			"%s%s%s is not in the file: %s, as in the chart", block,
			*block != '\0' ? "." : "", key, text);
	return text;
}

/* eventProvider or eventProcessor; the chart has both. */
static const char *
type_of(struct import_plan *plan, const struct config_node *values, const char *key)
{
	const char *type = told(plan, values, "", key);

	return type != NULL ? type : "";
}

static void
password(struct import_plan *plan, const struct config_node *values, const char *block)
{
	const struct config_node *node = config_get(values, block);

	if (value_of(values, block, "password") == NULL)
		import_plan_says(plan, node != NULL ? node : values,
			"%s.password is not in the file: write it to passwordFile", block);
}

static void
read_source(struct import_plan *plan, const struct config_node *values)
{
	const char *type = type_of(plan, values, "eventProvider");
	const struct config_node *block = config_get(values, type);
	bool webhook = strcmp(type, "webhook") == 0;
	struct import_source source = { .type = type, .name = type };

	if (!webhook && strcmp(type, "vcenter") != 0 && strcmp(type, "horizon") != 0) {
		config_error(&plan->errors, config_get(values, "eventProvider"),
			"unknown: vcenter, webhook or horizon is expected");
		return;
	}
	source.address = told(plan, values, type, webhook ? "port" : "address");
	if (source.address == NULL) {
		config_error(&plan->errors, block != NULL ? block : values,
			"%s.address is missing", type);
		return;
	}
	if (webhook)
		source.path = told(plan, values, type, "path");
	if (strcmp(type, "horizon") == 0)
		source.login.domain = told(plan, values, type, "domain");
	source.login.user = told(plan, values, type, "username");
	source.login.password = value_of(values, type, "password");
	source.insecure = import_router_true(value_of(values, type, "insecure"));
	if (webhook && source.login.user != NULL && *source.login.user == '\0')
		source.login.user = NULL; /* as in the chart: no authentication */
	if (source.login.user != NULL)
		password(plan, values, type);
	import_plan_says(plan, block, "becomes eventProvider.%s%s", type,
		source.login.password != NULL ? ", with the password in passwordFile" : "");
	import_plan_source(plan, &source);
}

static void
read_knative(struct import_plan *plan, const struct config_node *values)
{
	const struct config_node *uri = config_get(
		config_get(config_get(values, "knative"), "destination"), "uri");
	const char *host = config_text(config_get(uri, "host")),
		   *scheme = config_text(config_get(uri, "scheme")),
		   *path = config_text(config_get(uri, "path"));
	char url[2048];
	struct import_knative k = { .encoding = told(plan, values, "knative", "encoding"),
		.type_style = "router",
		.insecure = import_router_true(value_of(values, "knative", "insecureSSL")) };

	if (host != NULL) {
		snprintf(url, sizeof(url), "%s://%s%s%s", scheme != NULL ? scheme : "http",
			host, path != NULL && *path != '/' ? "/" : "",
			path != NULL ? path : "");
		k.uri = url;
	} else if (config_text(uri) != NULL) {
		k.uri = config_text(uri);
	} else {
		k.api_version = value_of(values, "knative", "destination.ref.apiVersion");
		k.kind = value_of(values, "knative", "destination.ref.kind");
		k.name = value_of(values, "knative", "destination.ref.name");
		k.namespace = value_of(values, "knative", "destination.ref.namespace");
		import_plan_says(plan, values, "the destination is the %.64s %.64s/%.64s",
			k.kind, k.namespace, k.name);
	}
	import_plan_knative(plan, &k);
}

static void
read_backend(struct import_plan *plan, const struct config_node *values)
{
	const char *type = type_of(plan, values, "eventProcessor");
	bool auth = import_router_true(value_of(values, "openfaas", "basicAuth"));

	if (strcmp(type, "knative") != 0 && strcmp(type, "openfaas") != 0) {
		config_error(&plan->errors, config_get(values, "eventProcessor"),
			"unknown: openfaas or knative is expected");
		return;
	}
	import_plan_says(plan, config_get(values, type), "becomes eventProcessor.%s", type);
	if (strcmp(type, "knative") == 0) {
		read_knative(plan, values);
		return;
	}
	if (auth)
		password(plan, values, type);
	import_plan_openfaas(plan,
		&(struct import_openfaas){ .address = told(plan, values, type, "address"),
			.async = import_router_true(value_of(values, type, "async")),
			.login = { auth ? told(plan, values, type, "username") : NULL,
				auth ? value_of(values, type, "password") : NULL, NULL } });
}

/* Keys of the chart's values; only `key` counts. */
static const struct config_field router_rows[] = { { "config", CONFIG_NODE, 0 },
	{ "eventProvider", CONFIG_STRING, 0 }, { "eventProcessor", CONFIG_STRING, 0 },
	{ "vcenter", CONFIG_NODE, 0 }, { "webhook", CONFIG_NODE, 0 },
	{ "horizon", CONFIG_NODE, 0 }, { "openfaas", CONFIG_NODE, 0 },
	{ "knative", CONFIG_NODE, 0 }, { "metrics", CONFIG_NODE, 0 }, { NULL } };
static const struct config_field chart_rows[] = { { "eventrouter", CONFIG_NODE, 0 },
	{ "image", CONFIG_NODE, 0 }, { "replicaCount", CONFIG_NODE, 0 },
	{ "serviceAccount", CONFIG_NODE, 0 }, { "resources", CONFIG_NODE, 0 },
	{ "autoscaling", CONFIG_NODE, 0 }, { "nodeSelector", CONFIG_NODE, 0 },
	{ "tolerations", CONFIG_NODE, 0 }, { "affinity", CONFIG_NODE, 0 },
	{ "imagePullSecrets", CONFIG_NODE, 0 }, { "nameOverride", CONFIG_NODE, 0 },
	{ "fullnameOverride", CONFIG_NODE, 0 }, { "podAnnotations", CONFIG_NODE, 0 },
	{ "podSecurityContext", CONFIG_NODE, 0 }, { "securityContext", CONFIG_NODE, 0 },
	{ NULL } };

void
import_values_read(struct import_plan *plan, const struct config *config)
{
	const struct config_node *root = config_next_document(config, NULL),
				 *values = config_get(root, "eventrouter");
	char bind[64];

	read_source(plan, values);
	read_backend(plan, values);
	import_plan_says(plan, config_get(values, "config"),
		"has no counterpart: --log-level and --log-format, or the block log");
	import_plan_says(plan, config_get(values, "metrics"),
		"becomes metricsProvider.default.bindAddress");
	snprintf(bind, sizeof(bind), "0.0.0.0:%.10s", value_of(values, "metrics", "port"));
	import_plan_metrics(plan, bind, &(struct import_login){ NULL, NULL, NULL });
	import_plan_rest(plan, values, router_rows);
	for (const struct config_field *row = chart_rows + 1; row->key != NULL; row++)
		import_plan_says(plan, config_get(root, row->key),
			"has no counterpart here: docs/kubernetes.md has the manifests");
	import_plan_rest(plan, root, chart_rows);
	plan->from_router = true;
}
