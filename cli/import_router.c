// SPDX-License-Identifier: Apache-2.0
/*
 * The event router's configuration of 0.3 and 0.4:
 * [{"type", "provider", "address", "auth": {"method", "secret"}, "options"}]
 */
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

/* ---- the keys of an entry, of its auth and of its options; only `key` counts */

static const struct config_field entry_rows[] = { { "type", CONFIG_STRING, 0 },
	{ "provider", CONFIG_STRING, 0 }, { "address", CONFIG_STRING, 0 },
	{ "auth", CONFIG_NODE, 0 }, { "options", CONFIG_NODE, 0 }, { NULL } };
static const struct config_field auth_rows[] = { { "method", CONFIG_STRING, 0 },
	{ "secret", CONFIG_NODE, 0 }, { NULL } };
static const struct config_field stream_rows[] = { { "insecure", CONFIG_STRING, 0 }, { NULL } };
static const struct config_field openfaas_rows[] = { { "async", CONFIG_STRING, 0 }, { NULL } };
static const struct config_field eventbridge_rows[] = { { "aws_region", CONFIG_STRING, 0 },
	{ "aws_eventbridge_event_bus", CONFIG_STRING, 0 },
	{ "aws_eventbridge_rule_arn", CONFIG_STRING, 0 }, { NULL } };
static const struct config_field no_rows[] = { { NULL } };

static bool
has(struct import_plan *plan, const struct config_node *node, const char *key)
{
	if (text_at(node, key) != NULL && *text_at(node, key) != '\0')
		return true;
	config_error(&plan->errors, node, "%s is missing", key);
	return false;
}

/* ---- entries */

static void
read_stream(struct import_plan *plan, const struct config_node *entry)
{
	const struct config_node *secret = config_get(config_get(entry, "auth"), "secret"),
				 *insecure = config_get(
					 config_get(entry, "options"), "insecure");

	if (!has(plan, entry, "address"))
		return;
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

	if (!has(plan, entry, "address"))
		return;
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

	if (!has(plan, options, "aws_region") ||
		!has(plan, options, "aws_eventbridge_rule_arn") ||
		!has(plan, secret, "aws_access_key_id"))
		return;
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
	const struct config_field *options;
	void (*read)(struct import_plan *plan, const struct config_node *entry);
} readers[] = {
	{ "stream", "vmware_vcenter", stream_rows, read_stream },
	{ "processor", "openfaas", openfaas_rows, read_openfaas },
	{ "processor", "aws_event_bridge", eventbridge_rows, read_eventbridge },
	{ "metrics", "internal", no_rows, read_metrics },
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
		if (k == n) {
			config_error(&plan->errors, entry,
				"type \"%.32s\" with provider \"%.32s\" is unknown",
				type != NULL ? type : "", provider != NULL ? provider : "");
			continue;
		}
		readers[k].read(plan, entry);
		import_plan_rest(plan, entry, entry_rows);
		import_plan_rest(plan, config_get(entry, "auth"), auth_rows);
		import_plan_rest(plan, config_get(entry, "options"), readers[k].options);
	}
	plan->from_router = true;
}
