// SPDX-License-Identifier: Apache-2.0
#include "function_manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function_documents.h"
#include "http.h"
#include "mem.h"
#include "text.h"

enum { URL_MAX = 2048, DEFAULT_PORT = 8080 }; /* Knative's default for $PORT */

/* ---- addresses */

/* "http://{name}:{port}/" for one Service; -1: an unknown placeholder. */
static int
expand(const char *template, const char *name, int port, struct buf *out)
{
	for (const char *s = template; *s != '\0'; s++) {
		if (text_starts(s, "{name}")) {
			buf_add_str(out, name);
			s += strlen("{name}") - 1;
		} else if (text_starts(s, "{port}")) {
			buf_printf(out, "%d", port);
			s += strlen("{port}") - 1;
		} else if (*s == '{' || *s == '}') {
			return -1;
		} else {
			buf_add_char(out, *s);
		}
	}
	return buf_ok(out) ? 0 : -1;
}

int
function_manifest_check_url(const char *service_url, struct err *err)
{
	struct buf url, host;
	int rc = 0;

	buf_init(&url, URL_MAX);
	buf_init(&host, URL_MAX);
	if (expand(service_url, "name", DEFAULT_PORT, &url) != 0)
		rc = err_set(err, ERR_CONFIG,
			"serviceURL: only {name} and {port} are replaced in it");
	else if ((!text_starts(buf_str(&url), "http://") &&
			 !text_starts(buf_str(&url), "https://")) ||
		!http_url_host(buf_str(&url), &host))
		rc = err_set(
			err, ERR_CONFIG, "serviceURL must give http:// or https:// and a host");
	buf_free(&url);
	buf_free(&host);
	return rc;
}

/* The port of the named Service; false: the file has Services, but not this one. */
static bool
find_port(const struct function_documents *d, const char *name, int *port)
{
	*port = DEFAULT_PORT;
	for (size_t i = 0; i < d->n_services; i++)
		if (strcmp(d->service[i].name, name) == 0) {
			*port = d->service[i].port;
			return true;
		}
	return d->n_services == 0;
}

static void
service_address(const struct function_documents *d, const struct trigger_document *t,
	const struct function_rules *rules, struct buf *out, struct config_errors *errors)
{
	struct buf base;
	int port;

	if (!find_port(d, t->spec.subscriber.ref.name, &port)) {
		config_error(errors, t->node, "no Service \"%.64s\" is in this file",
			t->spec.subscriber.ref.name);
		return;
	}
	buf_init(&base, URL_MAX);
	if (d->own.url != NULL)
		buf_add_str(&base, d->own.url);
	else
		expand(rules->service_url, t->spec.subscriber.ref.name, port, &base);
	if (t->spec.subscriber.uri == NULL)
		buf_add_str(out, buf_str(&base));
	else if (!http_url_resolve(buf_str(&base), t->spec.subscriber.uri, out))
		config_error(errors, t->node, "subscriber.uri is no address");
	buf_free(&base);
}

/* ---- functions */

static enum event_type_style
style_of(const struct function_documents *d, const struct function_rules *rules,
	const struct function_filter *filter)
{
	int style = d->own.has_type_style ? d->own.type_style : rules->type_style;

	switch (style) {
	case FUNCTION_TYPE_ROUTER:
		return EVENT_TYPE_ROUTER;
	case FUNCTION_TYPE_VSPHERE:
		return EVENT_TYPE_VSPHERE;
	case FUNCTION_TYPE_VSPHERE_UNVERSIONED:
		return EVENT_TYPE_VSPHERE_UNVERSIONED;
	default:
		return function_filter_style(filter);
	}
}

/* Names are hosts, metrics labels and headers. */
static bool
is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= FUNCTION_SET_NAME_MAX && *name != '.' && *name != '-' &&
		strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
		n;
}

/* What one manifest is turned into. */
struct manifest_reading {
	const struct function_documents *documents;
	const struct function_rules *rules;
	struct function_set *set;
	const char *file;
	size_t before; /* functions of other files */
	struct config_errors *errors;
};

/* The function of this name, which is new or had a Trigger before. */
static struct function_entry *
entry_of(struct manifest_reading *r, const struct config_node *node, const char *name,
	const char *url)
{
	struct function_entry *entry;
	struct err err;

	for (size_t i = r->before; i < r->set->n; i++)
		if (strcmp(r->set->entry[i]->name, name) == 0) {
			if (strcmp(r->set->entry[i]->url, url) == 0)
				return r->set->entry[i];
			config_error(r->errors, node,
				"function %.64s has another address in an earlier Trigger",
				name);
			return NULL;
		}
	entry = function_entry_new(name, url, r->file);
	entry->structured = r->documents->own.has_encoding ? r->documents->own.encoding == 1
							   : r->rules->structured;
	if (function_set_add(r->set, entry, &err) == 0)
		return entry;
	config_error(r->errors, node, "%s", err.text);
	return NULL;
}

