// SPDX-License-Identifier: Apache-2.0
/* vcourier subject: prints the NATS subjects that select the given events. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "command_list.h"
#include "printable.h"
#include "schema.h"
#include "session_open.h"
#include "subject.h"

#define PREFIX_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

enum {
	PARTS = 5,          /* vCenter, datacenter, cluster, severity, class */
	NAME_PARTS_MAX = 7, /* see subject_add_name */
	LISTED_MAX = 8,     /* classes in a message */
	TEXT_MAX = 16 * 1024,
};

struct subject_options {
	const char *prefix, *vcenter, *datacenter, *cluster, *eventclass;
	struct command_texts severity, event;
};

/* One subject, and what NATS cannot select: members of an event pattern. */
struct wish {
	const char *part[PARTS]; /* names; NULL: any */
	const char *name;        /* of the event; NULL: any */
	struct buf subject, by_name, by_data;
};

static const struct schema_class *
event_class(const char *name)
{
	const struct schema_class *event = schema_find("Event", 5);
	const struct schema_class *c = schema_find(name, strlen(name));

	return c != NULL && schema_is_a(c, event) ? c : NULL;
}

static bool
is_any(const char *text)
{
	return text == NULL || strcmp(text, "*") == 0 || strcmp(text, ">") == 0;
}

static bool
has_wildcard(const char *text, size_t len)
{
	return memchr(text, '*', len) != NULL || memchr(text, '>', len) != NULL;
}

static void
add_wildcard_rule(struct buf *out, const char *text)
{
	size_t len = strlen(text);
	struct buf copy;

	buf_init(&copy, TEXT_MAX);
	buf_add_str(&copy, text);
	if (len >= 2 && strcmp(text + len - 2, ".>") == 0) { /* the rest, in a pattern */
		buf_truncate(&copy, len - 1);
		buf_add_char(&copy, '*');
	}
	buf_add_str(out, "[{\"wildcard\":");
	printable_add_json_string(out, buf_str(&copy), copy.len);
	buf_add_str(out, "}]");
	buf_free(&copy);
}

/* The class of an event when its name says it: NATS then skips EventEx events. */
static const char *
class_of(const char *name)
{
	return name != NULL && event_class(name) != NULL ? "event" : "*";
}

static void
add_part(struct wish *w, size_t i)
{
	static const char *const member[PARTS] = { NULL, "Datacenter", "ComputeResource" };
	const char *text = w->part[i];

	buf_add_char(&w->subject, '.');
	if (is_any(text) || (strcmp(text, "_") == 0 && member[i] != NULL)) {
		buf_add_char(&w->subject, is_any(text) ? '*' : '_'); /* _: has none */
		return;
	}
	if (!has_wildcard(text, strlen(text))) {
		subject_add_token(&w->subject, text, strlen(text));
		return;
	}
	buf_add_char(&w->subject, '*');
	buf_printf(
		&w->by_data, "%s\"%s\":{\"Name\":", w->by_data.len > 0 ? "," : "", member[i]);
	add_wildcard_rule(&w->by_data, text);
	buf_add_char(&w->by_data, '}');
}

/* The name has a wildcard: a token for each part, up to the first that NATS cannot express. */
static void
add_name_parts(struct wish *w)
{
	const char *part = w->name;

	for (size_t n = 0;; n++) {
		size_t len = strcspn(part, ".");
		bool last = part[len] == '\0';
		bool wild = has_wildcard(part, len);

		if (last && wild && len == 1) {
			buf_add_str(&w->subject, ".>");
			return;
		}
		if ((wild && (len > 1 || *part == '>')) || (n == NAME_PARTS_MAX - 1 && !last)) {
			buf_add_str(&w->subject, ".>");
			add_wildcard_rule(&w->by_name, w->name);
			return;
		}
		buf_add_char(&w->subject, '.');
		if (wild)
			buf_add_char(&w->subject, '*');
		else
			subject_add_token(&w->subject, part, len);
		if (last)
			return;
		part += len + 1;
	}
}

/* ".*.*.>" at the end is ".>". */
static void
shorten(struct buf *subject)
{
	while (subject->len > 4 && strcmp(buf_str(subject) + subject->len - 4, ".*.>") == 0) {
		buf_truncate(subject, subject->len - 4);
		buf_add_str(subject, ".>");
	}
}

