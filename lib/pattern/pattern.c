// SPDX-License-Identifier: Apache-2.0
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "pattern_rule.h"

enum { STRING_MAX = 64 * 1024 * 1024 }; /* one decoded string of an event */

static int
compare_paths(const void *a, const void *b)
{
	const struct pattern_path *left = a, *right = b;
	size_t n = left->len < right->len ? left->len : right->len;
	int c = memcmp(left->text, right->text, n);

	return c != 0 ? c : (left->len > right->len) - (left->len < right->len);
}

/*
 * Sorts the paths and links the conditions to them; then sorts the conditions of each rule by
 * path.
 */
static void
arrange(struct pattern *p)
{
	uint32_t *place = mem_array(p->n_paths, sizeof(*place));

	for (size_t i = 0; i < p->n_paths; i++)
		p->path[i].mark = (uint32_t)i;
	qsort(p->path, p->n_paths, sizeof(*p->path), compare_paths);
	for (size_t i = 0; i < p->n_paths; i++)
		place[p->path[i].mark] = (uint32_t)i;
	for (size_t i = 0; i < p->n_conditions; i++) {
		struct pattern_condition *c = &p->condition[i];
		struct pattern_path *path;

		c->path = place[c->path];
		path = &p->path[c->path];
		c->next = path->condition;
		path->condition = (uint32_t)i;
		path->absent = path->absent || c->absent;
	}
	free(place);
	for (size_t i = 0; i < p->rules.n; i++) {
		struct pattern_rule *rule = &p->rules.rule[i];

		/* insertion: a rule has few conditions, mostly in order */
		for (size_t k = 1; k < rule->n; k++) {
			uint32_t one = rule->condition[k];
			size_t to = k;

			for (; to != 0 &&
				p->condition[rule->condition[to - 1]].path >
					p->condition[one].path;
				to--)
				rule->condition[to] = rule->condition[to - 1];
			rule->condition[to] = one;
		}
	}
}

int
pattern_compile(struct pattern **pattern, const char *json, size_t len, struct err *err)
{
	struct pattern *p = mem_alloc(sizeof(*p));
	struct err ignored;

	buf_init(&p->key, STRING_MAX);
	buf_init(&p->text, STRING_MAX);
	if (pattern_parse(p, json, len, err != NULL ? err : &ignored) != 0) {
		pattern_free(p);
		return -1;
	}
	arrange(p);
	*pattern = p;
	return 0;
}

int
pattern_match(struct pattern *pattern, const char *event, size_t len, struct err *err)
{
	struct err ignored;

	if (err == NULL)
		err = &ignored;
	if (pattern_event_read(pattern, event, len, err) != 0)
		return -1;
	return pattern_rules_hold(pattern, err);
}

void
pattern_assume(struct pattern *pattern, const char *path)
{
	for (size_t i = 0; i < pattern->n_conditions; i++) {
		struct pattern_condition *c = &pattern->condition[i];

		if (strcmp(pattern->path[c->path].text, path) == 0)
			c->assumed = true;
	}
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n_paths; i++)
		free(p->path[i].text);
	free(p->path);
	for (size_t i = 0; i < p->n_conditions; i++) {
		for (size_t k = 0; k < p->condition[i].n_tests; k++)
			pattern_test_free(&p->condition[i].test[k]);
		free(p->condition[i].test);
	}
	free(p->condition);
	for (size_t i = 0; i < p->rules.n; i++)
		free(p->rules.rule[i].condition);
	free(p->rules.rule);
	free(p->mark);
	free(p->scope);
	free(p->array);
	free(p->now.state);
	free(p->then.state);
	buf_free(&p->key);
	buf_free(&p->text);
	free(p);
}
