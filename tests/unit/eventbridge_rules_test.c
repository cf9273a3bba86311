// SPDX-License-Identifier: Apache-2.0
/* EventBridge: the rules of the bus, read and re-read, and what they let through. */
#define _GNU_SOURCE /* mkstemp, unsetenv */
#include "test.h"

#include "eventbridge_lab.h"

static const char *
routed(struct backend *b)
{
	struct event ev;
	const char *names;

	backend_event(&ev, event_text);
	names = backend_route(b, &ev);
	event_free(&ev);
	return names;
}

static enum refresh_result
rules_reply(struct backend *b, int status, const char *body)
{
	b->err.code = ERR_NONE;
	return backend_reply(b, "rules", 0, status, body);
}

#define NAMED(name, pattern, more) \
	"{\"Name\":\"" name "\",\"Arn\":\"" RULE name "\",\"EventPattern\":\"" pattern \
	"\"" more "}"

static void
named_rules_over_pages(void **state)
{
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: ['" RULE "r1', '" RULE "r2']");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_string_equal(
		b.req->body, "{\"EventBusName\":\"bus\",\"Limit\":100,\"NamePrefix\":\"r1\"}");
	assert_non_null(strstr(buf_str(&b.req->headers), "AWSEvents.ListRules"));
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("r10", "{}", "") "],\"NextToken\":\"t\\\"1\"}"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 1), 0);
	assert_string_equal(b.req->body,
		"{\"EventBusName\":\"bus\",\"Limit\":100,\"NamePrefix\":\"r1\",\"NextToken\":\"t\\\"1\"}");
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("r1", "{\\\"source\\\":[\\\"x\\\"]}", "") "]}"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 2), 0);
	assert_string_equal(
		b.req->body, "{\"EventBusName\":\"bus\",\"Limit\":100,\"NamePrefix\":\"r2\"}");
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("r2",
				"{\\\"detail\\\":{\\\"data\\\":{\\\"Vm\\\":{\\\"Name\\\":[{\\\"prefix\\\":\\\"a\\\"}]}}}}",
				"") "]}"),
		REFRESH_DONE);
	assert_int_equal(b.err.code, ERR_NONE);
	assert_string_equal(routed(&b), " ");
	/* edited at AWS: nothing fits any more */
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("r1", "{\\\"source\\\":[\\\"x\\\"]}", "") "]}"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 1), 0);
	assert_int_equal(rules_reply(&b, 200,
				 "{\"Rules\":[" NAMED("r2", "{\\\"source\\\":[\\\"y\\\"]}",
					 ",\"State\":\"DISABLED\"") "]}"),
		REFRESH_DONE);
	assert_non_null(strstr(b.err.text, "rule r2 is disabled"));
	assert_string_equal(routed(&b), "");
	/* gone: said, and the last good ones go on */
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"), REFRESH_FAILED);
	assert_string_equal(b.err.text, "rule r1 does not exist on event bus bus");
	assert_string_equal(routed(&b), "");
	backend_close(&b);
}

static void
all_rules_of_the_bus(void **state)
{
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: all");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_string_equal(b.req->body, "{\"EventBusName\":\"bus\",\"Limit\":100}");
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("off", "{\\\"source\\\":[{\\\"exists\\\":true}]}",
				",\"State\":\"DISABLED\"") ",{\"Name\":\"clock\",\"Arn\":\"x\",\"ScheduleExpression\":\"rate(1 day)\",\"State\":\"ENABLED\"}," NAMED("mine",
				"{\\\"account\\\":[\\\"123456789012\\\"],\\\"region\\\":[\\\"eu-west-1\\\"],\\\"id\\\":[\\\"unknown\\\"]}",
				",\"State\":\"ENABLED\"") "]}"),
		REFRESH_DONE);
	assert_string_equal(routed(&b), " ");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"), REFRESH_DONE);
	assert_non_null(strstr(b.err.text, "no enabled rule"));
	assert_string_equal(routed(&b), "");
	backend_close(&b);
}

#define ALL "{\\\"source\\\":[{\\\"exists\\\":true}]}"
#define NOTHING "{\\\"source\\\":[\\\"x\\\"]}"

