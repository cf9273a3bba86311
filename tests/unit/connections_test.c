// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "test.h"

enum { LIMIT_MS = 1000 };

static bool
is_shut(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* A request that is being answered has no time limit; the time begins again after it. */
static void
a_busy_connection_does_not_expire(void **state)
{
	struct connections *c = connections_open(
		&(struct connections_limits){ 2, 2, LIMIT_MS });
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	connections_add(c, pair[0], 0);
	connections_busy(c, pair[0], true, 10);
	connections_expire(c, 100 * LIMIT_MS);
	assert_false(is_shut(pair[1]));
	connections_busy(c, pair[0], false, 100 * LIMIT_MS);
	connections_expire(c, 101 * LIMIT_MS);
	assert_false(is_shut(pair[1]));
	connections_expire(c, 101 * LIMIT_MS + 1);
	assert_true(is_shut(pair[1]));
	assert_int_equal(connections_count(c), 0);
	connections_remove(c, pair[0]);
	connections_close(c);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_connection_does_not_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
