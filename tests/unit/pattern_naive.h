// SPDX-License-Identifier: Apache-2.0
/*
 * A second opinion on event patterns, simple rather than fast: the event flattened to a list of
 * fields, each with the array elements it lies in; $or multiplied out on a tree; then every
 * combination of fields is tried.
 */
#ifndef VCOURIER_PATTERN_NAIVE_H
#define VCOURIER_PATTERN_NAIVE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "buf.h"
#include "hash.h"

enum { NAIVE_FIELDS = 512, NAIVE_CONDITIONS = 64, NAIVE_RULES = 256, NAIVE_ARRAYS = 16 };

struct naive_places { /* array number and index in it */
	int array[NAIVE_ARRAYS], index[NAIVE_ARRAYS], n;
};

struct naive_field {
	char path[128];
	const cJSON *value;
	struct naive_places in;
};

struct naive_event {
	struct naive_field field[NAIVE_FIELDS];
	int n, arrays;
};

struct naive_rule {
	char path[NAIVE_CONDITIONS][128];
	const cJSON *list[NAIVE_CONDITIONS];
	int n;
};

static void
naive_join(char out[128], const char *path, const char *key, bool first)
{
	snprintf(out, 128, "%s%s%s", path, first ? "" : ".", key);
}

static void
naive_flatten(struct naive_event *ev, const cJSON *value, const char *path,
	struct naive_places in, bool root)
{
	const cJSON *child;
	int array, i = 0;

	if (cJSON_IsObject(value)) {
		cJSON_ArrayForEach(child, value) {
			char longer[128];

			naive_join(longer, path, child->string, root);
			naive_flatten(ev, child, longer, in, false);
		}
	} else if (cJSON_IsArray(value)) {
		array = ev->arrays++;
		cJSON_ArrayForEach(child, value) {
			struct naive_places deeper = in;

			if (cJSON_IsObject(child) || cJSON_IsArray(child)) {
				deeper.array[deeper.n] = array;
				deeper.index[deeper.n++] = i;
			}
			naive_flatten(ev, child, path, deeper, false);
			i++;
		}
	} else {
		struct naive_field *f = &ev->field[ev->n++];

		snprintf(f->path, sizeof(f->path), "%s", path);
		f->value = value;
		f->in = in;
	}
}

static bool
naive_wildcard(const char *pattern, const char *s)
{
	if (*pattern == '\0')
		return *s == '\0';
	if (*pattern == '*')
		return naive_wildcard(pattern + 1, s) ||
			(*s != '\0' && naive_wildcard(pattern, s + 1));
	return *pattern == *s && naive_wildcard(pattern + 1, s + 1);
}

static bool naive_test(const cJSON *test, const cJSON *value);

static bool
naive_one_of(const char *op, const cJSON *argument, const cJSON *value)
{
	const cJSON *one;
	bool any = false;

	if (!cJSON_IsArray(argument)) {
		cJSON wrapped = { .type = argument->type,
			.valuestring = argument->valuestring,
			.valuedouble = argument->valuedouble,
			.string = (char *)(uintptr_t)op };
		cJSON test = { .type = cJSON_Object, .child = &wrapped };

		return op != NULL ? naive_test(&test, value) : naive_test(&wrapped, value);
	}
	cJSON_ArrayForEach(one, argument) {
		any = any || naive_one_of(op, one, value);
	}
	return any;
}

static bool
naive_numeric(const cJSON *list, double v)
{
	const cJSON *op;
	bool ok = true;

	for (op = list->child; op != NULL; op = op->next->next) {
		double bound = op->next->valuedouble;

		switch (op->valuestring[0]) {
		case '=':
			ok = ok && v == bound;
			break;
		case '<':
			ok = ok && (op->valuestring[1] ? v <= bound : v < bound);
			break;
		default:
			ok = ok && (op->valuestring[1] ? v >= bound : v > bound);
			break;
		}
	}
	return ok;
}

