// SPDX-License-Identifier: Apache-2.0
/* The event router's older configurations: JSON of 0.3 and 0.4, values of its Helm chart. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import_read.h"

static const char *
text_at(const struct config_node *node, const char *key)
{
	return config_text(config_get(node, key));
}

bool
import_router_true(const char *text)
{
	return text != NULL && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* ---- JSON: [{"type", "provider", "address", "auth": {"method", "secret"}, "options"}] */

static void
read_stream(struct import_plan *plan, const struct config_node *entry)
{
	const struct config_node *secret = config_get(config_get(entry, "auth"), "secret"),
				 *insecure = config_get(
					 config_get(entry, "options"), "insecure");

	import_plan_says(plan, entry, "becomes eventProvider.vcenter");
	import_plan_says(plan, config_get(entry, "address"), "becomes vcenter.address");
	import_plan_says(
		plan, secret, "becomes vcenter.auth, with the password in passwordFile");
	import_plan_says(plan, insecure, "becomes vcenter.insecureSSL");
	import_plan_source(plan,
		&(struct import_source){ .type = "vcenter",
			.name = "vcenter",
			.address = text_at(entry, "address"),
			.login = { text_at(secret, "username"), text_at(secret, "password"),
				NULL },
			.insecure = import_router_true(config_text(insecure)) });
}

static void
read_openfaas(struct import_plan *plan, const struct config_node *entry)
{
	const struct config_node *secret = config_get(config_get(entry, "auth"), "secret"),
				 *async = config_get(config_get(entry, "options"), "async");

	import_plan_says(plan, entry, "becomes eventProcessor.openfaas");
	import_plan_says(plan, config_get(entry, "address"), "becomes openfaas.address");
	import_plan_says(
		plan, secret, "becomes openfaas.auth, with the password in passwordFile");
	import_plan_says(plan, async, "becomes openfaas.async");
	import_plan_openfaas(plan,
		&(struct import_openfaas){ .address = text_at(entry, "address"),
			.async = import_router_true(config_text(async)),
			.login = { text_at(secret, "username"), text_at(secret, "password"),
				NULL } });
}

static void
read_eventbridge(struct import_plan *plan, const struct config_node *entry)
{
	const struct config_node *secret = config_get(config_get(entry, "auth"), "secret"),
				 *options = config_get(entry, "options");

	import_plan_says(plan, entry, "becomes eventProcessor.awsEventBridge");
	import_plan_says(plan, secret,
		"becomes awsEventBridge.auth, with the secret key in secretKeyFile");
	import_plan_says(plan, options, "becomes awsEventBridge.region, eventBus and ruleARN");
	import_plan_eventbridge(plan,
		&(struct import_eventbridge){ .region = text_at(options, "aws_region"),
			.bus = text_at(options, "aws_eventbridge_event_bus"),
			.rule = text_at(options, "aws_eventbridge_rule_arn"),
			.access_key = text_at(secret, "aws_access_key_id"),
			.secret_key = text_at(secret, "aws_secret_access_key") });
}

static void
read_metrics(struct import_plan *plan, const struct config_node *entry)
{
	const struct config_node *auth = config_get(entry, "auth"),
				 *secret = config_get(auth, "secret");

	import_plan_says(plan, entry, "becomes metricsProvider.default");
	import_plan_metrics(plan, text_at(entry, "address"),
		&(struct import_login){
			text_at(secret, "username"), text_at(secret, "password"), NULL });
}

static const struct {
	const char *type, *provider;
	void (*read)(struct import_plan *plan, const struct config_node *entry);
} readers[] = {
	{ "stream", "vmware_vcenter", read_stream },
	{ "processor", "openfaas", read_openfaas },
	{ "processor", "aws_event_bridge", read_eventbridge },
	{ "metrics", "internal", read_metrics },
};

void
import_router_read(struct import_plan *plan, const struct config *config)
{
	const struct config_node *root = config_next_document(config, NULL), *entry;

	for (size_t i = 0; i < IMPORT_ENTRIES_MAX && (entry = config_item(root, i)) != NULL;
		i++) {
		const char *type = text_at(entry, "type"),
			   *provider = text_at(entry, "provider");
		size_t k = 0, n = sizeof(readers) / sizeof(readers[0]);

		while (k < n &&
			(type == NULL || provider == NULL ||
				strcmp(type, readers[k].type) != 0 ||
				strcmp(provider, readers[k].provider) != 0))
			k++;
		if (k < n)
			readers[k].read(plan, entry);
		else
			config_error(&plan->errors, entry,
				"type \"%.32s\" with provider \"%.32s\" is unknown",
				type != NULL ? type : "", provider != NULL ? provider : "");
	}
	plan->from_router = true;
}

