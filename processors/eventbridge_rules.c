// SPDX-License-Identifier: Apache-2.0
/*
 * The rules of the bus, read again on a timer: by ListRules, or DescribeRule when denied. The
 * same call shows whether the bus exists, because PutEvents "succeeds" without it, too.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "aws_reply.h"
#include "clock.h"
#include "eventbridge.h"
#include "json.h"
#include "json_member.h"
#include "mem.h"
#include "text.h"

enum { PAGE = 100, PAGES_MAX = 1000 };

/* Members that AWS sets in the envelope: conditions on them count as met. */
static void
assume_unknown(struct eventbridge *self, struct pattern *pattern)
{
	pattern_assume(pattern, "id");
	if (self->envelope.account == NULL || *self->envelope.account == '\0')
		pattern_assume(pattern, "account");
}

/* arn:aws:events:<region>:<account>:rule/[<bus>/]<name>, on this bus. */
static int
check_rule(struct eventbridge *self, const char *text, struct err *err)
{
	struct aws_arn arn;
	const char *name, *bus;
	size_t bus_len;

	if (!aws_arn_parse(text, &arn) || strcmp(arn.service, "events") != 0 ||
		!text_starts(arn.resource, "rule/") || arn.resource[5] == '\0')
		return err_set(
			err, ERR_CONFIG, "ruleARN: \"%.120s\" is not an ARN of a rule", text);
	bus = arn.resource + 5;
	name = strrchr(bus, '/');
	bus_len = name == NULL ? 0 : (size_t)(name - bus);
	name = name == NULL ? bus : name + 1;
	if (bus_len == 0) {
		bus = "default";
		bus_len = strlen(bus);
	}
	if (strlen(self->bus_name) != bus_len || memcmp(self->bus_name, bus, bus_len) != 0)
		return err_set(err, ERR_CONFIG,
			"ruleARN: rule %.64s is on bus %.*s, eventBus is %.64s", name,
			(int)(bus_len < 64 ? bus_len : 64), bus, self->bus_name);
	if (strcmp(arn.region, self->region) != 0)
		return err_set(err, ERR_CONFIG,
			"ruleARN: rule %.64s is in region %.40s, events go to %.40s", name,
			arn.region, self->region);
	if (self->account == NULL)
		self->account = mem_strdup(arn.account);
	return 0;
}

static int
open_local(struct eventbridge *self, struct err *err)
{
	const char *text = self->config->pattern;
	struct eventbridge_rule *rule = eventbridge_ruleset_add(&self->rules, "", "pattern");

	self->choice = RULES_LOCAL;
	if (pattern_compile(&rule->pattern, text, strlen(text), err) != 0)
		return err_wrap(err, "pattern");
	assume_unknown(self, rule->pattern);
	self->loaded = self->settled = true;
	return 0;
}

int
eventbridge_rules_open(struct eventbridge *self, struct err *err)
{
	char **rules = self->config->rules;
	bool any = rules != NULL && rules[0] != NULL;

	self->envelope = (struct aws_envelope){ .region = self->region,
		.resources = self->config->resources };
	if (self->bus_name != self->config->bus)
		self->account = mem_strdup(self->bus_arn.account);
	self->choice = RULES_NONE;
	if (any && rules[1] == NULL && strcmp(rules[0], "all") == 0)
		self->choice = RULES_ALL;
	else if (any && (rules[1] != NULL || strcmp(rules[0], "none") != 0))
		self->choice = RULES_NAMED;
	for (size_t i = 0; self->choice == RULES_NAMED && rules[i] != NULL; i++) {
		if (i == EVENTBRIDGE_RULES_MAX)
			return err_set(err, ERR_CONFIG, "ruleARN: more than %d rules",
				EVENTBRIDGE_RULES_MAX);
		if (check_rule(self, rules[i], err) != 0)
			return -1;
	}
	self->envelope.account = self->account != NULL ? self->account : "";
	return self->config->pattern != NULL ? open_local(self, err) : 0;
}

void
eventbridge_rules_close(struct eventbridge *self)
{
	eventbridge_ruleset_free(&self->rules);
	eventbridge_ruleset_free(&self->next);
	free(self->next_token);
	free(self->account);
}

/* ---- requests */

int64_t
eventbridge_rules_interval_ms(void *p)
{
	const struct eventbridge *self = p;

	int64_t interval = self->config->rules_interval_ms;

	return self->confirm_ms > 0 && self->confirm_ms < interval ? self->confirm_ms
								   : interval;
}

static void
begin(struct eventbridge *self)
{
	char **arn = self->config->rules;

	eventbridge_ruleset_free(&self->next);
	free(self->next_token);
	self->next_token = NULL;
	self->asking = 0;
	self->pages = 0;
	self->describing = false;
	for (; self->choice == RULES_NAMED && *arn != NULL; arn++)
		eventbridge_ruleset_add(&self->next, *arn, strrchr(*arn, '/') + 1);
}