static void
add(struct manifest_reading *r, const struct config_node *node, const char *name,
	const char *url, struct function_filter *filter)
{
	struct function_entry *entry;

	if (!is_name(name))
		config_error(r->errors, node,
			"a function's name has letters, digits, \"-\", \".\" and \"_\"");
	else if ((entry = entry_of(r, node, name, url)) == NULL)
		;
	else if (entry->n_triggers == FUNCTION_TRIGGERS_MAX)
		config_error(r->errors, node, "more than %d Triggers of a function",
			FUNCTION_TRIGGERS_MAX);
	else {
		function_entry_add_trigger(
			entry, filter, style_of(r->documents, r->rules, filter));
		return;
	}
	function_filter_free(filter);
}

static bool
is_url(const char *text)
{
	struct buf host;
	bool ok;

	buf_init(&host, URL_MAX);
	ok = (text_starts(text, "http://") || text_starts(text, "https://")) &&
		http_url_host(text, &host);
	buf_free(&host);
	return ok;
}

static void
add_trigger(struct manifest_reading *r, const struct trigger_document *t)
{
	const struct trigger_subscriber *s = &t->spec.subscriber;
	const char *name = s->ref.name != NULL ? s->ref.name : t->name;
	size_t before = r->errors->n;
	struct function_filter *filter;
	struct buf url;

	buf_init(&url, URL_MAX);
	if (t->spec.broker != NULL && strcmp(t->spec.broker, r->rules->broker) != 0)
		config_error(r->errors, t->node,
			"the broker is \"%.64s\", not \"%.64s\" (option broker)",
			t->spec.broker, r->rules->broker);
	if (s->ref.name != NULL && (s->ref.kind == NULL || strcmp(s->ref.kind, "Service") != 0))
		config_error(r->errors, t->node, "the subscriber is no Service but \"%.64s\"",
			s->ref.kind != NULL ? s->ref.kind : "");
	else if (s->ref.name != NULL)
		service_address(r->documents, t, r->rules, &url, r->errors);
	else if (s->uri != NULL)
		buf_add_str(&url, s->uri);
	if (r->errors->n == before && !is_url(buf_str(&url)))
		config_error(r->errors, t->node,
			"the subscriber has neither a ref nor a uri with http:// or https://");
	filter = function_filter_new(
		t->spec.filter.attributes, t->spec.filters, t->node, r->errors);
	if (r->errors->n == before)
		add(r, t->node, name, buf_str(&url), filter);
	else
		function_filter_free(filter);
	buf_free(&url);
}

/* A file without a Trigger: the document of ours is the function. */
static void
add_own(struct manifest_reading *r)
{
	const struct own_document *own = &r->documents->own;
	struct function_filter *filter;
	char *stem = mem_strndup(r->file, strcspn(r->file, "."));

	if (own->url == NULL) {
		config_error(r->errors, own->node, "url is missing");
	} else if (!is_url(own->url)) {
		config_error(r->errors, own->node, "url has no host");
	} else {
		filter = function_filter_new(
			own->filter.attributes, own->filters, own->node, r->errors);
		if (filter != NULL)
			add(r, own->node, own->name != NULL ? own->name : stem, own->url,
				filter);
	}
	free(stem);
}

static void
add_functions(struct manifest_reading *r)
{
	const struct function_documents *d = r->documents;

	if (d->n_triggers == 0 && d->n_services == 0) {
		if (d->own.node != NULL)
			add_own(r);
		return;
	}
	if (d->own.node != NULL &&
		(d->own.name != NULL || d->own.has_filter || d->n_services > 1))
		config_error(r->errors, d->own.node,
			"beside a Trigger and one Service only url, typeStyle and encoding are possible");
	for (size_t i = 0; i < d->n_triggers; i++)
		add_trigger(r, &d->trigger[i]);
}

/* The first error; its path begins with the directory, which the reader knows. */
static int
first_error(const struct config_errors *errors, const char *directory, struct err *err)
{
	const char *line = buf_str(&errors->text);
	size_t skip = strlen(directory);

	if (strncmp(line, directory, skip) == 0 && line[skip] == '/')
		line += skip + 1;
	return err_set(err, ERR_CONFIG, "%.*s", (int)strcspn(line, "\n"), line);
}

void
function_manifest_add(struct function_set *set, const struct config *config, const char *file,
	const struct function_rules *rules, struct config_errors *errors)
{
	struct function_documents documents;
	struct manifest_reading r = { &documents, rules, set, file, set->n, errors };
	size_t before = errors->n;

	if (function_documents_read(&documents, config, errors) == 0)
		add_functions(&r);
	function_documents_free(&documents);
	if (errors->n > before)
		function_set_truncate(set, r.before);
}

int
function_manifest_read(struct function_set *set, const char *directory, const char *file,
	const struct function_rules *rules, struct err *err)
{
	struct config_errors errors;
	struct config *config;
	struct buf path;
	int rc = 0;

	buf_init(&path, 2 * 4096);
	buf_printf(&path, "%s/%s", directory, file);
	config_errors_init(&errors);
	if (config_load_manifest(&config, buf_str(&path), &errors) == 0) {
		function_manifest_add(set, config, file, rules, &errors);
		config_free(config);
	}
	if (errors.n > 0) {
		config_errors_sort(&errors);
		rc = first_error(&errors, directory, err);
	}
	config_errors_free(&errors);
	buf_free(&path);
	return rc;
}
