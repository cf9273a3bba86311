// SPDX-License-Identifier: Apache-2.0
#include "subject_explain.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "printable.h"
#include "schema.h"
#include "subject.h"

enum {
	CLASS = 5, /* the token before the name, from 0 on */
	NAME = 6,
	TOKEN_WIDTH = 24,
};

static const struct {
	const char *noun, *any, *none, *one;
} parts[NAME] = {
	{ "prefix", "any prefix", NULL, "events" },
	{ "vCenter", "any vCenter", NULL, "the vCenter " },
	{ "datacenter", "any datacenter, or none", "no datacenter", "the datacenter " },
	{ "cluster", "any cluster, or none", "no cluster", "the cluster " },
	{ "severity", "any severity", NULL, "severity " },
	{ "class", "any class", NULL, NULL },
};

static const struct {
	const char *token, *meaning;
} classes[] = {
	{ "event", "an event with a vSphere class of its own" },
	{ "eventex", "an EventEx: its name is its id" },
	{ "extendedevent", "an ExtendedEvent: its name is its id" },
	{ "vcourier", "an event of vcourier itself" },
};

static void
add_decoded(struct buf *out, const char *tokens)
{
	char *name = subject_decode(tokens);

	printable_add(out, name, strlen(name));
	if (strchr(name, '~') != NULL)
		buf_add_str(out, " (a shortened name: ~ and a hash of it)");
	free(name);
}

static void
add_part(struct buf *out, size_t i, const char *token)
{
	if (strcmp(token, "*") == 0) {
		buf_add_str(out, parts[i].any);
	} else if (strcmp(token, "_") == 0 && parts[i].none != NULL) {
		buf_add_str(out, parts[i].none);
	} else if (i == CLASS) {
		for (size_t k = 0; k < sizeof(classes) / sizeof(classes[0]); k++)
			if (strcmp(token, classes[k].token) == 0)
				buf_add_str(out, classes[k].meaning);
	} else {
		buf_add_str(out, parts[i].one);
		if (i > 0)
			add_decoded(out, token);
	}
}

static void
add_class_name(struct buf *out, const char *name)
{
	const struct schema_class *c = schema_find(name, strlen(name));

	if (c == NULL || !schema_is_a(c, schema_find("Event", 5)))
		buf_add_str(out, "a name that no vSphere class of events has");
	else if (c->base != SCHEMA_NONE)
		buf_printf(out, "this class, which derives from %s",
			schema_class_name(&schema_classes[c->base]));
	else
		buf_add_str(out, "this class");
}

/* name: all tokens after the class; class: NULL when it is a wildcard. */
static void
add_name(struct buf *out, const char *name, const char *class)
{
	size_t len = strlen(name);

	if (strcmp(name, ">") == 0)
		buf_add_str(out, "any name");
	else if (strcmp(name, "*") == 0)
		buf_add_str(out,
			"any name without a dot: classes, but hardly an EventEx id; > is any name");
	else if (strchr(name, '*') != NULL)
		buf_printf(out, "names of this form; * is one part between dots%s",
			name[len - 1] == '>' ? ", > one or more" : "");
	else if (name[len - 1] == '>')
		buf_add_str(out, "names that begin like this");
	else if (class != NULL && strcmp(class, "event") == 0)
		add_class_name(out, name);
	else
		buf_add_str(out, "this name");
}

/* The tokens from i on, which > replaces. */
static void
add_rest(struct buf *out, size_t i)
{
	buf_add_str(out, "any");
	for (; i < NAME; i++)
		buf_printf(out, " %s%s", parts[i].noun, i + 1 < NAME ? "," : " and");
	buf_add_str(out, " name");
}

static void
begin_line(struct buf *out, const char *token)
{
	size_t len = strlen(token);

	buf_add_str(out, token);
	do
		buf_add_char(out, ' ');
	while (++len <= TOKEN_WIDTH);
	buf_add_char(out, ' ');
}

void
subject_explain(const char *subject, struct buf *out)
{
	char *copy = mem_strdup(subject), *token = copy;
	const char *class = NULL;

	for (size_t i = 0; i < NAME && token != NULL; i++) {
		char *dot = strchr(token, '.');

		if (dot != NULL)
			*dot = '\0';
		begin_line(out, token);
		if (strcmp(token, ">") == 0)
			add_rest(out, i);
		else
			add_part(out, i, token);
		buf_add_char(out, '\n');
		if (i == CLASS)
			class = token;
		token = dot != NULL ? dot + 1 : NULL;
	}
	if (token != NULL) {
		begin_line(out, token);
		add_name(out, token, class);
		buf_add_char(out, '\n');
	}
	free(copy);
}
