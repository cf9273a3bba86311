// SPDX-License-Identifier: Apache-2.0
#include "function_filter.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "text.h"

enum term_kind {
	TERM_ALL,
	TERM_ANY,
	TERM_NOT,
	TERM_ATTRIBUTE,
	TERM_EXACT,
	TERM_PREFIX,
	TERM_SUFFIX
};

struct filter_term {
	enum term_kind kind;
	size_t parent;      /* comes before its terms; 0 is the parent of itself */
	char *name, *value; /* NULL: the value is that of its terms */
	const struct config_node *expression; /* while the filter is read: not yet */
};

struct function_filter {
	struct filter_term *term;
	size_t n, cap;
};

struct filter_expression {
	char **exact, **prefix, **suffix;
	const struct config_node *all, *any, *negated, *cesql, *sql;
};

static const struct config_field expression_fields[] = {
	{ "exact", CONFIG_MAP, offsetof(struct filter_expression, exact) },
	{ "prefix", CONFIG_MAP, offsetof(struct filter_expression, prefix) },
	{ "suffix", CONFIG_MAP, offsetof(struct filter_expression, suffix) },
	{ "all", CONFIG_NODE, offsetof(struct filter_expression, all) },
	{ "any", CONFIG_NODE, offsetof(struct filter_expression, any) },
	{ "not", CONFIG_NODE, offsetof(struct filter_expression, negated) },
	{ "cesql", CONFIG_NODE, offsetof(struct filter_expression, cesql) },
	{ "sql", CONFIG_NODE, offsetof(struct filter_expression, sql) },
	{ NULL },
};

/* ---- reading */

static struct filter_term *
add_term(struct function_filter *f, enum term_kind kind, size_t parent)
{
	f->term = mem_grow_for(f->term, f->n, &f->cap, sizeof(*f->term));
	f->term[f->n] = (struct filter_term){ .kind = kind, .parent = parent };
	return &f->term[f->n++];
}

/* CloudEvents: lower-case letters and digits. */
static bool
is_attribute_name(const char *name)
{
	return *name >= 'a' && *name <= 'z' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
}

static int
add_values(struct function_filter *f, enum term_kind kind, size_t parent, char *const *map,
	struct err *err)
{
	for (; *map != NULL; map += 2) {
		struct filter_term *term;

		if (!is_attribute_name(map[0]))
			return err_set(err, ERR_CONFIG,
				"\"%.64s\" is no name of an attribute: lower-case letters and digits",
				map[0]);
		if (f->n >= FUNCTION_FILTER_TERMS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d terms in a filter",
				FUNCTION_FILTER_TERMS_MAX);
		term = add_term(f, kind, parent);
		term->name = mem_strdup(map[0]);
		term->value = mem_strdup(map[1]);
	}
	return 0;
}

/* Adds the expressions of a list; their own terms follow when it is their turn. */
static int
add_list(struct function_filter *f, size_t parent, const struct config_node *list,
	struct err *err)
{
	size_t n = config_length(list);

	if (n == 0 || config_item(list, 0) == NULL)
		return err_set(err, ERR_CONFIG, "a list of expressions is expected");
	if (n > FUNCTION_FILTER_TERMS_MAX - f->n)
		return err_set(err, ERR_LIMIT, "more than %d terms in a filter",
			FUNCTION_FILTER_TERMS_MAX);
	for (size_t i = 0; i < n; i++)
		add_term(f, TERM_ALL, parent)->expression = config_item(list, i);
	return 0;
}

static unsigned
count_dialects(const struct filter_expression *e)
{
	return (unsigned)((e->exact != NULL) + (e->prefix != NULL) + (e->suffix != NULL) +
		(e->all != NULL) + (e->any != NULL) + (e->negated != NULL));
}

static int
add_expression(struct function_filter *f, size_t at, const struct filter_expression *e,
	struct err *err)
{
	if (e->cesql != NULL || e->sql != NULL)
		return err_set(err, ERR_CONFIG,
			"the dialect cesql is not supported: use exact, prefix, suffix, all, any, not");
	if (count_dialects(e) != 1)
		return err_set(err, ERR_CONFIG,
			"an expression has one dialect: exact, prefix, suffix, all, any or not");
	if (e->exact != NULL)
		return add_values(f, TERM_EXACT, at, e->exact, err);
	if (e->prefix != NULL)
		return add_values(f, TERM_PREFIX, at, e->prefix, err);
	if (e->suffix != NULL)
		return add_values(f, TERM_SUFFIX, at, e->suffix, err);
	if (e->negated != NULL) {
		if (f->n >= FUNCTION_FILTER_TERMS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d terms in a filter",
				FUNCTION_FILTER_TERMS_MAX);
		f->term[at].kind = TERM_NOT;
		add_term(f, TERM_ALL, at)->expression = e->negated;
		return 0;
	}
	if (e->any != NULL)
		f->term[at].kind = TERM_ANY;
	return add_list(f, at, e->any != NULL ? e->any : e->all, err);
}