static void
add_member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ",\"%s\":", name);
	json_add_string(out, value, strlen(value));
}

enum refresh_step
eventbridge_rules_request(void *p, unsigned step, struct http_request *req, struct err *err)
{
	struct eventbridge *self = p;
	struct buf *body = &req->own_body;
	const char *bus = self->config->bus;

	if (self->credentials.generation == 0) /* their own refresh reports a failure */
		return REFRESH_WAIT;
	if (step == 0)
		begin(self);
	buf_add_str(body, "{\"EventBusName\":");
	json_add_string(body, bus, strlen(bus));
	if (self->describing)
		add_member(body, "Name", self->next.rule[self->asking].name);
	else
		buf_printf(body, ",\"Limit\":%d",
			self->choice == RULES_NAMED || self->choice == RULES_ALL ? PAGE : 1);
	if (self->choice == RULES_NAMED && !self->describing)
		add_member(body, "NamePrefix", self->next.rule[self->asking].name);
	if (self->next_token != NULL)
		add_member(body, "NextToken", self->next_token);
	buf_add_char(body, '}');
	return eventbridge_prepare(
		self, self->describing ? "DescribeRule" : "ListRules", req, err);
}

/* ---- replies */

/* Takes a rule from the reply. A pattern that cannot be parsed here matches every event. */
static int
take_rule(struct eventbridge *self, struct eventbridge_rule *rule, const cJSON *said,
	struct err *warning)
{
	const char *text = json_member_text(said, "EventPattern");

	rule->found = true;
	rule->disabled = strcmp(json_member_text(said, "State"), "DISABLED") == 0;
	if (*text == '\0')
		return -1;
	if (pattern_compile(&rule->pattern, text, strlen(text), warning) != 0)
		err_wrap(warning,
			"rule %.64s: its pattern cannot be parsed, so it matches every event",
			rule->name);
	else
		assume_unknown(self, rule->pattern);
	return 0;
}

static int
take_page(struct eventbridge *self, const cJSON *page, struct err *err, struct err *warning)
{
	const cJSON *said;
	struct eventbridge_rule *rule = self->choice == RULES_NAMED
		? &self->next.rule[self->asking]
		: NULL;

	cJSON_ArrayForEach(said, json_member(page, "Rules")) {
		if (self->choice == RULES_ALL) {
			const char *arn = json_member_text(said, "Arn");
			struct aws_arn parts;

			if (self->account == NULL && aws_arn_parse(arn, &parts)) {
				self->account = mem_strdup(parts.account);
				self->envelope.account = self->account;
			}
			if (*json_member_text(said, "EventPattern") == '\0' ||
				strcmp(json_member_text(said, "State"), "DISABLED") == 0)
				continue;
			if (self->next.n == EVENTBRIDGE_RULES_MAX * 10)
				return err_set(err, ERR_LIMIT, "the bus has more than %d rules",
					EVENTBRIDGE_RULES_MAX * 10);
			take_rule(self,
				eventbridge_ruleset_add(
					&self->next, arn, json_member_text(said, "Name")),
				said, warning);
		} else if (rule != NULL && !rule->found &&
			strcmp(json_member_text(said, "Arn"), rule->arn) == 0 &&
			take_rule(self, rule, said, warning) != 0) {
			return err_set(err, ERR_CONFIG,
				"rule %.64s has no event pattern: it runs on a schedule",
				rule->name);
		}
	}
	return 0;
}

/*
 * The list of all rules is complete, but it may not be true yet. A rule that it omits stays in
 * use until its absence is confirmed. Named rules cannot be omitted: one that is not found
 * fails the refresh.
 */
static enum refresh_result
check_list(struct eventbridge *self, const struct refresh_time *time, struct err *err)
{
	size_t kept = eventbridge_ruleset_keep(
		&self->next, &self->rules, time, &self->confirm_ms);
	bool settled = absence_confirmed(&self->others, time);

	if (kept == 1)
		err_set(err, ERR_NOT_FOUND,
			"rule %.64s is missing from the list of the bus, or disabled: it stays in use until "
			"that is confirmed",
			self->next.rule[self->next.n - 1].name);
	else if (kept > 1)
		err_set(err, ERR_NOT_FOUND,
			"rule %.64s and %zu more are missing from the list of the bus, or disabled: they "
			"stay in use until that is confirmed",
			self->next.rule[self->next.n - kept].name, kept - 1);
	else if (self->next.n == 0)
		err_set(err, ERR_CONFIG,
			"the bus has no enabled rule with an event pattern: nothing is sent");
	if (!settled)
		self->confirm_ms = absence_left_ms(&self->others, time);
	if (!settled && self->next.n == 0)
		return REFRESH_UNCONFIRMED;
	self->settled = settled;
	return REFRESH_DONE;
}

