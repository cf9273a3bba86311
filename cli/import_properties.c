// SPDX-License-Identifier: Apache-2.0
/*
 * The OVF properties of the appliance: the document ovfEnv, as `vmtoolsd --cmd "info-get
 * guestinfo.ovfEnv"` prints it, or lines guestinfo.KEY=VALUE, as ovftool takes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import_read.h"
#include "mem.h"
#include "text.h"

enum { PROPERTIES_MAX = 500, VALUE_MAX = 64 * 1024 };

struct import_property {
	char *key, *value;
	int line;
};

struct import_properties {
	struct import_property property[PROPERTIES_MAX];
	size_t n;
};

/* ---- reading */

/* &amp; and the other four of XML, and &#NN; of ASCII. */
static void
add_decoded(struct buf *out, const char *s, size_t len)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&#10;", '\n' }, { "&#13;", '\r' }, { "&#9;", '\t' },
		{ "&#34;", '"' }, { "&#38;", '&' }, { "&#39;", '\'' } };
	size_t n = sizeof(entities) / sizeof(entities[0]), i, k;

	for (i = 0; i < len; i++) {
		for (k = 0; k < n; k++)
			if (strncmp(s + i, entities[k].name, strlen(entities[k].name)) == 0)
				break;
		buf_add_char(out, k < n ? entities[k].c : s[i]);
		if (k < n)
			i += strlen(entities[k].name) - 1;
	}
}

static void
add_property(struct import_properties *list, const char *key, size_t key_len, struct buf *value,
	int line)
{
	if (list->n == PROPERTIES_MAX)
		return;
	list->property[list->n++] = (struct import_property){
		.key = mem_strndup(key, key_len),
		.value = mem_strdup(buf_str(value)),
		.line = line,
	};
}

/* <Property oe:key="guestinfo.KEY" oe:value="VALUE"/> */
static void
read_element(struct import_properties *list, const char *line, size_t len, int number)
{
	static const char key_at[] = "oe:key=\"guestinfo.", value_at[] = "oe:value=\"";
	const char *end = line + len, *key = strstr(line, key_at),
		   *value = strstr(line, value_at), *key_end, *value_end;
	struct buf text;

	if (key == NULL || value == NULL || key >= end || value >= end)
		return;
	key += strlen(key_at);
	value += strlen(value_at);
	key_end = strchr(key, '"');
	value_end = strchr(value, '"');
	if (key_end == NULL || value_end == NULL || key_end > end || value_end > end)
		return;
	buf_init(&text, VALUE_MAX);
	add_decoded(&text, value, (size_t)(value_end - value));
	add_property(list, key, (size_t)(key_end - key), &text, number);
	mem_wipe(text.data, text.len);
	buf_free(&text);
}

/* guestinfo.KEY=VALUE, also as --prop:guestinfo.KEY=VALUE, with or without quotes */
static void
read_line(struct import_properties *list, const char *line, size_t len, int number)
{
	const char *end = line + len, *equals;
	struct buf text;

	if (text_starts(line, "--prop:"))
		line += strlen("--prop:");
	if (!text_starts(line, "guestinfo."))
		return;
	line += strlen("guestinfo.");
	equals = memchr(line, '=', (size_t)(end - line));
	if (equals == NULL)
		return;
	while (end > equals + 1 && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	buf_init(&text, VALUE_MAX);
	if (end - equals > 2 && (equals[1] == '"' || equals[1] == '\'') && end[-1] == equals[1])
		buf_add(&text, equals + 2, (size_t)(end - equals) - 3);
	else
		buf_add(&text, equals + 1, (size_t)(end - equals) - 1);
	add_property(list, line, (size_t)(equals - line), &text, number);
	mem_wipe(text.data, text.len);
	buf_free(&text);
}

static void
read_text(struct import_properties *list, const char *text)
{
	int number = 1;

	for (; *text != '\0'; number++) {
		size_t len = strcspn(text, "\n");

		read_element(list, text, len, number);
		read_line(list, text, len, number);
		text += len + (text[len] == '\n');
	}
}

/* ---- what they become */

/* NULL: not given, or empty. */
static const char *
get(const struct import_properties *list, const char *key)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->property[i].key, key) == 0)
			return *list->property[i].value != '\0' ? list->property[i].value
								: NULL;
	return NULL;
}