static void
read_expression(struct function_filter *f, size_t at, struct config_errors *errors)
{
	const struct config_node *node = f->term[at].expression;
	struct filter_expression e;
	struct err err;

	f->term[at].expression = NULL;
	if (config_bind(node, expression_fields, &e, sizeof(e), errors) == 0 &&
		add_expression(f, at, &e, &err) != 0)
		config_error(errors, node, "%s", err.text);
	config_release(expression_fields, &e);
}

struct function_filter *
function_filter_new(char *const *attributes, const struct config_node *filters,
	const struct config_node *where, struct config_errors *errors)
{
	struct function_filter *f = mem_alloc(sizeof(*f));
	size_t before = errors->n;
	struct err err;

	add_term(f, TERM_ALL, 0);
	if (config_length(filters) > 0) {
		if (add_list(f, 0, filters, &err) != 0)
			config_error(errors, filters, "%s", err.text);
	} else if (attributes != NULL &&
		add_values(f, TERM_ATTRIBUTE, 0, attributes, &err) != 0) {
		config_error(errors, where, "%s", err.text);
	}
	for (size_t i = 0; i < f->n && errors->n == before; i++)
		if (f->term[i].expression != NULL)
			read_expression(f, i, errors);
	if (errors->n == before)
		return f;
	function_filter_free(f);
	return NULL;
}

void
function_filter_free(struct function_filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->term[i].name);
		free(f->term[i].value);
	}
	free(f->term);
	free(f);
}

/* ---- matching */

/* NULL: the event has no such extension. A standard attribute that is absent is "". */
static const char *
attribute(const struct event *ev, const char *name, const char *type)
{
	const struct {
		const char *name, *value;
	} standard[] = { { "type", type }, { "subject", ev->subject }, { "source", ev->source },
		{ "id", ev->id }, { "time", ev->time }, { "specversion", "1.0" },
		{ "datacontenttype", ev->datacontenttype }, { "dataschema", ev->dataschema },
		{ "schemaurl", ev->dataschema } };

	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		if (strcmp(standard[i].name, name) == 0)
			return standard[i].value;
	for (size_t i = 0; i < ev->n_extensions; i++)
		if (strcmp(ev->extension[i].name, name) == 0)
			return ev->extension[i].value;
	return NULL;
}

static bool
matches(const struct filter_term *term, const struct event *ev, const char *type)
{
	const char *value = attribute(ev, term->name, type);

	if (value == NULL)
		return false;
	switch (term->kind) {
	case TERM_PREFIX:
		return text_starts(value, term->value);
	case TERM_SUFFIX:
		return text_ends(value, term->value);
	case TERM_ATTRIBUTE: /* an empty value: the event has the attribute */
		if (*term->value == '\0')
			return *value != '\0';
		return strcmp(value, term->value) == 0;
	default:
		return strcmp(value, term->value) == 0;
	}
}

/* The terms of a term come after it: from the last to the first, each one is complete. */
bool
function_filter_match(const struct function_filter *f, const struct event *ev, const char *type)
{
	bool value[FUNCTION_FILTER_TERMS_MAX] = { true };

	for (size_t i = 0; i < f->n; i++)
		value[i] = f->term[i].kind != TERM_ANY;
	for (size_t i = f->n; i-- > 0;) {
		const struct filter_term *term = &f->term[i];
		bool any = f->term[term->parent].kind == TERM_ANY;

		if (term->name != NULL)
			value[i] = matches(term, ev, type);
		else if (term->kind == TERM_NOT)
			value[i] = !value[i];
		if (i > 0 && value[i] == any)
			value[term->parent] = any;
	}
	return value[0];
}

/* ---- comparing */

enum event_type_style
function_filter_style(const struct function_filter *f)
{
	enum event_type_style style = EVENT_TYPE_ROUTER;

	for (size_t i = 0; i < f->n; i++) {
		const struct filter_term *term = &f->term[i];

		if (term->name == NULL || strcmp(term->name, "type") != 0)
			continue;
		if (!text_starts(term->value, "com.vmware.vsphere") &&
			!text_starts(term->value, "com.vmware.horizon") &&
			!(term->kind == TERM_SUFFIX && text_ends(term->value, ".v0")))
			continue;
		if (term->kind == TERM_PREFIX || text_ends(term->value, ".v0"))
			return EVENT_TYPE_VSPHERE;
		style = EVENT_TYPE_VSPHERE_UNVERSIONED;
	}
	return style;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
function_filter_same(const struct function_filter *a, const struct function_filter *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct filter_term *x = &a->term[i], *y = &b->term[i];

		if (x->kind != y->kind || x->parent != y->parent ||
			!same_text(x->name, y->name) || !same_text(x->value, y->value))
			return false;
	}
	return true;
}