static void
build(struct wish *w, const char *prefix)
{
	buf_clear(&w->subject);
	buf_clear(&w->by_name);
	buf_clear(&w->by_data);
	buf_add_str(&w->subject, prefix);
	for (size_t i = 0; i < PARTS; i++)
		add_part(w, i);
	if (is_any(w->name)) {
		buf_add_str(&w->subject, ".>");
	} else if (has_wildcard(w->name, strlen(w->name))) {
		add_name_parts(w);
	} else {
		buf_add_char(&w->subject, '.');
		subject_add_name(&w->subject, w->name);
	}
	shorten(&w->subject);
}

/* Appends the classes with this name, or that derive from base. Returns how many. */
static size_t
add_classes(struct buf *out, const char *name, const struct schema_class *base)
{
	size_t n = 0;

	for (size_t i = 0; i < schema_n_classes; i++) {
		const struct schema_class *c = &schema_classes[i];
		const char *text = schema_class_name(c);

		if (event_class(text) == NULL || c == base)
			continue;
		if (base != NULL ? !schema_is_a(c, base) : fnmatch(name, text, 0) != 0)
			continue;
		if (n++ < LISTED_MAX)
			buf_printf(out, " --event %s", text);
	}
	return n;
}

/* NATS cannot express the wish: what comes nearest, and how to filter the events. */
static int
refuse(const struct wish *w)
{
	struct buf classes;
	size_t n = 0;

	buf_init(&classes, TEXT_MAX);
	if (w->by_name.len > 0)
		n = add_classes(&classes, w->name, NULL);
	fputs("vcourier subject: in NATS a wildcard is a whole token. ", stderr);
	if (n > 0 && n <= LISTED_MAX)
		fprintf(stderr, "Name the events:%s. Or subscribe", buf_str(&classes));
	else
		fputs("Subscribe", stderr);
	fprintf(stderr, " to %s and filter what arrives by the event pattern {",
		buf_str(&w->subject));
	if (w->by_name.len > 0)
		fprintf(stderr, "\"subject\":%s%s", buf_str(&w->by_name),
			w->by_data.len > 0 ? "," : "");
	if (w->by_data.len > 0)
		fprintf(stderr, "\"data\":{%s}", buf_str(&w->by_data));
	fputs("}\n", stderr);
	buf_free(&classes);
	return EXIT_USAGE;
}

/* Remarks on a name that is valid, but may not select what its user expects. */
static void
remark(const char *name)
{
	const struct schema_class *c = event_class(name);
	struct buf classes;
	size_t n;

	if (c == NULL && strchr(name, '.') == NULL) {
		fputs("vcourier subject: no class of vSphere events is named ", stderr);
		session_print_safe(stderr, name, 100);
		fputs("; `vcourier events` lists them\n", stderr);
	}
	if (c == NULL)
		return;
	buf_init(&classes, TEXT_MAX);
	n = add_classes(&classes, NULL, c);
	if (n > 0 && n <= LISTED_MAX)
		printable_line(stderr,
			"vcourier subject: not selected, since a class has its own name:%s",
			buf_str(&classes));
	else if (n > 0)
		printable_line(stderr,
			"vcourier subject: not selected, since a class has its own name: the %zu classes that derive from %s",
			n, name);
	buf_free(&classes);
}

/* EXIT_NOT_YET, or EXIT_USAGE after an error message. */
static int
check(const struct subject_options *o)
{
	static const char *const severities[] = { "info", "warning", "error", "user", "*" };

	if (o->prefix != NULL && o->prefix[strspn(o->prefix, PREFIX_BYTES)] != '\0')
		return command_usage_error(&subject_command, "--prefix: not a token");
	if (o->vcenter != NULL && !is_any(o->vcenter) &&
		has_wildcard(o->vcenter, strlen(o->vcenter)))
		return command_usage_error(&subject_command,
			"--vcenter: a wildcard is a whole token; give a name, or leave it out for all");
	for (size_t i = 0; i < o->severity.n; i++) {
		size_t k = 0;

		while (k < 5 && strcmp(o->severity.text[i], severities[k]) != 0)
			k++;
		if (k == 5)
			return command_usage_error(&subject_command,
				"--severity: none of info, warning, error, user");
	}
	for (size_t i = 0; i < o->event.n; i++)
		if (strlen(o->event.text[i]) > SUBJECT_ATTRIBUTE_MAX)
			return command_usage_error(&subject_command,
				"--event: longer than %d bytes", SUBJECT_ATTRIBUTE_MAX);
	return EXIT_NOT_YET;
}

