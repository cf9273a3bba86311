// SPDX-License-Identifier: Apache-2.0
/* Shared by the files of the EventBridge processor. */
#ifndef VCOURIER_EVENTBRIDGE_H
#define VCOURIER_EVENTBRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "absence.h"
#include "aws_credentials.h"
#include "aws_endpoint.h"
#include "aws_envelope.h"
#include "http_options.h"
#include "pattern.h"
#include "processor.h"
#include "sigv4.h"
#include "sigv4a.h"

enum {
	/* https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
	EVENTBRIDGE_ENTRIES_MAX = 10,
	EVENTBRIDGE_TIME_BYTES = 14, /* size of Time in an entry */
	/* the limit until 2026-01, and still the limit of some partitions */
	EVENTBRIDGE_BYTES_OLD = 256 * 1024,
	EVENTBRIDGE_TRACE_MAX = 500,
	EVENTBRIDGE_DETAIL_TYPE_MAX = 128,
	EVENTBRIDGE_RULES_MAX = 300, /* of one bus, AWS's quota */
};

enum eventbridge_oversize { OVERSIZE_DEAD_LETTER, OVERSIZE_TRIM };
enum eventbridge_auth { EVENTBRIDGE_ACCESS_KEY, EVENTBRIDGE_IAM_ROLE };

struct eventbridge_config {
	char *region, *bus, *endpoint, *endpoint_id, *pattern;
	char **rules, **resources;
	bool fips, dual_stack, trace_header;
	int type_style, oversize;
	int64_t request_bytes_max, rules_interval_ms;
	struct eventbridge_auth_config {
		int type; /* enum eventbridge_auth */
		struct aws_keys_config keys;
	} auth;
	struct http_options http;
};

extern const struct config_field eventbridge_fields[];

struct eventbridge_rule {
	char *arn, *name;
	bool found, disabled;
	/* NULL: matches every event (AWS accepted a pattern that we cannot parse) */
	struct pattern *pattern;
	struct absence absence; /* is it missing from the list of all rules? */
};

struct eventbridge_rules {
	struct eventbridge_rule *rule;
	size_t n;
};

enum eventbridge_choice {
	RULES_NONE,  /* every event is sent */
	RULES_LOCAL, /* `pattern` decides */
	RULES_NAMED, /* those of ruleARN */
	RULES_ALL,   /* all of the bus */
};

struct eventbridge {
	const struct eventbridge_config *config;
	struct http_peer peer;
	char *region;
	struct eventbridge_endpoint {
		char *url, *host, *path;
	} regional, global; /* global: where PutEvents goes with endpointId; all NULL without */
	const char
		*bus_name; /* without the rest of the ARN; points into config->bus or bus_arn */
	struct aws_arn bus_arn; /* when config->bus is one */

	struct aws_credentials credentials;
	uint64_t generation; /* of the credentials in the signer */
	struct sigv4 signer;
	struct sigv4a global_signer;
	int64_t skew_s;   /* AWS's clock minus ours */
	size_t bytes_max; /* limit of one request, as far as known */

	/* eventbridge_rules.c */
	enum eventbridge_choice choice;
	struct aws_envelope envelope;
	char *account;
	struct eventbridge_rules rules, next; /* in use; being read */
	bool loaded;                          /* the rules in use are complete */
	bool settled;                         /* an event that matches no rule is filtered */
	uint64_t version;                     /* of the rules in use */
	struct absence others; /* of further rules: the first list may be incomplete */
	int64_t confirm_ms;    /* time until an absence can be confirmed; 0: none is waiting */
	bool looked;           /* the bus has been found once */
	bool bus_missing, describing;
	size_t asking; /* the rule of `next` that is requested */
	char *next_token;
	unsigned pages;

	struct buf text, type; /* scratch */
};

/*
 * Signs and addresses a request of one operation ("PutEvents") whose body is in req->own_body.
 */
int eventbridge_prepare(struct eventbridge *self, const char *operation,
	struct http_request *req, struct err *err);

/* eventbridge_open.c */
int eventbridge_open(void **out, const void *config, struct err *err);
void eventbridge_close(void *self);

/* eventbridge_ruleset.c */
void eventbridge_ruleset_free(struct eventbridge_rules *rules);
struct eventbridge_rule *eventbridge_ruleset_add(
	struct eventbridge_rules *rules, const char *arn, const char *name);
/*
 * Moves those rules of `old`, in use until now, into `next` that it lacks and whose absence is
 * not confirmed yet. Returns their number, and the time until the absence of the first of them
 * can be confirmed.
 */
size_t eventbridge_ruleset_keep(struct eventbridge_rules *next, struct eventbridge_rules *old,
	const struct refresh_time *time, int64_t *confirm_ms);
/* text: the event in its envelope; if it is too large to be matched, it counts as wanted */
bool eventbridge_ruleset_wants(const struct eventbridge_rules *rules, const struct buf *text);

/* eventbridge_rules.c */
int eventbridge_rules_open(struct eventbridge *self, struct err *err);
void eventbridge_rules_close(struct eventbridge *self);
int64_t eventbridge_rules_interval_ms(void *self);
enum refresh_step eventbridge_rules_request(
	void *self, unsigned step, struct http_request *req, struct err *err);
enum refresh_result eventbridge_rules_response(void *self, unsigned step,
	const struct http_response *rsp, const struct refresh_time *time, struct err *err);
uint64_t eventbridge_route_version(void *self);
int eventbridge_route(
	void *self, const struct event *ev, struct targets *targets, struct err *err);

/* eventbridge_entry.c: one event as an entry of PutEvents */
/* -1: no bus would accept it */
int eventbridge_entry_check(const struct event *ev, struct err *err);
size_t eventbridge_weight(void *self, const struct event *ev);
/* Appends the entry; -1: the event cannot be an entry. *weight: its size as AWS counts it. */
int eventbridge_entry_add(struct eventbridge *self, const struct event *ev, struct buf *out,
	size_t *weight, struct err *err);

/* eventbridge_reply.c */
void eventbridge_judge(void *self, const struct target *target, const struct http_response *rsp,
	size_t n, struct outcome *out);
/*
 * For a reply that AWS rejected because of its date: true when the clock's offset was corrected
 * and a retry makes sense.
 */
bool eventbridge_correct_clock(
	struct eventbridge *self, const struct http_response *rsp, int64_t now_us);

#endif
