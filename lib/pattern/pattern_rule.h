// SPDX-License-Identifier: Apache-2.0
/*
 * A compiled pattern. $or is expanded: a pattern is a list of rules, a rule is a list of
 * conditions that must all hold, a condition is a path and its alternatives.
 *
 * An event is first reduced to marks: for each condition, the scopes in which it holds. A scope
 * is the root, or an element of an array; its parent is the scope around that array. A rule
 * holds when each condition has a mark such that no two of these marks are in different
 * elements of the same array.
 */
#ifndef VCOURIER_PATTERN_RULE_H
#define VCOURIER_PATTERN_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "pattern.h"
#include "pattern_value.h"

#define PATTERN_NONE UINT32_MAX /* the end of a list of indexes */

struct pattern_condition {
	struct pattern_test *test; /* alternatives */
	size_t n_tests;
	uint32_t path;
	uint32_t next; /* the next condition on the same path, or PATTERN_NONE */
	bool absent;   /* one alternative is {"exists": false} */
	bool assumed;
	uint32_t mark; /* of this event: the last place where it holds, or PATTERN_NONE */
};

struct pattern_path {
	char *text;
	size_t len;
	uint32_t condition; /* the first on it */
	bool absent;   /* a condition on it requires absence: all values on it are marked */
	uint32_t mark; /* of this event: the last place of any value */
};

struct pattern_rule {
	uint32_t *condition; /* in the order of their paths */
	size_t n;
};

struct pattern_rules {
	struct pattern_rule *rule;
	size_t n;
};

struct pattern_mark {
	uint32_t scope, next;
};

struct pattern_scope {
	uint32_t parent, array; /* element of which array, in which scope; 0: the root */
	uint32_t depth;
	uint32_t seen; /* stamp: already among the next states */
};

struct pattern_array {
	uint32_t last_path; /* the last path, in their order, that has a value inside */
};

enum { PATTERN_TIPS = 4 };

/* The elements chosen so far: the deepest of each chain; none contains another. */
struct pattern_state {
	uint32_t tip[PATTERN_TIPS];
	unsigned n;
};

struct pattern_states {
	struct pattern_state *state;
	size_t n, cap;
};

struct pattern {
	struct pattern_path *path; /* sorted by text */
	size_t n_paths;
	struct pattern_condition *condition;
	size_t n_conditions;
	struct pattern_rules rules;

	/* scratch, kept from event to event */
	struct pattern_mark *mark;
	size_t n_marks, cap_marks;
	struct pattern_scope *scope;
	size_t n_scopes, cap_scopes;
	struct pattern_array *array;
	size_t n_arrays, cap_arrays;
	struct pattern_states now, then;
	uint32_t stamp;
	struct buf key, text;
};

/* Parses the text into path, condition (by path number in the order of first use) and rules. */
int pattern_parse(struct pattern *pattern, const char *json, size_t len, struct err *err);

/* Reads the alternatives of a condition: '[' is next. */
struct pattern_scan;
int pattern_alternatives(struct pattern_scan *s, struct pattern_condition *condition);

/* Fills in marks, scopes and arrays from the text of an event. */
int pattern_event_read(struct pattern *pattern, const char *event, size_t len, struct err *err);

/* 1, 0, or -1 and ERR_LIMIT. */
int pattern_rules_hold(struct pattern *pattern, struct err *err);

#endif
