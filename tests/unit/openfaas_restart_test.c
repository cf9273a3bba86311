// SPDX-License-Identifier: Apache-2.0
/* OpenFaaS: the list of functions that is saved for the next start. */
#define _GNU_SOURCE /* mkstemp */
#include "test.h"

#include "openfaas_functions_lab.h"

/* Another process takes over: what it gets is what the first one has saved. */
static void
restart(struct backend *b, struct backend *next)
{
	struct buf saved;

	buf_init(&saved, 4096);
	b->p->save(b->self, &saved);
	backend_close(b);
	open_at(next, START);
	assert_int_equal(
		next->p->restore(next->self, buf_str(&saved), saved.len, &next->err), 0);
	buf_free(&saved);
}

static void
the_first_list_after_a_restart_lacks_a_function(void **state)
{
	struct backend b, next;

	(void)state;
	open_at(&b, START);
	assert_int_equal(LISTS(&b, "[\"fn\",\"other\"]",
				 "[" FUNCTION("f", "A") "," FUNCTION("g", "B,A*") "]",
				 "[" FUNCTION("\\\"h", "A") "," FUNCTION("i", "A") "]"),
		REFRESH_DONE);
	restart(&b, &next);
	assert_string_equal(who_wants(&next, "A"), " \"h.other f.fn i.other g.fn");
	assert_int_equal(LISTS(&next, "[\"fn\",\"other\"]", "[" FUNCTION("f", "A") "]", "403"),
		REFRESH_DONE);
	assert_string_equal(who_wants(&next, "A"), " \"h.other f.fn i.other g.fn");
	assert_string_equal(who_wants(&next, "B"), " g.fn");
	next.time.now_ms += GRACE;
	assert_int_equal(LISTS(&next, "[\"fn\",\"other\"]", "[" FUNCTION("f", "A") "]",
				 "[" FUNCTION("i", "C") "]"),
		REFRESH_DONE);
	assert_string_equal(who_wants(&next, "A"), " \"h.other f.fn");
	assert_string_equal(who_wants(&next, "B"), "");
	assert_string_equal(who_wants(&next, "C"), " i.other");
	backend_close(&next);
}

static void
a_gateway_without_namespaces_after_a_restart(void **state)
{
	struct backend b, next;

	(void)state;
	open_at(&b, START);
	assert_int_equal(LISTS(&b, "404 page not found",
				 "[" FUNCTION("f", "A") "," FUNCTION("g.x", "A") "]"),
		REFRESH_DONE);
	restart(&b, &next);
	assert_int_equal(
		LISTS(&next, "404 page not found", "[" FUNCTION("f", "A") "]"), REFRESH_DONE);
	assert_string_equal(who_wants(&next, "A"), " f g.x");
	backend_close(&next);
}

static void
what_was_not_saved_by_save(void **state)
{
	static const char *const bad[] = { "", "x", "[]", "{}", "null", "{\"functions\":{}}",
		"{\"functions\":[",
		"{\"functions\":[{\"name\":\"f\",\"namespace\":\"\",\"topics\":\"\xff\"}]}" };
	static const char odd[] =
		"{\"namespaces\":[7,\"\",\"fn\"],\"functions\":[null,{},{\"name\":\"..\"},"
		"{\"name\":\"f\",\"topics\":7},{\"name\":\"f\",\"namespace\":\"\\u0007\",\"topics\":\"A\"},"
		"{\"name\":\"g\",\"namespace\":\"fn\",\"topics\":\"A\"}]}";
	struct backend b;

	(void)state;
	open_at(&b, START);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(b.p->restore(b.self, bad[i], strlen(bad[i]), &b.err), -1);
	assert_string_equal(who_wants(&b, "A"), "?");
	assert_int_equal(b.p->restore(b.self, odd, strlen(odd), &b.err), 0);
	assert_string_equal(who_wants(&b, "A"), " g.fn");
	backend_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_list_after_a_restart_lacks_a_function),
		cmocka_unit_test(a_gateway_without_namespaces_after_a_restart),
		cmocka_unit_test(what_was_not_saved_by_save),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