/* All rules are read: use them. */
static enum refresh_result
finish(struct eventbridge *self, const struct refresh_time *time, struct err *err)
{
	self->bus_missing = false;
	self->looked = true;
	self->confirm_ms = 0;
	if (self->choice != RULES_NAMED && self->choice != RULES_ALL)
		return REFRESH_DONE;
	for (size_t i = 0; i < self->next.n && err->code == ERR_NONE; i++)
		if (self->next.rule[i].disabled)
			err_set(err, ERR_CONFIG,
				"rule %.64s is disabled: its pattern still decides what is sent, but "
				"AWS does not act on it",
				self->next.rule[i].name);
	self->settled = true;
	if (self->choice == RULES_ALL && check_list(self, time, err) != REFRESH_DONE)
		return REFRESH_UNCONFIRMED;
	eventbridge_ruleset_free(&self->rules);
	self->rules = self->next;
	self->next = (struct eventbridge_rules){ 0 };
	self->loaded = true;
	self->version++;
	return REFRESH_DONE;
}

/* After a page (or a description): the next one, the next rule, or the end. */
static enum refresh_result
go_on(struct eventbridge *self, const char *token, const struct refresh_time *time,
	struct err *err)
{
	bool named = self->choice == RULES_NAMED;

	free(self->next_token);
	self->next_token = NULL;
	if (*token != '\0' &&
		(self->choice == RULES_ALL ||
			(named && !self->next.rule[self->asking].found))) {
		if (++self->pages == PAGES_MAX) {
			err_set(err, ERR_LIMIT, "ListRules returns too many pages");
			return REFRESH_FAILED;
		}
		self->next_token = mem_strdup(token);
		return REFRESH_MORE;
	}
	if (named && !self->next.rule[self->asking].found) {
		err_set(err, ERR_NOT_FOUND, "rule %.64s does not exist on event bus %.64s",
			self->next.rule[self->asking].name, self->bus_name);
		return REFRESH_FAILED;
	}
	if (named && ++self->asking < self->next.n)
		return REFRESH_MORE;
	return finish(self, time, err);
}

static enum refresh_result
refused(struct eventbridge *self, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct aws_error e;
	enum aws_class class;

	aws_error_read(rsp, &e);
	class = aws_error_class(e.code);
	aws_error_explain(rsp, &e, err);
	if (class == AWS_SKEW)
		eventbridge_correct_clock(self, rsp, clock_wall_us());
	if (strcmp(e.code, "ResourceNotFoundException") == 0 &&
		strstr(e.message, "Rule ") == NULL) {
		self->bus_missing = true;
		err_set(err, ERR_NOT_FOUND,
			"event bus %.64s does not exist (PutEvents would lose events silently)",
			self->bus_name);
		return REFRESH_FAILED;
	}
	if (class != AWS_REFUSED || strncmp(e.code, "AccessDenied", 12) != 0) {
		err_wrap(err, self->describing ? "DescribeRule" : "ListRules");
		return REFRESH_FAILED;
	}
	if (self->choice == RULES_NAMED && !self->describing) {
		self->describing = true;
		return REFRESH_MORE;
	}
	if (self->choice == RULES_NONE || self->choice == RULES_LOCAL) {
		err_wrap(err, "ListRules is denied, so a missing bus would not be detected");
		return finish(self, time, &(struct err){ .code = ERR_NONE });
	}
	err_wrap(err, "reading rules needs events:ListRules");
	return REFRESH_FAILED;
}

enum refresh_result
eventbridge_rules_response(void *p, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct eventbridge *self = p;
	struct err warning = { .code = ERR_NONE };
	enum refresh_result result;
	cJSON *page;

	(void)step;
	if (rsp->error != ERR_NONE) {
		*err = rsp->why;
		return REFRESH_FAILED;
	}
	if (rsp->status != 200)
		return refused(self, rsp, time, err);
	page = cJSON_ParseWithLength(rsp->body, rsp->body_len);
	if (!cJSON_IsObject(page) ||
		(!self->describing && !cJSON_IsArray(json_member(page, "Rules")))) {
		err_set(err, ERR_PROTOCOL, "%s: the reply is not a list of rules",
			self->describing ? "DescribeRule" : "ListRules");
		result = REFRESH_FAILED;
	} else if (self->describing) {
		if (take_rule(self, &self->next.rule[self->asking], page, &warning) == 0) {
			result = go_on(self, "", time, &warning);
		} else {
			err_set(err, ERR_CONFIG,
				"rule %.64s has no event pattern: it runs on a schedule",
				self->next.rule[self->asking].name);
			result = REFRESH_FAILED;
		}
	} else if (take_page(self, page, err, &warning) != 0) {
		result = REFRESH_FAILED;
	} else {
		result = go_on(self, json_member_text(page, "NextToken"), time, &warning);
	}
	cJSON_Delete(page);
	if (warning.code != ERR_NONE && (err->code == ERR_NONE || result != REFRESH_FAILED))
		*err = warning;
	return result;
}
