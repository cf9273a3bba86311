// SPDX-License-Identifier: Apache-2.0
/*
 * The structure of a pattern: objects make paths, $or multiplies rules. A stack instead of
 * recursion.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "pattern_rule.h"
#include "pattern_scan.h"

enum { ENTRIES_MAX = 50000 }; /* conditions of all rules together */

struct parse_frame {
	bool is_or;      /* inside "$or": [ ... ]; else inside an object */
	bool in_or;      /* below some $or: reserved names are refused */
	size_t members;  /* so far */
	size_t path_len; /* of the path around it */
	size_t names;    /* on the path inside it */
	/* $or: the rules each branch starts from; those of the branches so far */
	struct pattern_rules before, done;
};

struct parser {
	struct pattern_scan scan;
	struct pattern *pattern;
	struct pattern_rules rules; /* as far as read */
	struct parse_frame stack[PATTERN_DEPTH_MAX];
	size_t depth;
	struct buf path, name;
};

static void
rules_free(struct pattern_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rule[i].condition);
	free(rules->rule);
	*rules = (struct pattern_rules){ 0 };
}

static struct pattern_rules
rules_copy(const struct pattern_rules *from)
{
	struct pattern_rules to = { .rule = mem_array(from->n, sizeof(*to.rule)),
		.n = from->n };

	for (size_t i = 0; i < from->n; i++) {
		size_t n = from->rule[i].n;

		to.rule[i].n = n;
		to.rule[i].condition = mem_array(n, sizeof(*to.rule[i].condition));
		if (n != 0)
			memcpy(to.rule[i].condition, from->rule[i].condition,
				n * sizeof(*to.rule[i].condition));
	}
	return to;
}

/* Appends all of `from` to `to`. */
static void
rules_append(struct pattern_rules *to, struct pattern_rules *from)
{
	to->rule = mem_grow(to->rule, to->n + from->n, sizeof(*to->rule));
	memcpy(to->rule + to->n, from->rule, from->n * sizeof(*from->rule));
	to->n += from->n;
	free(from->rule);
	*from = (struct pattern_rules){ 0 };
}

static uint32_t
find_path(struct pattern *p, const struct buf *text)
{
	struct pattern_path *path;

	for (size_t i = 0; i < p->n_paths; i++)
		if (p->path[i].len == text->len &&
			memcmp(p->path[i].text, buf_str(text), text->len) == 0)
			return (uint32_t)i;
	p->path = mem_grow(p->path, p->n_paths + 1, sizeof(*p->path));
	path = &p->path[p->n_paths];
	*path = (struct pattern_path){ .text = mem_strndup(buf_str(text), text->len),
		.len = text->len,
		.condition = PATTERN_NONE,
		.mark = PATTERN_NONE };
	return (uint32_t)p->n_paths++;
}

/*
 * Adds a condition on the current path to all rules so far: the last condition on a path
 * counts.
 */
static int
add_condition(struct parser *ps)
{
	struct pattern *p = ps->pattern;
	uint32_t index = (uint32_t)p->n_conditions;
	struct pattern_condition *c;
	size_t entries = 0;

	p->condition = mem_grow(p->condition, p->n_conditions + 1, sizeof(*p->condition));
	c = &p->condition[p->n_conditions++];
	*c = (struct pattern_condition){ .path = find_path(p, &ps->path),
		.mark = PATTERN_NONE };
	for (size_t i = 0; i < ps->rules.n; i++) {
		struct pattern_rule *rule = &ps->rules.rule[i];
		size_t k = 0;

		while (k < rule->n && p->condition[rule->condition[k]].path != c->path)
			k++;
		if (k == rule->n)
			rule->condition = mem_grow(
				rule->condition, ++rule->n, sizeof(*rule->condition));
		rule->condition[k] = index;
		entries += rule->n;
	}
	if (entries > ENTRIES_MAX)
		return pattern_scan_fail(
			&ps->scan, "Rule is too complex - too many fields beside $or");
	return pattern_alternatives(&ps->scan, c);
}

static int
push(struct parser *ps, bool is_or, size_t path_len, size_t names)
{
	struct parse_frame *f;

	if (ps->depth == PATTERN_DEPTH_MAX)
		return pattern_scan_fail(&ps->scan, "Nested deeper than %d", PATTERN_DEPTH_MAX);
	f = &ps->stack[ps->depth];
	*f = (struct parse_frame){ .is_or = is_or,
		.path_len = path_len,
		.names = names,
		.in_or = is_or || (ps->depth != 0 && ps->stack[ps->depth - 1].in_or) };
	if (is_or) {
		f->before = ps->rules;
		ps->rules = (struct pattern_rules){ 0 };
	}
	ps->depth++;
	ps->scan.p++;
	return 0;
}