enum { GRACE = 30000 };

/*
 * A list of rules that is empty or shorter than before takes events away from a rule only once
 * it has stood.
 */
static void
all_rules_are_missing_for_a_while(void **state)
{
	const char *denied =
		"{\"__type\":\"AccessDeniedException\",\"Message\":\"User is not authorized\"}";
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: all");
	b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = GRACE };
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"), REFRESH_UNCONFIRMED);
	assert_non_null(strstr(b.err.text, "no enabled rule"));
	assert_int_equal(
		b.p->refreshes[1].interval_ms(refresh_self(&b.p->refreshes[1], b.self)), GRACE);
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(
		rules_reply(&b, 200,
			"{\"Rules\":[" NAMED("a", ALL, "") "," NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_string_equal(routed(&b), " ");
	b.time.now_ms += GRACE;
	/*
	 * rule a is missing, then disabled, then a page fails and the right to read rules is
	 * gone: it decides on
	 */
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[" NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_string_equal(b.err.text,
		"rule a is missing from the list of the bus, or disabled: it stays in use until "
		"that is confirmed");
	assert_string_equal(routed(&b), " ");
	b.time.now_ms += GRACE - 1;
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200,
				 "{\"Rules\":[" NAMED("a", ALL,
					 ",\"State\":\"DISABLED\"") "],\"NextToken\":\"1\"}"),
		REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 1), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"), REFRESH_DONE);
	assert_non_null(strstr(b.err.text, "rule b and 1 more are missing"));
	assert_string_equal(routed(&b), " ");
	assert_int_equal(
		b.p->refreshes[1].interval_ms(refresh_self(&b.p->refreshes[1], b.self)), 1);
	b.time.now_ms += GRACE;
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(
		rules_reply(&b, 200, "{\"Rules\":[],\"NextToken\":\"1\"}"), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 1), 0);
	assert_int_equal(rules_reply(&b, 500, ""), REFRESH_FAILED);
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 400, denied), REFRESH_FAILED);
	assert_string_equal(routed(&b), " ");
	/* and so it is */
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[" NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_int_equal(b.err.code, ERR_NONE);
	assert_string_equal(routed(&b), "");
	assert_int_equal(
		b.p->refreshes[1].interval_ms(refresh_self(&b.p->refreshes[1], b.self)),
		300000);
	backend_close(&b);
}

/*
 * What no rule of the first list wants waits until a second list says the same; named rules are
 * there or are not.
 */
static void
what_no_rule_wants_yet(void **state)
{
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: all");
	b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = GRACE };
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[" NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_string_equal(routed(&b), "?");
	assert_int_equal(
		b.p->refreshes[1].interval_ms(refresh_self(&b.p->refreshes[1], b.self)), GRACE);
	b.time.now_ms += GRACE;
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[" NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_string_equal(routed(&b), "");
	backend_close(&b);
	open_with(&b, "ruleARN: '" RULE "b'");
	b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = GRACE };
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[" NAMED("b", NOTHING, "") "]}"),
		REFRESH_DONE);
	assert_string_equal(routed(&b), "");
	backend_close(&b);
}

/* A bus without rules is believed, too, once it has stood. */
static void
a_bus_without_rules(void **state)
{
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: all");
	b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = GRACE };
	for (int i = 0; i < 2; i++, b.time.now_ms += GRACE) {
		assert_int_equal(backend_ask(&b, "rules", 0), 0);
		assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"),
			i == 0 ? REFRESH_UNCONFIRMED : REFRESH_DONE);
	}
	assert_non_null(strstr(b.err.text, "no enabled rule"));
	assert_string_equal(routed(&b), "");
	backend_close(&b);
}

static void
patterns_that_only_aws_can_read_take_all(void **state)
{
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: '" RULE "r'");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200,
				 "{\"Rules\":[" NAMED("r",
					 "{\\\"a\\\":[{\\\"new-operator\\\":1}]}", "") "]}"),
		REFRESH_DONE);
	assert_non_null(strstr(b.err.text, "it matches every event"));
	assert_string_equal(routed(&b), " ");
	backend_close(&b);
}

