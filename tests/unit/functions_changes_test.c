// SPDX-License-Identifier: Apache-2.0
/* functions: what a change of the directory does. */
#define _GNU_SOURCE /* mkstemp, mkdtemp */
#include "test.h"

#include "functions_lab.h"

#define EVENT \
	"{\"specversion\":\"1.0\",\"id\":\"7-1\",\"source\":\"https://vc/sdk\"," \
	"\"type\":\"com.vmware.event.router/event\",\"subject\":\"VmPoweredOnEvent\"," \
	"\"time\":\"2026-11-22T10:11:12.5Z\",\"datacontenttype\":\"application/json\"," \
	"\"eventclass\":\"event\",\"severity\":\"\",\"data\":{\"Key\":7}}"

static void
an_empty_directory_decides_nothing_at_first(void **state)
{
	struct functions_lab lab;

	(void)state;
	lab_open(&lab, "");
	lab.b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = 30000 };
	assert_int_equal(look(&lab), REFRESH_UNCONFIRMED);
	assert_string_equal(route_subject(&lab, "X"), "?");
	lab.b.time.now_ms = 30999;
	assert_int_equal(look(&lab), REFRESH_UNCONFIRMED);
	lab.b.time.now_ms = 31000;
	assert_int_equal(look(&lab), REFRESH_DONE);
	assert_non_null(strstr(lab.b.err.text, "has no function"));
	assert_string_equal(route_subject(&lab, "X"), "");
	lab_close(&lab);
}

static void
an_event_without_a_function_waits_for_the_second_look(void **state)
{
	struct functions_lab lab;
	uint64_t version;

	(void)state;
	lab_open(&lab, "");
	lab.b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = 30000 };
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("X")));
	assert_int_equal(look(&lab), REFRESH_DONE);
	assert_string_equal(route_subject(&lab, "X"), " a");
	assert_string_equal(route_subject(&lab, "Y"), "?");
	version = lab.b.p->route_version(lab.b.self);
	lab.b.time.now_ms = 31000;
	assert_int_equal(look(&lab), REFRESH_DONE);
	assert_string_equal(route_subject(&lab, "Y"), "");
	assert_true(lab.b.p->route_version(lab.b.self) != version);
	version = lab.b.p->route_version(lab.b.self);
	lab.b.time.now_ms = 32000;
	assert_int_equal(look(&lab), REFRESH_DONE);
	assert_true(lab.b.p->route_version(lab.b.self) == version);
	lab_close(&lab);
}

static void
a_change_counts_when_two_looks_find_it(void **state)
{
	struct functions_lab lab;

	(void)state;
	lab_open(&lab, "");
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("X")));
	look(&lab);
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("Long")));
	assert_int_equal(look(&lab), REFRESH_DONE);
	assert_string_equal(route_subject(&lab, "Long"), "");
	assert_int_equal(lab.b.p->refreshes[1].interval_ms(
				 refresh_self(&lab.b.p->refreshes[1], lab.b.self)),
		500);
	look(&lab);
	assert_string_equal(route_subject(&lab, "Long"), " a");
	assert_string_equal(route_subject(&lab, "X"), "");
	assert_int_equal(lab.b.p->refreshes[1].interval_ms(
				 refresh_self(&lab.b.p->refreshes[1], lab.b.self)),
		2000);
	lab_close(&lab);
}

/* What was good stays in use, however long the file is broken. */
static void
a_file_that_breaks_keeps_its_function(void **state)
{
	struct functions_lab lab;

	(void)state;
	lab_open(&lab, "");
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("X")));
	lab_write(&lab, "b.yaml", FUNCTION("b", ON_SUBJECT("X")));
	look(&lab);
	lab_write(&lab, "a.yaml", "no: [");
	look_twice(&lab);
	assert_non_null(strstr(lab.b.err.text, "left out: a.yaml:2:1"));
	lab.b.time.now_ms += 1000 * 1000;
	look(&lab);
	assert_non_null(strstr(lab.b.err.text, "left out: a.yaml:2:1"));
	assert_string_equal(route_subject(&lab, "X"), " a b");
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("Other")));
	look_twice(&lab);
	assert_string_equal(lab.b.err.text, "");
	assert_string_equal(route_subject(&lab, "X"), " b");
	lab_close(&lab);
}

static void
a_removed_function_is_called_until_that_is_confirmed(void **state)
{
	struct functions_lab lab;
	struct event ev;
	struct target gone = { .name = (char *)"a" };
	const struct event *list = &ev;

	(void)state;
	lab_open(&lab, "");
	lab.b.time = (struct refresh_time){ .now_ms = 1000, .empty_grace_ms = 30000 };
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("X")));
	lab_write(&lab, "b.yaml", FUNCTION("b", ON_SUBJECT("X")));
	look(&lab);
	lab_remove(&lab, "a.yaml");
	assert_int_equal(look_twice(&lab), REFRESH_DONE);
	assert_non_null(strstr(lab.b.err.text, "1 functions are in no file any more, a first"));
	assert_string_equal(route_subject(&lab, "X"), " a b");
	lab.b.time.now_ms = 31000;
	look(&lab);
	assert_string_equal(route_subject(&lab, "X"), " b");
	backend_event(&ev, EVENT);
	assert_int_equal(lab.b.p->encode(lab.b.self, &(struct batch){ &gone, &list, 1 },
				 backend_request(&lab.b), &lab.b.err),
		-1);
	assert_int_equal(lab.b.err.code, ERR_NOT_FOUND);
	event_free(&ev);
	/* and so does a directory that is suddenly empty */
	lab_remove(&lab, "b.yaml");
	look_twice(&lab);
	assert_string_equal(route_subject(&lab, "X"), " b");
	lab_close(&lab);
}

static void
a_directory_that_cannot_be_read_changes_nothing(void **state)
{
	struct functions_lab lab;

	(void)state;
	lab_open(&lab, "");
	lab_write(&lab, "a.yaml", FUNCTION("a", ON_SUBJECT("X")));
	look(&lab);
	lab_remove(&lab, "a.yaml");
	assert_int_equal(rmdir(lab.dir), 0);
	assert_int_equal(look(&lab), REFRESH_FAILED);
	assert_non_null(strstr(lab.b.err.text, "No such file or directory"));
	assert_string_equal(route_subject(&lab, "X"), " a");
	backend_close(&lab.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_directory_decides_nothing_at_first),
		cmocka_unit_test(an_event_without_a_function_waits_for_the_second_look),
		cmocka_unit_test(a_change_counts_when_two_looks_find_it),
		cmocka_unit_test(a_file_that_breaks_keeps_its_function),
		cmocka_unit_test(a_removed_function_is_called_until_that_is_confirmed),
		cmocka_unit_test(a_directory_that_cannot_be_read_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
