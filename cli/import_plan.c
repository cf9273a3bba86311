// SPDX-License-Identifier: Apache-2.0
#include "import_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_yaml.h"
#include "mem.h"

enum { LINE_MAX_BYTES = 1000 };

void
import_plan_init(struct import_plan *plan, const char *secrets, const char *functions)
{
	*plan = (struct import_plan){ .secrets = secrets, .functions = functions };
	buf_init(&plan->sources, IMPORT_TEXT_MAX);
	buf_init(&plan->metrics, IMPORT_TEXT_MAX);
	buf_init(&plan->report, IMPORT_TEXT_MAX);
	config_errors_init(&plan->errors);
	config_errors_init(&plan->scratch);
}

void
import_plan_free(struct import_plan *plan)
{
	for (size_t i = 0; i < plan->n_secrets; i++) {
		free(plan->secret[i].name);
		mem_free_secret(plan->secret[i].value);
	}
	for (size_t i = 0; i < plan->n_names; i++)
		free(plan->name[i]);
	for (size_t i = 0; i < plan->n_backends; i++) {
		free(plan->backend[i].block);
		buf_free(&plan->backend[i].sources);
	}
	buf_free(&plan->sources);
	buf_free(&plan->metrics);
	buf_free(&plan->report);
	config_errors_free(&plan->errors);
	config_errors_free(&plan->scratch);
}

