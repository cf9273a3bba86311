// SPDX-License-Identifier: Apache-2.0
/*
 * OpenFaaS: lists of functions that are empty, partial or not yet true, and when they are
 * believed.
 */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "openfaas_functions_lab.h"

static int64_t
interval(struct backend *b)
{
	return b->p->refreshes[0].interval_ms(refresh_self(&b->p->refreshes[0], b->self));
}

/*
 * A gateway that has just started lists nothing for a while; whoever starts with it must not
 * believe that.
 */
static void
an_empty_list_is_believed_late(void **state)
{
	struct backend b;

	(void)state;
	open_at(&b, START);
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[]"), REFRESH_UNCONFIRMED);
	assert_string_equal(
		b.err.text, "functions: the gateway lists no function with a topic");
	assert_int_equal(interval(&b), 10000);
	b.time.now_ms += GRACE - 1;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" NO_TOPIC("f") "]"), REFRESH_UNCONFIRMED);
	assert_int_equal(interval(&b), 1); /* the next look is the one that confirms it */
	b.time.now_ms += 1;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[]"), REFRESH_DONE);
	assert_string_equal(
		b.err.text, "functions: the gateway lists no function with a topic");
	assert_string_equal(who_wants(&b, "A"), "");
	assert_int_equal(interval(&b), 10000);
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_int_equal(b.err.code, ERR_NONE);
	assert_string_equal(who_wants(&b, "A"), " f.fn");
	backend_close(&b);
}

/*
 * The first list may be short of functions: what none of them wants waits until a second list
 * says the same.
 */
static void
what_no_function_wants_yet(void **state)
{
	struct backend b;

	(void)state;
	open_at(&b, START);
	assert_string_equal(who_wants(&b, "A"), "?");
	assert_int_equal(
		LISTS(&b, "[\"bad\",\"fn\"]", "500", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_int_equal(interval(&b), 10000);
	b.time.now_ms += GRACE - 1;
	assert_int_equal(
		LISTS(&b, "[\"bad\",\"fn\"]", "500", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "A"), " f.fn");
	assert_string_equal(who_wants(&b, "B"), "?");
	assert_int_equal(interval(&b), 1);
	/* a namespace that can never be listed must not hold events for ever */
	b.time.now_ms += 1;
	assert_int_equal(
		LISTS(&b, "[\"bad\",\"fn\"]", "500", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "B"), "");
	backend_close(&b);
}

static void
an_empty_list_of_a_gateway_that_had_functions(void **state)
{
	struct backend b;

	(void)state;
	open_at(&b, START);
	assert_int_equal(
		LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "," FUNCTION("g", "A*") "]"),
		REFRESH_DONE);
	b.time.now_ms += GRACE;
	/* no answer proves nothing */
	assert_int_equal(LISTS(&b, "[\"fn\"]", "0"), REFRESH_FAILED);
	for (int i = 0; i < 3; i++, b.time.now_ms += GRACE / 3) {
		assert_int_equal(LISTS(&b, "[\"fn\"]", "[]"), REFRESH_DONE);
		assert_string_equal(b.err.text,
			"functions: f.fn and 1 more are missing from the gateway's list: their events "
			"are kept until that is confirmed");
		assert_string_equal(who_wants(&b, "A"), " f.fn g.fn");
	}
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "A"), "");
	backend_close(&b);
}

static void
a_function_that_vanishes_for_a_while(void **state)
{
	struct backend b;

	(void)state;
	open_at(&b, START);
	assert_int_equal(
		LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "," FUNCTION("g", "B,A*") "]"),
		REFRESH_DONE);
	b.time.now_ms += GRACE;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(b.err.text,
		"functions: g.fn is missing from the gateway's list: its events are kept until that "
		"is confirmed");
	assert_string_equal(who_wants(&b, "A"), " f.fn g.fn");
	b.time.now_ms += GRACE - 1;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "B"), " g.fn");
	assert_int_equal(interval(&b), 1);
	/* back, and gone again: a new absence */
	assert_int_equal(
		LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "," FUNCTION("g", "B") "]"),
		REFRESH_DONE);
	assert_int_equal(b.err.code, ERR_NONE);
	/* other topics than before are an answer */
	assert_string_equal(who_wants(&b, "A"), " f.fn");
	b.time.now_ms += 1;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "," NO_TOPIC("g") "]"),
		REFRESH_DONE);
	assert_string_equal(who_wants(&b, "B"), " g.fn");
	b.time.now_ms += GRACE;
	assert_int_equal(LISTS(&b, "[\"fn\"]", "[" FUNCTION("f", "A") "," NO_TOPIC("g") "]"),
		REFRESH_DONE);
	assert_string_equal(who_wants(&b, "B"), "");
	assert_int_equal(b.err.code, ERR_NONE);
	backend_close(&b);
}

/*
 * What can be listed is served; the one that cannot keeps what was known of it, however long,
 * and is named.
 */
