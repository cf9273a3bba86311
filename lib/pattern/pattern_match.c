// SPDX-License-Identifier: Apache-2.0
/*
 * Decides whether the rules hold for the marks of an event. Conditions are evaluated in the
 * order of their paths, as event-ruler does (the order matters for exists:false), with the set
 * of all choices of array elements that are still possible. A choice in an array that has no
 * value on a later path is dropped, which keeps the set small.
 */
#include <string.h>

#include "mem.h"
#include "pattern_rule.h"

enum {
	STATES_MAX = 1 << 16,
	STEPS_MAX = 4 * 1000 * 1000, /* comparisons of scopes for one event */
};

struct match_state {
	struct pattern *pattern;
	uint32_t path; /* of the current condition */
	size_t steps;
	bool limit; /* out of steps, states or tips */
};

/* Whether both scopes may be chosen: not when they are in different elements of one array. */
static bool
consistent(struct match_state *search, uint32_t a, uint32_t b)
{
	const struct pattern_scope *scope = search->pattern->scope;

	if (++search->steps > STEPS_MAX)
		search->limit = true;
	while (scope[a].depth > scope[b].depth)
		a = scope[a].parent;
	while (scope[b].depth > scope[a].depth)
		b = scope[b].parent;
	if (a == b)
		return true;
	for (; scope[a].parent != scope[b].parent; a = scope[a].parent, b = scope[b].parent)
		;
	return scope[a].array != scope[b].array;
}

static bool
fits(struct match_state *search, const struct pattern_state *state, uint32_t scope)
{
	for (unsigned i = 0; i < state->n; i++)
		if (!consistent(search, state->tip[i], scope))
			return false;
	return true;
}

static bool
is_above(const struct pattern_scope *scope, uint32_t upper, uint32_t lower)
{
	while (scope[lower].depth > scope[upper].depth)
		lower = scope[lower].parent;
	return lower == upper;
}

/* state plus one more scope; false when that needs too many tips. */
static bool
choose(const struct pattern_scope *scope, struct pattern_state *state, uint32_t place)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < state->n; i++)
		if (is_above(scope, place, state->tip[i]))
			return true;
	for (unsigned i = 0; i < state->n; i++)
		if (!is_above(scope, state->tip[i], place))
			state->tip[kept++] = state->tip[i];
	state->n = kept;
	if (kept == PATTERN_TIPS)
		return false;
	state->tip[state->n++] = place;
	return true;
}

/* Drops choices in arrays that no later path enters. */
static void
forget(const struct pattern *p, uint32_t path, struct pattern_state *state)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < state->n; i++) {
		uint32_t tip = state->tip[i];
		bool known = false;

		while (tip != 0 && p->array[p->scope[tip].array].last_path <= path)
			tip = p->scope[tip].parent;
		for (unsigned k = 0; k < kept; k++)
			known = known || is_above(p->scope, tip, state->tip[k]);
		if (tip != 0 && !known)
			state->tip[kept++] = tip;
	}
	state->n = kept;
}

/*
 * Whether the state is already in the set. Exact for states with at most one tip, which is
 * nearly all.
 */
static bool
is_known(struct pattern *p, const struct pattern_state *state)
{
	uint32_t tip = state->n == 0 ? 0 : state->tip[0];

	if (state->n > 1)
		return false;
	if (p->scope[tip].seen == p->stamp)
		return true;
	p->scope[tip].seen = p->stamp;
	return false;
}

static void
add_state(struct match_state *search, struct pattern_state state)
{
	struct pattern *p = search->pattern;
	struct pattern_states *then = &p->then;

	forget(p, search->path, &state);
	if (is_known(p, &state))
		return;
	if (then->n == STATES_MAX) {
		search->limit = true;
		return;
	}
	if (then->n == then->cap) {
		then->cap = then->cap ? then->cap * 2 : 16;
		then->state = mem_grow(then->state, then->cap, sizeof(*then->state));
	}
	then->state[then->n++] = state;
}

static bool
is_absent(struct match_state *search, const struct pattern_state *state)
{
	const struct pattern *p = search->pattern;

	for (uint32_t m = p->path[search->path].mark; m != PATTERN_NONE; m = p->mark[m].next)
		if (fits(search, state, p->mark[m].scope))
			return false;
	return true;
}

/* All states that follow from one state by one condition. */
static void
follow(struct match_state *search, const struct pattern_condition *c,
	const struct pattern_state *from)
{
	const struct pattern *p = search->pattern;

	if (c->absent && is_absent(search, from))
		add_state(search, *from);
	for (uint32_t m = c->mark; m != PATTERN_NONE && !search->limit; m = p->mark[m].next) {
		struct pattern_state next = *from;

		if (!fits(search, from, p->mark[m].scope))
			continue;
		if (p->mark[m].scope != 0 && !choose(p->scope, &next, p->mark[m].scope))
			search->limit = true;
		else
			add_state(search, next);
	}
}

/*
 * No mark, and the condition cannot hold without one: the rule does not match, whatever the
 * arrays are.
 */
static bool
is_hopeless(const struct pattern *p, const struct pattern_rule *rule)
{
	for (size_t i = 0; i < rule->n; i++) {
		const struct pattern_condition *c = &p->condition[rule->condition[i]];

		if (!c->assumed && !c->absent && c->mark == PATTERN_NONE)
			return true;
	}
	return false;
}

static bool
rule_holds(struct match_state *search, const struct pattern_rule *rule)
{
	struct pattern *p = search->pattern;

	p->then.n = 0;
	search->path = 0;
	p->stamp++;
	add_state(search, (struct pattern_state){ 0 });
	for (size_t i = 0; i < rule->n && p->then.n != 0 && !search->limit; i++) {
		const struct pattern_condition *c = &p->condition[rule->condition[i]];
		struct pattern_states now = p->then;

		if (c->assumed)
			continue;
		p->then = p->now;
		p->now = now;
		p->then.n = 0;
		p->stamp++;
		search->path = c->path;
		for (size_t k = 0; k < p->now.n && !search->limit; k++)
			follow(search, c, &p->now.state[k]);
	}
	return p->then.n != 0 && !search->limit;
}

int
pattern_rules_hold(struct pattern *pattern, struct err *err)
{
	struct match_state search = { .pattern = pattern };

	for (size_t i = 0; i < pattern->rules.n; i++) {
		if (is_hopeless(pattern, &pattern->rules.rule[i]))
			continue;
		if (rule_holds(&search, &pattern->rules.rule[i]))
			return 1;
		if (search.limit)
			return err_set(err, ERR_LIMIT,
				"the event's arrays need too many steps for the pattern");
	}
	return 0;
}