void
import_plan_says(struct import_plan *plan, const struct config_node *node, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (node == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	config_warning(&plan->scratch, node, "%s", text);
	buf_add_str(&plan->report, buf_str(&plan->scratch.warnings));
	buf_clear(&plan->scratch.warnings);
	plan->scratch.n_warnings = 0;
}

void
import_plan_rest(struct import_plan *plan, const struct config_node *map,
	const struct config_field *known)
{
	if (config_length(map) == 0 || config_item(map, 0) != NULL)
		return;
	config_check_keys(map, known, &plan->scratch);
	buf_add_str(&plan->report, buf_str(&plan->scratch.text));
	buf_clear(&plan->scratch.text);
	plan->scratch.n = 0;
}

/* A name that no other entry has: "vcenter", "vcenter-2". */
static const char *
new_name(struct import_plan *plan, const char *wanted)
{
	char name[300];
	bool taken = true;

	for (int n = 1; taken; n++) {
		snprintf(name, sizeof(name), n == 1 ? "%.250s" : "%.250s-%d", wanted, n);
		taken = false;
		for (size_t i = 0; i < plan->n_names && !taken; i++)
			taken = strcmp(plan->name[i], name) == 0;
	}
	plan->name[plan->n_names] = mem_strdup(name);
	return plan->name[plan->n_names++];
}

/* The file of a secret: "password" -> passwordFile: '.../vcenter'. */
static void
add_secret(struct import_plan *plan, struct buf *out, const char *key, const char *name,
	const char *value)
{
	char path[1000];

	snprintf(path, sizeof(path), "%s/%s",
		plan->secrets != NULL ? plan->secrets : "/etc/vcourier/secrets", name);
	import_yaml_value(out, key, path);
	if (value == NULL || plan->n_secrets == IMPORT_SECRETS_MAX)
		return;
	plan->secret[plan->n_secrets++] = (struct import_secret){ .name = mem_strdup(name),
		.value = mem_strdup(value) };
}

/* A text that is not known is a variable, which `vcourier check` names until it is set. */
static void
add_known(struct buf *out, const char *before, const char *text, const char *variable)
{
	if (text != NULL)
		import_yaml_value(out, before, text);
	else
		buf_printf(out, "%s${%s}\n", before, variable);
}

static void
add_basic_auth(struct import_plan *plan, struct buf *out, const char *name,
	const struct import_login *login)
{
	buf_add_str(out, "      auth:\n        type: basic_auth\n        basicAuth:\n");
	add_known(out, "          username: ", login->user, "VCENTER_USERNAME");
	add_secret(plan, out, "          passwordFile: ", name, login->password);
}

/* ---- sources */

static void
add_horizon_auth(struct import_plan *plan, const char *name, const struct import_login *login)
{
	struct buf *out = &plan->sources;

	buf_add_str(out,
		"      auth:\n        type: active_directory\n        activeDirectoryAuth:\n");
	add_known(out, "          domain: ", login->domain, "HORIZON_DOMAIN");
	add_known(out, "          username: ", login->user, "HORIZON_USERNAME");
	add_secret(plan, out, "          passwordFile: ", name, login->password);
}

/* The files webhook.crt and webhook.key, for a webhook that is named so. */
static void
add_certificate(struct import_plan *plan, const char *name, const struct import_source *source)
{
	char file[300];

	if (source->certificate == NULL || source->key == NULL)
		return;
	snprintf(file, sizeof(file), "%s.crt", name);
	add_secret(plan, &plan->sources, "      certFile: ", file, source->certificate);
	snprintf(file, sizeof(file), "%s.key", name);
	add_secret(plan, &plan->sources, "      keyFile: ", file, source->key);
}

const char *
import_plan_source(struct import_plan *plan, const struct import_source *source)
{
	struct buf *out = &plan->sources;
	const char *name;

	if (plan->n_sources == IMPORT_ENTRIES_MAX)
		return NULL;
	name = new_name(plan, source->name);
	plan->n_sources++;
	buf_printf(out, "  - type: %s\n", source->type);
	import_yaml_value(out, "    name: ", name);
	buf_printf(out, "    %s:\n", source->type);
	if (strcmp(source->type, "webhook") == 0) {
		buf_printf(out, "      bindAddress: 0.0.0.0:%s\n", source->address);
		if (source->path != NULL)
			import_yaml_value(out, "      path: ", source->path);
		add_certificate(plan, name, source);
		if (source->login.user != NULL)
			add_basic_auth(plan, out, name, &source->login);
		return name;
	}
	import_yaml_value(
		out, "      address: ", source->address != NULL ? source->address : "");
	if (source->insecure)
		buf_add_str(out, "      insecureSSL: true\n");
	if (strcmp(source->type, "horizon") == 0)
		add_horizon_auth(plan, name, &source->login);
	else
		add_basic_auth(plan, out, name, &source->login);
	return name;
}

/* ---- backends */

/*
 * source: one that goes to this backend. Sources whose backends are the same share one entry.
 */
static void
add_backend(struct import_plan *plan, const char *type, const char *wanted, struct buf *block,
	const char *source)
{
	struct import_backend *b;
	size_t i = 0;

	while (i < plan->n_backends && strcmp(plan->backend[i].block, buf_str(block)) != 0)
		i++;
	if (i == IMPORT_ENTRIES_MAX)
		return;
	b = &plan->backend[i];
	if (i == plan->n_backends) {
		*b = (struct import_backend){ .type = type,
			.name = new_name(plan, wanted),
			.block = mem_strdup(buf_str(block)) };
		buf_init(&b->sources, IMPORT_TEXT_MAX);
		plan->n_backends++;
	}
	b->n_sources++;
	if (source == NULL) {
		b->all = true;
		return;
	}
	buf_add_str(&b->sources, b->sources.len > 0 ? ", " : "");
	import_yaml_quoted(&b->sources, source);
}

static void
plan_functions(struct import_plan *plan, const char *source)
{
	struct buf block;

	buf_init(&block, IMPORT_TEXT_MAX);
	buf_add_str(&block, "    functions:\n");
	import_yaml_value(&block, "      directory: ", plan->functions);
	add_backend(plan, "functions", "functions", &block, source);
	buf_free(&block);
}

void
import_plan_knative(struct import_plan *plan, const struct import_knative *k)
{
	struct buf block;

	if (plan->functions != NULL) {
		plan_functions(plan, k->source);
		return;
	}
	buf_init(&block, IMPORT_TEXT_MAX);
	buf_printf(&block, "    knative:\n      encoding: %s\n      typeStyle: %s\n",
		k->encoding != NULL && strcmp(k->encoding, "structured") == 0 ? "structured"
									      : "binary",
		k->type_style);
	if (k->insecure)
		buf_add_str(&block, "      insecureSSL: true\n");
	if (k->extensions != NULL)
		buf_add_str(&block, "      ceOverrides:\n        extensions:\n");
	for (char **e = k->extensions; e != NULL && *e != NULL; e += 2) {
		buf_add_str(&block, "          ");
		import_yaml_quoted(&block, e[0]);
		import_yaml_value(&block, ": ", e[1]);
	}
	buf_add_str(&block, "      destination:\n");
	if (k->uri != NULL)
		import_yaml_value(&block, "        uri: ", k->uri);
	if (k->ca_certs != NULL)
		import_yaml_lines(&block, "        CACerts: ", k->ca_certs);
	if (k->audience != NULL)
		import_yaml_value(&block, "        audience: ", k->audience);
	if (k->name != NULL) {
		buf_add_str(&block, "        ref:\n");
		import_yaml_value(&block, "          apiVersion: ", k->api_version);
		import_yaml_value(&block, "          kind: ", k->kind);
		import_yaml_value(&block, "          name: ", k->name);
		import_yaml_value(&block, "          namespace: ", k->namespace);
	}
	plan->too_large |= !buf_ok(&block); /* CACerts may be large */
	add_backend(plan, "knative", "knative", &block, k->source);
	buf_free(&block);
}

void
import_plan_openfaas(struct import_plan *plan, const struct import_openfaas *o)
{
	struct buf block;

	buf_init(&block, IMPORT_TEXT_MAX);
	buf_add_str(&block, "    openfaas:\n");
	import_yaml_value(&block, "      address: ", o->address != NULL ? o->address : "");
	if (o->async)
		buf_add_str(&block, "      async: true\n");
	if (o->login.user != NULL)
		add_basic_auth(plan, &block, "openfaas", &o->login);
	add_backend(plan, "openfaas", "openfaas", &block, NULL);
	buf_free(&block);
}

void
import_plan_eventbridge(struct import_plan *plan, const struct import_eventbridge *e)
{
	struct buf block;

	buf_init(&block, IMPORT_TEXT_MAX);
	buf_add_str(&block, "    awsEventBridge:\n");
	import_yaml_value(&block, "      region: ", e->region != NULL ? e->region : "");
	import_yaml_value(&block, "      eventBus: ", e->bus != NULL ? e->bus : "default");
	import_yaml_value(&block, "      ruleARN: ", e->rule != NULL ? e->rule : "");
	buf_add_str(&block,
		"      auth:\n        type: aws_access_key\n        awsAccessKeyAuth:\n");
	import_yaml_value(
		&block, "          accessKey: ", e->access_key != NULL ? e->access_key : "");
	add_secret(plan, &block, "          secretKeyFile: ", "eventbridge", e->secret_key);
	add_backend(plan, "aws_event_bridge", "eventbridge", &block, NULL);
	buf_free(&block);
}

void
import_plan_metrics(
	struct import_plan *plan, const char *bind, const struct import_login *login)
{
	if (plan->metrics.len > 0 || bind == NULL)
		return;
	buf_add_str(&plan->metrics, "metricsProvider:\n  type: default\n  default:\n");
	import_yaml_value(&plan->metrics, "    bindAddress: ", bind);
	if (login->user == NULL)
		return;
	buf_add_str(&plan->metrics, "    auth:\n      type: basic_auth\n      basicAuth:\n");
	import_yaml_value(&plan->metrics, "        username: ", login->user);
	add_secret(plan, &plan->metrics, "        passwordFile: ", "metrics", login->password);
}

/* ---- results */

/* A source has one sink: a backend gets the events of its own sources only. */
static void
write_backend(const struct import_plan *plan, const struct import_backend *b, struct buf *out)
{
	buf_printf(out, "  - type: %s\n", b->type);
	import_yaml_value(out, "    name: ", b->name);
	if (!b->all && b->n_sources < plan->n_sources)
		buf_printf(out, "    vcenters: [%s]\n", buf_str(&b->sources));
	buf_add_str(out, b->block);
}

int
import_plan_write(const struct import_plan *plan, struct buf *out, struct err *err)
{
	if (plan->n_sources == 0)
		return err_set(err, ERR_CONFIG,
			"none of the files names a source of events (a vCenter, a Horizon server, a webhook)");
	buf_add_str(out,
		"# Written by `vcourier import`. docs/configuration.md has all options.\n"
		"apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\n"
		"metadata:\n  name: imported\n"
		"bus:\n  urls: ['nats://127.0.0.1:4222']\n"
		"eventProviders:\n");
	buf_add(out, buf_str(&plan->sources), plan->sources.len);
	if (plan->n_backends > 0)
		buf_add_str(out, "eventProcessors:\n");
	for (size_t i = 0; i < plan->n_backends; i++)
		write_backend(plan, &plan->backend[i], out);
	buf_add(out, buf_str(&plan->metrics), plan->metrics.len);
	if (plan->too_large || !buf_ok(&plan->sources) || !buf_ok(out))
		return err_set(err, ERR_LIMIT, "the configuration is larger than 8 MiB");
	return 0;
}