static void
a_namespace_that_cannot_be_listed(void **state)
{
	static const struct {
		const char *answer, *why;
	} rows[] = {
		{ "400", "namespace bad cannot be listed: HTTP 400" },
		{ "403", "namespace bad cannot be listed: HTTP 403" },
		{ "404", "namespace bad cannot be listed: HTTP 404" },
		{ "500", "namespace bad cannot be listed: HTTP 500" },
		{ "[{\"name\":",
			"namespace bad cannot be listed: functions: the gateway's reply is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct backend b;

		open_at(&b, START);
		assert_int_equal(LISTS(&b, "[\"bad\",\"fn\"]", rows[i].answer,
					 "[" FUNCTION("f", "A") "]"),
			REFRESH_DONE);
		assert_string_equal(b.err.text, rows[i].why);
		assert_string_equal(who_wants(&b, "A"), " f.fn");
		assert_int_equal(
			LISTS(&b, "[\"bad\",\"fn\"]", "[" FUNCTION("g", "A") "]", "[]"),
			REFRESH_DONE);
		for (int hours = 0; hours < 3; hours++, b.time.now_ms += 3600 * 1000) {
			assert_int_equal(LISTS(&b, "[\"bad\",\"fn\"]", rows[i].answer,
						 "[" FUNCTION("f", "A") "]"),
				REFRESH_DONE);
			assert_string_equal(b.err.text, rows[i].why);
			assert_string_equal(who_wants(&b, "A"), " f.fn g.bad");
		}
		/* it can be listed again, without g */
		assert_int_equal(
			LISTS(&b, "[\"bad\",\"fn\"]", "[]", "[" FUNCTION("f", "A") "]"),
			REFRESH_DONE);
		assert_string_equal(who_wants(&b, "A"), " f.fn g.bad");
		b.time.now_ms += GRACE;
		assert_int_equal(
			LISTS(&b, "[\"bad\",\"fn\"]", "[]", "[" FUNCTION("f", "A") "]"),
			REFRESH_DONE);
		assert_string_equal(who_wants(&b, "A"), " f.fn");
		/* two of them, and then all: as if nothing had been asked */
		assert_int_equal(
			LISTS(&b, "[\"a\",\"b\",\"fn\"]", "500", "403", "[]"), REFRESH_DONE);
		assert_string_equal(
			b.err.text, "namespace a cannot be listed: HTTP 500 (and 1 more)");
		assert_int_equal(LISTS(&b, "[\"bad\",\"fn\"]", "403", "500"), REFRESH_FAILED);
		assert_string_equal(b.err.text, "namespace bad cannot be listed: HTTP 403");
		assert_string_equal(who_wants(&b, "A"), " f.fn");
		backend_close(&b);
	}
}

/* A gateway that hangs must not cost a time-out for each of a thousand namespaces. */
static void
a_gateway_that_does_not_answer(void **state)
{
	struct http_response silent = { .error = ERR_TIMEOUT, .retry_after_ms = -1 };
	struct backend b;
	unsigned step = 0;
	enum refresh_result result;

	(void)state;
	open_at(&b, START);
	assert_int_equal(backend_ask(&b, "functions", 0), 0);
	result = backend_reply(&b, "functions", 0, 200, "[\"a\",\"b\",\"c\",\"d\",\"e\"]");
	err_set(&silent.why, ERR_TIMEOUT, "no reply within 15 s");
	while (result == REFRESH_MORE && step < 5) {
		assert_int_equal(backend_ask(&b, "functions", ++step), 0);
		result = b.p->refreshes[0].response(refresh_self(&b.p->refreshes[0], b.self),
			step, &silent, &b.time, &b.err);
	}
	assert_int_equal(result, REFRESH_FAILED);
	assert_int_equal(step, 3);
	/* no connection: at once */
	assert_int_equal(LISTS(&b, "[\"a\",\"b\"]", "0"), REFRESH_FAILED);
	backend_close(&b);
}

static void
a_namespace_that_vanishes(void **state)
{
	struct backend b;

	(void)state;
	open_at(&b, START);
	assert_int_equal(LISTS(&b, "[\"a\",\"b\"]", "[" FUNCTION("f", "A") "]",
				 "[" FUNCTION("g", "A") "]"),
		REFRESH_DONE);
	b.time.now_ms += GRACE;
	assert_int_equal(LISTS(&b, "[\"a\"]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "A"), " f.a g.b");
	/*
	 * all of them: what was listed without a namespace is the same functions under other
	 * names
	 */
	assert_int_equal(LISTS(&b, "404 page not found", NULL), REFRESH_UNCONFIRMED);
	assert_string_equal(b.err.text,
		"namespaces: the gateway lists no namespaces any more, before it had 1");
	assert_string_equal(who_wants(&b, "A"), " f.a g.b");
	assert_int_equal(LISTS(&b, "[]", NULL), REFRESH_UNCONFIRMED);
	b.time.now_ms += GRACE;
	assert_int_equal(LISTS(&b, "[]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "A"), " f");
	assert_int_equal(LISTS(&b, "[\"a\"]", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&b, "A"), " f.a");
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_is_believed_late),
		cmocka_unit_test(what_no_function_wants_yet),
		cmocka_unit_test(an_empty_list_of_a_gateway_that_had_functions),
		cmocka_unit_test(a_function_that_vanishes_for_a_while),
		cmocka_unit_test(a_namespace_that_cannot_be_listed),
		cmocka_unit_test(a_gateway_that_does_not_answer),
		cmocka_unit_test(a_namespace_that_vanishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