static void
add_sources(struct import_plan *plan, const struct import_properties *list)
{
	const char *server = get(list, "vcenter_server");
	char url[600];

	if (server != NULL) {
		snprintf(url, sizeof(url), "https://%.500s/sdk", server);
		import_plan_source(plan,
			&(struct import_source){ .type = "vcenter",
				.name = "vcenter",
				.address = url,
				.login = { get(list, "vcenter_username"),
					get(list, "vcenter_password"), NULL },
				.insecure = import_router_true(
					get(list, "vcenter_disable_tls_verification")) });
	}
	if (import_router_true(get(list, "horizon"))) {
		plan->from_horizon = true;
		snprintf(url, sizeof(url), "https://%.500s",
			get(list, "horizon_server") != NULL ? get(list, "horizon_server") : "");
		import_plan_source(plan,
			&(struct import_source){ .type = "horizon",
				.name = "horizon",
				.address = url,
				.login = { get(list, "horizon_username"),
					get(list, "horizon_password"),
					get(list, "horizon_domain") },
				.insecure = import_router_true(
					get(list, "horizon_disable_tls_verification")) });
	}
	if (import_router_true(get(list, "webhook")))
		import_plan_source(plan,
			&(struct import_source){ .type = "webhook",
				.name = "webhook",
				.address = "8080",
				.login = { get(list, "webhook_username"),
					get(list, "webhook_password"), NULL } });
}

/* 0.7 had a choice; 0.8 always sends to the broker of vmware-functions. */
static void
add_backend(struct import_plan *plan, const struct import_properties *list)
{
	const char *type = get(list, "event_processor_type");
	struct import_knative knative = { .api_version = "eventing.knative.dev/v1",
		.kind = "Broker",
		.name = "default",
		.namespace = "vmware-functions",
		.type_style = type == NULL ? "vsphere" : "router" };
	char url[1200];

	if (type != NULL && strstr(type, "EventBridge") != NULL) {
		import_plan_eventbridge(plan,
			&(struct import_eventbridge){ .region = get(list, "aws_eb_region"),
				.bus = get(list, "aws_eb_event_bus"),
				.rule = get(list, "aws_eb_arn"),
				.access_key = get(list, "aws_eb_access_key"),
				.secret_key = get(list, "aws_eb_access_secret") });
	} else if (type != NULL && strcasecmp(type, "OpenFaaS") == 0) {
		import_plan_openfaas(plan,
			&(struct import_openfaas){ .address = "http://gateway.openfaas:8080",
				.login = { "admin", get(list, "openfaas_password"), NULL } });
	} else {
		if (get(list, "knative_host") != NULL) {
			snprintf(url, sizeof(url), "%.10s://%.500s%s%.500s",
				get(list, "knative_scheme") != NULL
					? get(list, "knative_scheme")
					: "http",
				get(list, "knative_host"),
				get(list, "knative_path") != NULL &&
						*get(list, "knative_path") != '/'
					? "/"
					: "",
				get(list, "knative_path") != NULL ? get(list, "knative_path")
								  : "");
			knative.uri = url;
			knative.insecure = import_router_true(
				get(list, "knative_disable_tls_verification"));
		}
		import_plan_knative(plan, &knative);
	}
}

static void
report(struct import_plan *plan, const char *file, const struct import_properties *list)
{
	static const struct {
		const char *prefix, *says;
	} rows[] = {
		{ "vcenter_checkpoint", "has no counterpart: the stream is the checkpoint" },
		{ "vcenter_veba_ui", "has no counterpart: there is no plugin for vCenter" },
		{ "vcenter_", "becomes eventProvider.vcenter" },
		{ "horizon", "becomes eventProvider.horizon" },
		{ "webhook", "becomes eventProvider.webhook" },
		{ "event_processor_type", "chooses the eventProcessor" },
		{ "aws_eb_advanced", "has no counterpart" },
		{ "aws_eb_", "becomes eventProcessor.awsEventBridge" },
		{ "openfaas_", "becomes eventProcessor.openfaas" },
		{ "knative_", "becomes eventProcessor.knative.destination" },
		{ "http_proxy", "set HTTP_PROXY for the processes, or vcenter.proxy" },
		{ "https_proxy", "set HTTPS_PROXY for the processes, or vcenter.proxy" },
		{ "no_proxy", "set NO_PROXY for the processes" },
		{ "", "is about the machine: it has no counterpart in this file" },
	};

	for (size_t i = 0; i < list->n; i++) {
		const struct import_property *p = &list->property[i];
		size_t k = 0;

		while (!text_starts(p->key, rows[k].prefix))
			k++;
		if (*p->value != '\0')
			buf_printf(&plan->report, "%s:%d: guestinfo.%.64s: %s\n", file, p->line,
				p->key, rows[k].says);
	}
}

void
import_properties_read(struct import_plan *plan, const char *file, const char *text)
{
	struct import_properties *list = mem_alloc(sizeof(*list));

	read_text(list, text);
	report(plan, file, list);
	add_sources(plan, list);
	add_backend(plan, list);
	if (get(list, "event_processor_type") == NULL)
		plan->from_tanzu = true;
	else
		plan->from_router = true;
	for (size_t i = 0; i < list->n; i++) {
		free(list->property[i].key);
		mem_free_secret(list->property[i].value);
	}
	free(list);
}