/* The end of an object; of a branch of $or, when it is one. */
static int
end_object(struct parser *ps)
{
	struct parse_frame *f = &ps->stack[ps->depth - 1], *outer = f - 1;

	if (f->members == 0)
		return pattern_scan_fail(&ps->scan, "Empty objects are not allowed");
	buf_truncate(&ps->path, f->path_len);
	ps->depth--;
	if (ps->depth != 0 && outer->is_or) {
		if (outer->done.n + ps->rules.n > PATTERN_RULES_MAX)
			return pattern_scan_fail(&ps->scan,
				"Rule is too complex - $or makes more than "
				"%d combinations",
				PATTERN_RULES_MAX);
		rules_append(&outer->done, &ps->rules);
	}
	return 0;
}

static int
end_or(struct parser *ps)
{
	struct parse_frame *f = &ps->stack[ps->depth - 1];

	if (f->members < 2)
		return pattern_scan_fail(
			&ps->scan, "There must have at least 2 Objects in $or relationship.");
	ps->rules = f->done;
	f->done = (struct pattern_rules){ 0 };
	rules_free(&f->before);
	ps->depth--;
	return 0;
}

static bool
is_reserved(const char *name)
{
	static const char *const names[] = { "exactly", "equals-ignore-case", "prefix",
		"suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "=", "<",
		"<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
		"date-after", "date-on-or-after", "date-before", "date-on-or-before",
		"in-date-range", "ip-address-in-range", "ip-address-not-in-range" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* "name": and the value that follows. */
static int
read_member(struct parser *ps)
{
	struct parse_frame *f = &ps->stack[ps->depth - 1];
	size_t path_len = ps->path.len;
	char next;

	if (pattern_scan_string(&ps->scan, &ps->name) != 0 ||
		pattern_scan_expect(&ps->scan, ':') != 0)
		return -1;
	next = pattern_scan_peek(&ps->scan);
	if (strcmp(buf_str(&ps->name), "$or") == 0) {
		if (next != '[')
			return pattern_scan_fail(
				&ps->scan, "It must be an Array followed with $or.");
		return push(ps, true, path_len, f->names);
	}
	if (f->in_or && is_reserved(buf_str(&ps->name)))
		return pattern_scan_fail(&ps->scan,
			"%s is Ruler reserved fieldName which cannot be "
			"used inside $or.",
			buf_str(&ps->name));
	if (next != '{' && next != '[')
		return pattern_scan_fail(&ps->scan, "\"%.60s\" must be an object or an array",
			buf_str(&ps->name));
	if (f->names != 0)
		buf_add_char(&ps->path, '.');
	buf_add(&ps->path, buf_str(&ps->name), ps->name.len);
	if (!buf_ok(&ps->path))
		return pattern_scan_fail(
			&ps->scan, "A path is longer than %d bytes", PATTERN_TEXT_MAX);
	if (next == '{')
		return push(ps, false, path_len, f->names + 1);
	if (add_condition(ps) != 0)
		return -1;
	buf_truncate(&ps->path, path_len);
	return 0;
}

static int
read_branch(struct parser *ps)
{
	struct parse_frame *f = &ps->stack[ps->depth - 1];

	if (pattern_scan_peek(&ps->scan) != '{')
		return pattern_scan_fail(
			&ps->scan, "Only JSON object is allowed in array of $or relationship.");
	ps->rules = rules_copy(&f->before);
	return push(ps, false, ps->path.len, f->names);
}

static int
read_next(struct parser *ps)
{
	struct parse_frame *f = &ps->stack[ps->depth - 1];

	if (pattern_scan_take(&ps->scan, f->is_or ? ']' : '}'))
		return f->is_or ? end_or(ps) : end_object(ps);
	if (f->members++ != 0 && pattern_scan_expect(&ps->scan, ',') != 0)
		return -1;
	return f->is_or ? read_branch(ps) : read_member(ps);
}

int
pattern_parse(struct pattern *pattern, const char *json, size_t len, struct err *err)
{
	struct parser *ps = mem_alloc(sizeof(*ps));
	int rc;

	ps->scan = (struct pattern_scan){
		.start = json, .p = json, .end = json + len, .err = err
	};
	ps->pattern = pattern;
	ps->rules = (struct pattern_rules){ .rule = mem_array(1, sizeof(struct pattern_rule)),
		.n = 1 };
	buf_init(&ps->path, PATTERN_TEXT_MAX);
	buf_init(&ps->name, PATTERN_TEXT_MAX);
	if (len > PATTERN_TEXT_MAX)
		rc = err_set(err, ERR_CONFIG,
			"Event pattern is not valid. Reason: longer than %d bytes",
			PATTERN_TEXT_MAX);
	else if (pattern_scan_peek(&ps->scan) != '{')
		rc = pattern_scan_fail(&ps->scan, "Filter is not an object");
	else
		rc = push(ps, false, 0, 0);
	while (rc == 0 && ps->depth != 0)
		rc = read_next(ps);
	if (rc == 0 && pattern_scan_peek(&ps->scan) != '\0')
		rc = pattern_scan_fail(&ps->scan, "Text behind the end of the pattern");
	pattern->rules = ps->rules;
	while (ps->depth-- != 0) {
		rules_free(&ps->stack[ps->depth].before);
		rules_free(&ps->stack[ps->depth].done);
	}
	buf_free(&ps->path);
	buf_free(&ps->name);
	free(ps);
	return rc;
}