/* The subjects of one name, one for each severity. */
static int
print(const struct subject_options *o, struct wish *w)
{
	w->part[4] = o->eventclass != NULL ? o->eventclass : class_of(w->name);
	for (size_t i = 0; i == 0 || i < o->severity.n; i++) {
		w->part[3] = o->severity.n > 0 ? o->severity.text[i] : NULL;
		build(w, o->prefix != NULL ? o->prefix : "vc");
		if (w->by_name.len > 0 || w->by_data.len > 0)
			return refuse(w);
		puts(buf_str(&w->subject));
	}
	return 0;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct subject_options *o = values;
	struct wish w = { .part = { o->vcenter, o->datacenter, o->cluster } };
	int rc = check(o);

	(void)args;
	(void)n_args;
	if (rc != EXIT_NOT_YET)
		return rc;
	buf_init(&w.subject, TEXT_MAX);
	buf_init(&w.by_name, TEXT_MAX);
	buf_init(&w.by_data, TEXT_MAX);
	rc = 0;
	for (size_t i = 0; rc == 0 && (i == 0 || i < o->event.n); i++) {
		w.name = o->event.n > 0 ? o->event.text[i] : NULL;
		rc = print(o, &w);
		if (rc == 0 && o->eventclass == NULL && !is_any(w.name) &&
			!has_wildcard(w.name, strlen(w.name)))
			remark(w.name);
	}
	buf_free(&w.subject);
	buf_free(&w.by_name);
	buf_free(&w.by_data);
	return rc;
}

#define AT(member) offsetof(struct subject_options, member)

static const char *const classes[] = { "event", "eventex", "extendedevent", "vcourier", NULL };

static const struct command_option options[] = {
	{ "vcenter", 0, COMMAND_TEXT, AT(vcenter), "NAME", NULL, 0,
		"eventProvider.name of the vCenter; default: all" },
	{ "datacenter", 0, COMMAND_TEXT, AT(datacenter), "NAME", NULL, 0,
		"its name in vCenter; _ for events without a datacenter" },
	{ "cluster", 0, COMMAND_TEXT, AT(cluster), "NAME", NULL, 0,
		"its name in vCenter; _ for events without a cluster" },
	{ "severity", 0, COMMAND_TEXTS, AT(severity), "SEVERITY", NULL, 0,
		"info, warning, error or user; may be repeated" },
	{ "class", 0, COMMAND_CHOICE, AT(eventclass), "CLASS", classes, 0,
		"event, eventex, extendedevent or vcourier (its own events); default: what the event's name says" },
	{ "event", 0, COMMAND_TEXTS, AT(event), "NAME", NULL, 0,
		"the event's class or its EventEx id; com.vmware.vc.HA.* for those that begin so; may be repeated" },
	{ "prefix", 0, COMMAND_TEXT, AT(prefix), "TOKEN", NULL, COMMAND_RARE,
		"bus.subjectPrefix (default vc)" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "printed" },
	{ EXIT_USAGE, "wrong usage, or NATS cannot express it" }, { 0, NULL } };

static const char *const examples[] = { "subject --vcenter lab --severity error",
	"subject --vcenter lab --datacenter Berlin --event VmPoweredOnEvent",
	"subject --event 'com.vmware.vc.HA.*' --severity warning --severity error", NULL };

const struct command subject_command = {
	.program = "vcourier",
	.name = "subject",
	.summary = "the NATS subjects of the events that you want",
	.options = options,
	.values_size = sizeof(struct subject_options),
	.about =
		"Prints the subject to subscribe to, or to filter a consumer by; one line for each "
		"severity and event, because a subject has no \"or\". What NATS cannot express, "
		"such as VmPowered*, is refused, with the subject that comes nearest and an event "
		"pattern for the rest. `vcourier tail --explain SUBJECT` reads a subject.",
	.examples = examples,
	.exits = exits,
	.run = run,
};
