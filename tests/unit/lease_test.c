// SPDX-License-Identifier: Apache-2.0
/* The lease, against a real nats-server. */
#include "test.h"

#include <stdio.h>

#include "lease.h"
#include "nats.h"
#include "stop.h"

enum { RIVALS = 8, ROUNDS = 24, TIMEOUT_MS = 60000 };

static struct bus *
connect_to(const struct nats_server *server)
{
	struct bus_options options = {
		.name = "test", .inbox_prefix = "_INBOX_test", .urls = (char **)server->urls
	};
	struct bus *bus;
	struct err err;

	assert_int_equal(bus_open(&bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(bus, TIMEOUT_MS, &err), 0);
	return bus;
}

/* How many hold it, once at least one does. */
static int
holders(struct lease *const *lease, int n)
{
	int held = 0;

	for (int tries = 0; held == 0; tries++) {
		if (tries == TIMEOUT_MS / 10 || stop_sleep(10))
			fail_msg("nobody got the lease");
		for (int i = 0; i < n; i++)
			held += lease_held(lease[i]);
	}
	return held;
}

/*
 * All ask for it at the same moment, and the first one makes the bucket: nats-server 2.9.10
 * crashes when it is asked for a message of a stream that somebody else is just making.
 */
static void
one_of_many_gets_it(void **state)
{
	struct nats_server server;
	struct bus *bus[RIVALS];
	struct lease *lease[RIVALS];
	struct err err;

	(void)state;
	nats_server_start(&server, NULL);
	for (int i = 0; i < RIVALS; i++)
		bus[i] = connect_to(&server);
	for (int round = 0; round < ROUNDS; round++) {
		struct bus_out delete_bucket = {
			.subject = "$JS.API.STREAM.DELETE.KV_vcourier"
		};
		struct bus_msg *reply;

		for (int i = 0; i < RIVALS; i++)
			assert_int_equal(lease_open(&lease[i], bus[i], "vc", 1, &err), 0);
		assert_int_equal(holders(lease, RIVALS), 1);
		assert_true(bus_connected(bus[0]));
		for (int i = 0; i < RIVALS; i++)
			lease_close(lease[i]);
		assert_int_equal(
			bus_request(bus[0], &delete_bucket, TIMEOUT_MS, &reply, &err), 0);
		bus_msg_free(reply);
	}
	for (int i = 0; i < RIVALS; i++)
		bus_close(bus[i]);
	nats_server_stop(&server);
}

/*
 * A holder that gives it up leaves it to the other one; and of two vCenters each has its own.
 */
static void
it_is_handed_over(void **state)
{
	struct nats_server server;
	struct bus *bus[2];
	struct lease *first, *second, *other;
	struct err err;

	(void)state;
	nats_server_start(&server, NULL);
	for (int i = 0; i < 2; i++)
		bus[i] = connect_to(&server);
	assert_int_equal(lease_open(&first, bus[0], "vc", 1, &err), 0);
	assert_int_equal(holders(&first, 1), 1);
	assert_int_equal(lease_open(&second, bus[1], "vc", 1, &err), 0);
	assert_int_equal(lease_open(&other, bus[1], "vc 2", 1, &err), 0);
	assert_int_equal(holders(&other, 1), 1);
	assert_false(lease_held(second));
	lease_close(first);
	assert_int_equal(holders(&second, 1), 1);
	lease_close(second);
	lease_close(other);
	for (int i = 0; i < 2; i++)
		bus_close(bus[i]);
	nats_server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_many_gets_it),
		cmocka_unit_test(it_is_handed_over),
	};

	stop_init();
	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