static void
rules_that_cannot_be_listed(void **state)
{
	const char *denied =
		"{\"__type\":\"AccessDeniedException\",\"Message\":\"User is not authorized\"}";
	struct backend b;

	(void)state;
	open_with(&b, "ruleARN: '" RULE "r'");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 400, denied), REFRESH_MORE);
	assert_int_equal(backend_ask(&b, "rules", 1), 0);
	assert_string_equal(b.req->body, "{\"EventBusName\":\"bus\",\"Name\":\"r\"}");
	assert_non_null(strstr(buf_str(&b.req->headers), "AWSEvents.DescribeRule"));
	assert_int_equal(rules_reply(&b, 200, NAMED("r", "{\\\"source\\\":[\\\"x\\\"]}", "")),
		REFRESH_DONE);
	assert_string_equal(routed(&b), "");
	backend_close(&b);
	/* with no rule to read only the look at the bus is lost */
	open_with(&b, "");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_string_equal(b.req->body, "{\"EventBusName\":\"bus\",\"Limit\":1}");
	assert_int_equal(rules_reply(&b, 400, denied), REFRESH_DONE);
	assert_non_null(strstr(b.err.text, "a missing bus would not be detected"));
	backend_close(&b);
	open_with(&b, "ruleARN: all");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 400, denied), REFRESH_FAILED);
	assert_non_null(strstr(b.err.text, "needs events:ListRules"));
	backend_close(&b);
}

static void
garbage_for_rules(void **state)
{
	static const struct {
		int status;
		const char *body, *why;
	} rows[] = {
		{ 200, "", "not a list of rules" },
		{ 200, "<html>", "not a list of rules" },
		{ 200, "{\"Rules\":{}}", "not a list" },
		{ 200, "{\"Rules\":[1,null,{\"Arn\":3}]}", "does not exist" },
		{ 503, "<html>busy</html>", "HTTP 503, no AWS error" },
		{ 400, "{\"__type\":\"x#ThrottlingException\",\"message\":\"Rate exceeded\"}",
			"ListRules: HTTP 400 ThrottlingException: Rate" },
		{ 0, "no route", "no route" },
		{ 200,
			"{\"Rules\":[{\"Arn\":\"" RULE
			"r\",\"ScheduleExpression\":\"rate(1 day)\"}]}",
			"runs on a schedule" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;

		open_with(&b, "ruleARN: '" RULE "r'");
		assert_int_equal(backend_ask(&b, "rules", 0), 0);
		assert_int_equal(rules_reply(&b, rows[i].status, rows[i].body), REFRESH_FAILED);
		if (strstr(b.err.text, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].body, b.err.text);
		backend_close(&b);
	}
}

static void
a_missing_bus_is_noticed(void **state)
{
	struct outcome out[1];
	struct backend b;

	(void)state;
	open_with(&b, "");
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(
		rules_reply(&b, 400,
			"{\"__type\":\"ResourceNotFoundException\",\"message\":\"Event bus bus does not exist.\"}"),
		REFRESH_FAILED);
	assert_non_null(strstr(b.err.text, "event bus bus does not exist"));
	judge(&b, 200, "", "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"1\"}]}", 1, out,
		0);
	assert_int_equal(out[0].verdict, VERDICT_RETRY);
	assert_int_equal(backend_ask(&b, "rules", 0), 0);
	assert_int_equal(rules_reply(&b, 200, "{\"Rules\":[]}"), REFRESH_DONE);
	judge(&b, 200, "", "{\"FailedEntryCount\":0,\"Entries\":[{\"EventId\":\"1\"}]}", 1, out,
		0);
	assert_int_equal(out[0].verdict, VERDICT_DELIVERED);
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_rules_over_pages),
		cmocka_unit_test(all_rules_of_the_bus),
		cmocka_unit_test(all_rules_are_missing_for_a_while),
		cmocka_unit_test(what_no_rule_wants_yet),
		cmocka_unit_test(a_bus_without_rules),
		cmocka_unit_test(patterns_that_only_aws_can_read_take_all),
		cmocka_unit_test(rules_that_cannot_be_listed),
		cmocka_unit_test(garbage_for_rules),
		cmocka_unit_test(a_missing_bus_is_noticed),
	};

	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_REGION");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
