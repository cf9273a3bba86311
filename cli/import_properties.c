// SPDX-License-Identifier: Apache-2.0
/* What the OVF properties of VEBA's appliance become. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base64.h"
#include "import_read.h"
#include "mem.h"
#include "ovf_properties.h"
#include "text.h"

#define get ovf_properties_get

/* "https://HOST" and a path; the property is a host, or somebody wrote a URL there. */
static const char *
url_of(const char *server, const char *path, char url[1200])
{
	if (strstr(server, "://") != NULL)
		snprintf(url, 1200, "%.1000s", server);
	else
		snprintf(url, 1200, "https://%.1000s%.100s", server, path);
	return url;
}

/* A file that is there in base64; NULL: not given, or no base64. Free it as a secret. */
static char *
file_of(struct import_plan *plan, const struct ovf_properties *list, const char *key)
{
	const char *text = get(list, key);
	struct buf out;

	if (text == NULL)
		return NULL;
	buf_init(&out, OVF_VALUE_MAX);
	if (base64_decode(&out, text, strlen(text)) && out.len > 0)
		return buf_take(&out, NULL);
	buf_free(&out);
	buf_printf(&plan->report, "note: guestinfo.%s is not base64: it is left out\n", key);
	return NULL;
}

static void
add_webhook(struct import_plan *plan, const struct ovf_properties *list)
{
	char *certificate = file_of(plan, list, "custom_tls_ca_cert"),
	     *key = file_of(plan, list, "custom_tls_private_key");

	import_plan_source(plan,
		&(struct import_source){ .type = "webhook",
			.name = "webhook",
			.address = "8080",
			.login = { get(list, "webhook_username"), get(list, "webhook_password"),
				NULL },
			.certificate = certificate,
			.key = key });
	buf_printf(&plan->report,
		"note: the senders of the webhook used https://%.200s/webhook: now %s://HOST:8080/webhook\n",
		get(list, "hostname") != NULL ? get(list, "hostname") : "APPLIANCE",
		certificate != NULL && key != NULL ? "https" : "http");
	mem_free_secret(certificate);
	mem_free_secret(key);
}

static void
add_sources(struct import_plan *plan, const struct ovf_properties *list)
{
	const char *server = get(list, "vcenter_server");
	char url[1200];

	if (server != NULL) {
		import_plan_source(plan,
			&(struct import_source){ .type = "vcenter",
				.name = "vcenter",
				.address = url_of(server, "/sdk", url),
				.login = { get(list, "vcenter_username"),
					get(list, "vcenter_password"), NULL },
				.insecure = import_router_true(
					get(list, "vcenter_disable_tls_verification")) });
	}
	server = get(list, "horizon_server");
	if (import_router_true(get(list, "horizon")) && server == NULL) {
		plan->errors.n++;
		buf_add_str(&plan->errors.text,
			"guestinfo.horizon is True, and guestinfo.horizon_server is missing\n");
	} else if (import_router_true(get(list, "horizon"))) {
		plan->from_horizon = true;
		import_plan_source(plan,
			&(struct import_source){ .type = "horizon",
				.name = "horizon",
				.address = url_of(server, "", url),
				.login = { get(list, "horizon_username"),
					get(list, "horizon_password"),
					get(list, "horizon_domain") },
				.insecure = import_router_true(
					get(list, "horizon_disable_tls_verification")) });
	}
	if (import_router_true(get(list, "webhook")))
		add_webhook(plan, list);
}

/* 0.7 had a choice; 0.8 always sends to the broker of vmware-functions. */
static void
add_backend(struct import_plan *plan, const struct ovf_properties *list)
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

/* "horizon" and "webhook" are properties that switch on what begins with their name. */
static bool
is_off(const struct ovf_properties *list, const char *prefix)
{
	return (strcmp(prefix, "horizon") == 0 || strcmp(prefix, "webhook") == 0) &&
		!import_router_true(get(list, prefix));
}

static void
report(struct import_plan *plan, const char *file, const struct ovf_properties *list)
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
		{ "proxy_", "belongs in the URL of the proxy: http://USER:PASSWORD@HOST:PORT" },
		{ "no_proxy", "set NO_PROXY for the processes" },
		{ "custom_tls_",
			"becomes certFile and keyFile of the webhook, if that is used" },
		{ "endpoint_", "has no counterpart: the console has users of its own" },
		{ "syslog_", "has no counterpart: the logs are in the journal" },
		{ "", "is about the machine: it has no counterpart in this file" },
	};

	for (size_t i = 0; i < list->n; i++) {
		const struct ovf_property *p = &list->property[i];
		size_t k = 0;

		while (!text_starts(p->key, rows[k].prefix))
			k++;
		if (*p->value != '\0')
			buf_printf(&plan->report, "%s:%d: guestinfo.%.64s: %s\n", file, p->line,
				p->key,
				is_off(list, rows[k].prefix) ? "is not used: it is switched off"
							     : rows[k].says);
		if (p->has_variable)
			buf_printf(&plan->report,
				"%s:%d: guestinfo.%.64s: a variable of the shell is in it, whose value is not in the file\n",
				file, p->line, p->key);
	}
}

void
import_properties_read(struct import_plan *plan, const char *file, const char *text)
{
	struct ovf_properties *list = mem_alloc(sizeof(*list));

	ovf_properties_read(list, text);
	report(plan, file, list);
	add_sources(plan, list);
	add_backend(plan, list);
	if (get(list, "event_processor_type") == NULL)
		plan->from_tanzu = true;
	else
		plan->from_router = true;
	ovf_properties_free(list);
	free(list);
}