/* ---- values of the Helm chart: all of them are below `eventrouter` */

static void
values_source(struct import_plan *plan, const struct config_node *values)
{
	const char *type = text_at(values, "eventProvider");
	const struct config_node *block = config_get(values, type);
	struct import_source source = { .type = type,
		.name = type,
		.address = text_at(block, "address"),
		.path = text_at(block, "path"),
		.login = { text_at(block, "username"), text_at(block, "password"),
			text_at(block, "domain") },
		.insecure = import_router_true(text_at(block, "insecure")) };

	if (strcmp(type, "vcenter") != 0 && strcmp(type, "webhook") != 0 &&
		strcmp(type, "horizon") != 0) {
		config_error(&plan->errors, config_get(values, "eventProvider"),
			"unknown: vcenter, webhook or horizon is expected");
		return;
	}
	if (block == NULL) {
		config_error(&plan->errors, values, "the block %s is missing", type);
		return;
	}
	if (strcmp(type, "webhook") == 0)
		source.address = text_at(block, "port") != NULL ? text_at(block, "port")
								: "8080";
	import_plan_says(plan, block, "becomes eventProvider.%s%s", type,
		source.login.password != NULL ? ", with the password in passwordFile" : "");
	import_plan_source(plan, &source);
}

static void
values_knative(struct import_plan *plan, const struct config_node *block)
{
	const struct config_node *destination = config_get(block, "destination"),
				 *ref = config_get(destination, "ref"),
				 *uri = config_get(destination, "uri");
	char url[2048];
	struct import_knative k = { .api_version = text_at(ref, "apiVersion"),
		.kind = text_at(ref, "kind"),
		.name = text_at(ref, "name"),
		.namespace = text_at(ref, "namespace"),
		.encoding = text_at(block, "encoding"),
		.type_style = "router",
		.insecure = import_router_true(text_at(block, "insecureSSL")) };

	if (text_at(uri, "host") != NULL) {
		snprintf(url, sizeof(url), "%s://%s%s%s",
			text_at(uri, "scheme") != NULL ? text_at(uri, "scheme") : "http",
			text_at(uri, "host"),
			text_at(uri, "path") != NULL && *text_at(uri, "path") != '/' ? "/" : "",
			text_at(uri, "path") != NULL ? text_at(uri, "path") : "");
		k.uri = url;
	} else if (config_text(uri) != NULL) {
		k.uri = config_text(uri);
	}
	if (k.uri == NULL &&
		(k.api_version == NULL || k.kind == NULL || k.name == NULL ||
			k.namespace == NULL)) {
		config_error(&plan->errors, block,
			"destination has neither a complete ref nor a uri");
		return;
	}
	import_plan_knative(plan, &k);
}

static void
values_backend(struct import_plan *plan, const struct config_node *values)
{
	const char *type = text_at(values, "eventProcessor");
	const struct config_node *block = type != NULL ? config_get(values, type) : NULL;
	bool auth = import_router_true(text_at(block, "basicAuth"));

	if (block == NULL || (strcmp(type, "knative") != 0 && strcmp(type, "openfaas") != 0)) {
		config_error(&plan->errors, values,
			"eventProcessor must be openfaas or knative, with its block");
		return;
	}
	import_plan_says(plan, block, "becomes eventProcessor.%s", type);
	if (strcmp(type, "knative") == 0)
		values_knative(plan, block);
	else
		import_plan_openfaas(plan,
			&(struct import_openfaas){ .address = text_at(block, "address"),
				.async = import_router_true(text_at(block, "async")),
				.login = { auth ? text_at(block, "username") : NULL,
					auth ? text_at(block, "password") : NULL, NULL } });
}

void
import_values_read(struct import_plan *plan, const struct config *config)
{
	static const char *const without[] = { "image", "replicaCount", "serviceAccount",
		"resources", "autoscaling", "nodeSelector", "tolerations", "affinity" };
	const struct config_node *root = config_next_document(config, NULL),
				 *values = config_get(root, "eventrouter"),
				 *metrics = config_get(values, "metrics");
	char bind[64];

	values_source(plan, values);
	values_backend(plan, values);
	import_plan_says(plan, config_get(values, "config"),
		"has no counterpart: --log-level and --log-format, or the block log");
	if (text_at(metrics, "port") != NULL) {
		snprintf(bind, sizeof(bind), "0.0.0.0:%.10s", text_at(metrics, "port"));
		import_plan_says(plan, metrics, "becomes metricsProvider.default.bindAddress");
		import_plan_metrics(plan, bind, &(struct import_login){ NULL, NULL, NULL });
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		import_plan_says(plan, config_get(root, without[i]),
			"has no counterpart here: docs/kubernetes.md has the manifests");
	plan->from_router = true;
}