/* One alternative on one value; {"exists": false} is not asked here. */
static bool
naive_test(const cJSON *test, const cJSON *value)
{
	const char *s = cJSON_IsString(value) ? value->valuestring : NULL;
	const cJSON *argument = test->child;

	if (!cJSON_IsObject(test))
		return (test->type & 0xff) == (value->type & 0xff) &&
			(s == NULL || strcmp(s, test->valuestring) == 0) &&
			(!cJSON_IsNumber(test) || test->valuedouble == value->valuedouble);
	if (strcmp(argument->string, "exists") == 0)
		return cJSON_IsTrue(argument);
	if (strcmp(argument->string, "anything-but") == 0) {
		if (cJSON_IsObject(argument))
			return !naive_one_of(argument->child->string, argument->child, value);
		return !naive_one_of(NULL, argument, value);
	}
	if (strcmp(argument->string, "numeric") == 0)
		return cJSON_IsNumber(value) && naive_numeric(argument, value->valuedouble);
	if (s == NULL)
		return false;
	if (strcmp(argument->string, "prefix") == 0)
		return strncmp(s, argument->valuestring, strlen(argument->valuestring)) == 0;
	if (strcmp(argument->string, "suffix") == 0)
		return strlen(s) >= strlen(argument->valuestring) &&
			strcmp(s + strlen(s) - strlen(argument->valuestring),
				argument->valuestring) == 0;
	return naive_wildcard(argument->valuestring, s);
}

/* Multiplies one object of a pattern into the rules so far. */
static void
naive_expand(struct naive_rule *rules, int *n, const cJSON *object, const char *path, bool root)
{
	const cJSON *member, *branch;

	cJSON_ArrayForEach(member, object) {
		char longer[128];

		naive_join(longer, path, member->string, root);
		if (strcmp(member->string, "$or") == 0) {
			struct naive_rule *before = malloc((size_t)*n * sizeof(*before));
			int n_before = *n, done = 0;

			memcpy(before, rules, (size_t)*n * sizeof(*before));
			cJSON_ArrayForEach(branch, member) {
				int k = n_before;

				memcpy(rules + done, before, (size_t)k * sizeof(*before));
				naive_expand(rules + done, &k, branch, path, root);
				done += k;
			}
			*n = done;
			free(before);
		} else if (cJSON_IsObject(member)) {
			naive_expand(rules, n, member, longer, false);
		} else {
			for (int i = 0; i < *n; i++) {
				int k = 0;

				while (k < rules[i].n && strcmp(rules[i].path[k], longer) != 0)
					k++;
				if (k == rules[i].n)
					rules[i].n++;
				strcpy(rules[i].path[k], longer);
				rules[i].list[k] = member;
			}
		}
	}
}

static bool
naive_consistent(const struct naive_places *a, const struct naive_places *b)
{
	for (int i = 0; i < a->n; i++)
		for (int k = 0; k < b->n; k++)
			if (a->array[i] == b->array[k] && a->index[i] != b->index[k])
				return false;
	return true;
}

/* Conditions in the order of their paths; chosen: the fields taken so far. */
static bool
naive_try(const struct naive_event *ev, const struct naive_rule *rule,
	const struct naive_field **chosen, int n, const char *after)
{
	const struct naive_field *hit[NAIVE_CONDITIONS];
	const cJSON *list = NULL, *test;
	const char *path = NULL;
	bool present = false;

	for (int i = 0; i < rule->n; i++)
		if ((after == NULL || strcmp(rule->path[i], after) > 0) &&
			(path == NULL || strcmp(rule->path[i], path) < 0)) {
			path = rule->path[i];
			list = rule->list[i];
		}
	if (path == NULL)
		return true;
	memcpy(hit, chosen, (size_t)n * sizeof(*hit));
	for (int i = 0; i < ev->n; i++) {
		bool fits = strcmp(ev->field[i].path, path) == 0;

		for (int k = 0; k < n && fits; k++)
			fits = naive_consistent(&chosen[k]->in, &ev->field[i].in);
		if (!fits)
			continue;
		present = true;
		hit[n] = &ev->field[i];
		cJSON_ArrayForEach(test, list) {
			if (naive_test(test, ev->field[i].value) &&
				naive_try(ev, rule, hit, n + 1, path))
				return true;
		}
	}
	cJSON_ArrayForEach(test, list) {
		if (!present && cJSON_IsObject(test) &&
			strcmp(test->child->string, "exists") == 0 &&
			cJSON_IsFalse(test->child) && naive_try(ev, rule, chosen, n, path))
			return true;
	}
	return false;
}

