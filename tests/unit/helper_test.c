// SPDX-License-Identifier: Apache-2.0
/* Helper programs: what they print, what they inherit, how they end. */
#define _GNU_SOURCE
#include "test.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"

/* Runs it to its end; 1 or -1. */
static int
run(struct helper *h, const char *command, int64_t timeout_ms, struct err *err)
{
	int rc;

	if (helper_start(h, command, timeout_ms, err) != 0)
		return -1;
	while ((rc = helper_check(h, err)) == HELPER_RUNS)
		poll(NULL, 0, 1);
	return rc;
}

static void
it_inherits_no_descriptor(void **state)
{
	struct helper h = { 0 };
	struct err err;
	int pair[2];

	(void)state;
	/* without CLOEXEC, as cnats opens its sockets */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		run(&h, "readlink /proc/$$/fd/* | grep -c socket: || true", 20000, &err), 1);
	assert_string_equal(h.text, "0\n");
	helper_end(&h);
	close(pair[0]);
	close(pair[1]);
}

static void
it_sees_its_own_part_of_the_environment(void **state)
{
	struct helper h = { 0 };
	struct err err;

	(void)state;
	setenv("VCENTER_PASSWORD", "not for helpers", 1);
	setenv("AWS_PROFILE", "prod", 1);
	setenv("HOMEWORK", "x", 1);
	assert_int_equal(run(&h, "env", 20000, &err), 1);
	assert_null(strstr(h.text, "VCENTER_PASSWORD"));
	assert_null(strstr(h.text, "HOMEWORK"));
	assert_non_null(strstr(h.text, "AWS_PROFILE=prod\n"));
	assert_non_null(strstr(h.text, "PATH="));
	helper_end(&h);
}

static void
how_it_ends(void **state)
{
	static const struct {
		const char *command;
		int64_t timeout_ms;
		int rc;
		const char *says;
	} rows[] = { { "printf secret", 20000, 1, "secret" },
		{ "exit 3", 20000, -1, "status 3" }, { "kill -9 $$", 20000, -1, "died" },
		{ "sleep 100", 50, -1, "took too long" },
		{ "yes", 20000, -1, "printed too much" },
		{ "no-such-program", 20000, -1, "status 127" } };
	struct helper h = { 0 };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			run(&h, rows[i].command, rows[i].timeout_ms, &err), rows[i].rc);
		assert_non_null(strstr(rows[i].rc == 1 ? h.text : err.text, rows[i].says));
		helper_end(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_inherits_no_descriptor),
		cmocka_unit_test(it_sees_its_own_part_of_the_environment),
		cmocka_unit_test(how_it_ends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
