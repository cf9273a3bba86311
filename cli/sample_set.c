// SPDX-License-Identifier: Apache-2.0
/* Members of a sample by their path: "Vm.Name", "Arguments.0.Value". */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "mem.h"
#include "scalar.h"
#include "text.h"

static const char *const kinds[] = {
	[SCHEMA_BOOL] = "true or false",
	[SCHEMA_INT] = "a whole number",
	[SCHEMA_FLOAT32] = "a number",
	[SCHEMA_FLOAT64] = "a number",
	[SCHEMA_STRING] = "text",
	[SCHEMA_TIME] = "a time, as 2026-11-22T10:00:00Z",
	[SCHEMA_BYTES] = "bytes",
	[SCHEMA_MOREF] = "Type:Value, as VirtualMachine:vm-42",
	[SCHEMA_OBJECT] = "an object: name one of its members",
	[SCHEMA_ANY] = "text",
};

/* One step of a path, and the place that it leads to. */
struct walk {
	struct sample *sample;
	const char *path;                 /* the whole one, for messages */
	const char *at;                   /* the next part */
	struct sample_node *node;         /* an object, or what the path names */
	struct sample_node *owner;        /* of a list that is empty: its object */
	const struct schema_field *field; /* the last member that was named */
};

static size_t
part_len(const char *part)
{
	return strcspn(part, ".");
}

static int
no_member(const struct walk *w, const struct schema_class *class, struct err *err)
{
	const struct schema_field *field = schema_class_fields(class);
	char part[80], name[80], best[80];
	struct config_suggestion near = { .text = part };

	snprintf(part, sizeof(part), "%.*s", (int)part_len(w->at), w->at);
	for (size_t i = 0; i < class->n; i++) {
		size_t len;
		const char *own = sample_member_name(&field[i], &len);

		snprintf(name, sizeof(name), "%.*s", (int)len, own);
		config_suggest(&near, name);
		if (near.best == name) {
			memcpy(best, name, sizeof(best));
			near.best = best;
		}
	}
	if (near.best != NULL)
		return err_set(err, ERR_USAGE,
			"data.%.120s: %s has no member %s, did you mean %s?", w->path,
			schema_class_name(class), part, near.best);
	return err_set(err, ERR_USAGE, "data.%.120s: %s has no member \"%s\"", w->path,
		schema_class_name(class), part);
}

static const struct schema_field *
find_field(const struct schema_class *class, const char *name, size_t len)
{
	const struct schema_field *field = schema_class_fields(class);

	for (size_t i = 0; i < class->n; i++) {
		size_t own_len;
		const char *own = sample_member_name(&field[i], &own_len);

		if (own_len == len && memcmp(own, name, len) == 0)
			return &field[i];
	}
	return NULL;
}

/* The i-th element of the member; NULL when there are fewer. *n: how many there are. */
static struct sample_node *
find_element(
	const struct sample_node *object, const struct schema_field *field, size_t i, size_t *n)
{
	struct sample_node *found = NULL;

	*n = 0;
	for (struct sample_node *node = object->first; node != NULL; node = node->next)
		if (node->field == field && (*n)++ == i)
			found = node;
	return found;
}

/* The index of a list, or 0 when none is written and nothing follows. */
static int
read_index(struct walk *w, int64_t *index, struct err *err)
{
	char digits[24];

	*index = 0;
	if (*w->at == '\0')
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)part_len(w->at), w->at);
	if (!text_int(digits, 0, SAMPLE_LIST_MAX - 1, index))
		return err_set(err, ERR_USAGE,
			"data.%.120s: a list: its entries are .0, .1 and so on up to .%d",
			w->path, SAMPLE_LIST_MAX - 1);
	w->at += part_len(w->at);
	w->at += *w->at == '.';
	return 0;
}