static bool
naive_match(const char *pattern, const char *event)
{
	cJSON *p = cJSON_Parse(pattern), *e = cJSON_Parse(event);
	struct naive_rule *rules = calloc(NAIVE_RULES, sizeof(*rules));
	struct naive_event *ev = calloc(1, sizeof(*ev));
	const struct naive_field *chosen[NAIVE_CONDITIONS];
	int n = 1;
	bool match = false;

	naive_expand(rules, &n, p, "", true);
	naive_flatten(ev, e, "", (struct naive_places){ 0 }, true);
	for (int i = 0; i < n && !match; i++)
		match = naive_try(ev, &rules[i], chosen, 0, NULL);
	free(rules);
	free(ev);
	cJSON_Delete(p);
	cJSON_Delete(e);
	return match;
}

/* ---- generated patterns and events */

static unsigned
naive_draw(uint64_t *random, unsigned n)
{
	return (unsigned)(hash_splitmix64(random) % n);
}

static const char *const naive_keys[] = { "a", "b", "c", "a.b", "a-b" };

static void
naive_make_value(struct buf *out, uint64_t *random)
{
	static const char *const values[] = { "1", "2", "1.5", "-3e1", "\"x\"", "\"xy\"",
		"\"yx\"", "\"\"", "true", "null" };

	buf_add_str(out, values[naive_draw(random, COUNT(values))]);
}

static void
naive_make_test(struct buf *out, uint64_t *random)
{
	static const char *const tests[] = { "{\"exists\":true}", "{\"exists\":false}",
		"{\"prefix\":\"x\"}", "{\"suffix\":\"x\"}", "{\"prefix\":\"\"}",
		"{\"wildcard\":\"*x*\"}", "{\"wildcard\":\"x*y\"}", "{\"anything-but\":\"x\"}",
		"{\"anything-but\":[1,1.5]}", "{\"anything-but\":{\"prefix\":\"x\"}}",
		"{\"anything-but\":{\"wildcard\":[\"*y\",\"y*\"]}}", "{\"numeric\":[\">\",1]}",
		"{\"numeric\":[\">=\",-30,\"<\",2]}", "{\"numeric\":[\"=\",15e-1]}" };

	if (naive_draw(random, 2))
		naive_make_value(out, random);
	else
		buf_add_str(out, tests[naive_draw(random, COUNT(tests))]);
}

static void
naive_make_object(struct buf *out, uint64_t *random, int depth, bool pattern)
{
	unsigned n = 1 + naive_draw(random, 3);

	buf_add_char(out, '{');
	for (unsigned i = 0; i < n; i++) {
		unsigned kind = naive_draw(random, 10), items = 1 + naive_draw(random, 3);

		if (i != 0)
			buf_add_char(out, ',');
		if (pattern && kind == 0 && depth != 0 &&
			memmem(out->data, out->len, "$or", 3) == NULL) {
			buf_add_str(out, "\"$or\":[");
			naive_make_object(out, random, depth - 1, true);
			buf_add_char(out, ',');
			naive_make_object(out, random, depth - 1, true);
			buf_add_char(out, ']');
			continue;
		}
		buf_printf(out, "\"%s\":",
			naive_keys[naive_draw(random, naive_draw(random, 4) ? 3 : 5)]);
		if (depth != 0 && kind < 5) {
			naive_make_object(out, random, depth - 1, pattern);
		} else if (pattern || kind < 9) {
			buf_add_char(out, '[');
			for (unsigned k = 0; k < items; k++) {
				buf_add_str(out, k ? "," : "");
				if (pattern)
					naive_make_test(out, random);
				else if (depth != 0 && naive_draw(random, 3))
					naive_make_object(out, random, depth - 1, false);
				else
					naive_make_value(out, random);
			}
			buf_add_char(out, ']');
		} else {
			naive_make_value(out, random);
		}
	}
	buf_add_char(out, '}');
}

static void
naive_make_pattern(struct buf *out, uint64_t *random)
{
	naive_make_object(out, random, 2, true);
}

static void
naive_make_event(struct buf *out, uint64_t *random)
{
	naive_make_object(out, random, 3, false);
}

#endif
