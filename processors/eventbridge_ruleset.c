// SPDX-License-Identifier: Apache-2.0
/*
 * The set of rules that decide which events are sent: the set in use, and the set that is being
 * read.
 */
#include <stdlib.h>
#include <string.h>

#include "eventbridge.h"
#include "mem.h"

enum { RULES_MAX = EVENTBRIDGE_RULES_MAX * 10 };

static void
rule_free(struct eventbridge_rule *rule)
{
	free(rule->arn);
	free(rule->name);
	pattern_free(rule->pattern);
}

void
eventbridge_ruleset_free(struct eventbridge_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		rule_free(&rules->rule[i]);
	free(rules->rule);
	*rules = (struct eventbridge_rules){ 0 };
}

static struct eventbridge_rule *
one_more(struct eventbridge_rules *rules)
{
	rules->rule = mem_grow(rules->rule, rules->n + 1, sizeof(*rules->rule));
	return &rules->rule[rules->n++];
}

struct eventbridge_rule *
eventbridge_ruleset_add(struct eventbridge_rules *rules, const char *arn, const char *name)
{
	struct eventbridge_rule *rule = one_more(rules);

	*rule = (struct eventbridge_rule){ .arn = mem_strdup(arn), .name = mem_strdup(name) };
	return rule;
}

static bool
has(const struct eventbridge_rules *rules, size_t n, const char *arn)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rules->rule[i].arn, arn) == 0)
			return true;
	return false;
}

size_t
eventbridge_ruleset_keep(struct eventbridge_rules *next, struct eventbridge_rules *old,
	const struct refresh_time *time, int64_t *confirm_ms)
{
	size_t listed = next->n, kept = 0;

	for (size_t i = 0; i < old->n && next->n < RULES_MAX; i++) {
		struct eventbridge_rule *rule = &old->rule[i];
		int64_t left;

		if (has(next, listed, rule->arn) || absence_confirmed(&rule->absence, time))
			continue;
		left = absence_left_ms(&rule->absence, time);
		if (kept++ == 0 || left < *confirm_ms)
			*confirm_ms = left;
		*one_more(next) = *rule;
		*rule = (struct eventbridge_rule){ 0 };
	}
	return kept;
}

bool
eventbridge_ruleset_wants(const struct eventbridge_rules *rules, const struct buf *text)
{
	for (size_t i = 0; i < rules->n; i++) {
		struct pattern *pattern = rules->rule[i].pattern;

		/* an undecided event is sent: AWS evaluates it again */
		if (pattern == NULL || !buf_ok(text) ||
			pattern_match(pattern, buf_str(text), text->len, NULL) != 0)
			return true;
	}
	return false;
}