/* Goes to the member that the next part names; adds it when it is missing. */
static int
step(struct walk *w, struct err *err)
{
	const struct schema_class *class = w->node->class;
	size_t len = part_len(w->at), n;
	int64_t index = 0;

	w->field = find_field(class, w->at, len);
	if (w->field == NULL)
		return no_member(w, class, err);
	w->at += len;
	w->at += *w->at == '.';
	w->owner = w->node;
	if ((w->field->flags & SCHEMA_ARRAY) && read_index(w, &index, err) != 0)
		return -1;
	w->node = find_element(w->owner, w->field, (size_t)index, &n);
	if (w->node == NULL && (size_t)index > n)
		return err_set(err, ERR_USAGE,
			"data.%.120s: the list has %zu entries, the next one is .%zu", w->path,
			n, n);
	if (w->node == NULL)
		w->node = sample_add(w->sample, w->owner, w->field);
	return w->node != NULL
		? 0
		: err_set(err, ERR_USAGE, "data.%.120s: the event has too many members",
			  w->path);
}

static int
bad_value(const struct walk *w, const char *value, struct err *err)
{
	return err_set(err, ERR_USAGE, "data.%.120s: \"%.60s\" is not %s", w->path, value,
		kinds[w->field->kind]);
}

/* "VirtualMachine:vm-42"; or one half of it, after .Type or .Value. */
static int
set_moref(struct walk *w, const char *value, struct err *err)
{
	const char *colon = strchr(value, ':');

	if (strcmp(w->at, "Type") == 0) {
		free(w->node->moref);
		w->node->moref = mem_strdup(value);
	} else if (strcmp(w->at, "Value") == 0) {
		sample_set_text(w->node, value);
	} else if (*w->at != '\0') {
		return err_set(
			err, ERR_USAGE, "data.%.120s: a MoRef has Type and Value", w->path);
	} else if (colon == NULL || colon == value || colon[1] == '\0') {
		return bad_value(w, value, err);
	} else {
		free(w->node->moref);
		w->node->moref = mem_strdup(value);
		w->node->moref[colon - value] = '\0';
		sample_set_text(w->node, colon + 1);
	}
	return 0;
}

/* Key and ChainId are xsd:int; the table does not have the width of other numbers. */
static bool
is_32_bits(const struct walk *w)
{
	return w->owner->field == NULL && w->field - schema_class_fields(w->owner->class) < 2;
}

static int
set_scalar(struct walk *w, const char *value, struct err *err)
{
	enum schema_kind kind = (enum schema_kind)w->field->kind;
	struct buf json;
	int64_t n;
	bool ok;

	if (*w->at != '\0')
		return err_set(err, ERR_USAGE, "data.%.120s: nothing is inside of it: it is %s",
			w->path, kinds[kind]);
	buf_init(&json, SAMPLE_XML_MAX);
	ok = (*value != '\0' || kind == SCHEMA_STRING || kind == SCHEMA_ANY) &&
		scalar_add(&json, kind == SCHEMA_ANY ? SCHEMA_STRING : kind, value,
			strlen(value)) &&
		strcmp(buf_str(&json), "null") != 0;
	buf_free(&json);
	if (!ok)
		return bad_value(w, value, err);
	if (is_32_bits(w) && !text_int(value, INT32_MIN, INT32_MAX, &n))
		return err_set(
			err, ERR_USAGE, "data.%.120s does not fit into 32 bits", w->path);
	sample_set_text(w->node, value);
	return 0;
}

/* Takes all elements of the member out. */
static int
unset(struct walk *w, struct err *err)
{
	struct sample_node *node = w->owner->first, *next;

	if (!(w->field->flags & SCHEMA_NULLABLE))
		return err_set(err, ERR_USAGE, "data.%.120s: cannot be null", w->path);
	for (; node != NULL; node = next) {
		next = node->next;
		if (node->field == w->field)
			sample_remove(node);
	}
	return 0;
}

int
sample_set(struct sample *sample, const char *path, const char *value, struct err *err)
{
	struct walk w = { .sample = sample, .path = path, .at = path, .node = sample->event };

	if (text_utf8_valid(value, strlen(value)) != strlen(value))
		return err_set(err, ERR_USAGE, "data.%.120s: the value is not UTF-8", path);
	do
		if (step(&w, err) != 0)
			return -1;
	while (*w.at != '\0' && w.node->class != NULL);
	if (strcmp(value, "null") == 0 && w.field->kind != SCHEMA_STRING && *w.at == '\0')
		return unset(&w, err);
	if (w.field->kind == SCHEMA_OBJECT)
		return bad_value(&w, value, err);
	return w.field->kind == SCHEMA_MOREF ? set_moref(&w, value, err)
					     : set_scalar(&w, value, err);
}
