// SPDX-License-Identifier: Apache-2.0
/* dispatcher/order.h: the key of the entity that an event is about. */
#include "test.h"

#include <string.h>

#include "hash.h"
#include "order.h"

static uint64_t
key_of(const char *source, const char *data)
{
	struct event ev;

	event_init(&ev);
	ev.source = source;
	ev.data = data;
	ev.data_len = strlen(data);
	return order_key(&ev);
}

static void
keys_of_entities(void **state)
{
	const char *vm1 =
		"{\"Key\":1,\"Vm\":{\"Name\":\"a\",\"Vm\":{\"Type\":\"VirtualMachine\",\"Value\":\"vm-1\"}},"
		"\"Host\":{\"Host\":{\"Value\":\"host-1\"}}}";
	const char *vm1_later =
		"{ \"Host\" : null , \"Vm\" : { \"Vm\" : { \"Value\" : \"vm-1\" } } }";
	const char *vm2 = "{\"Vm\":{\"Vm\":{\"Value\":\"vm-2\"}}}",
		   *host = "{\"Vm\":null,\"Host\":{\"Host\":{\"Value\":\"vm-1\"}}}";

	(void)state;
	assert_true(key_of("s", vm1) == key_of("s", vm1_later));
	assert_true(key_of("s", vm1) != key_of("other", vm1));
	assert_true(key_of("s", vm1) != key_of("s", vm2));
	assert_true(key_of("s", vm1) != key_of("s", host));
	assert_true(key_of("s", "") == key_of("s", "[1]"));
	assert_true(key_of("s", "{\"Vm\":") == key_of("s", "{}"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_entities),
	};

	return cmocka_run_group_tests_name("circuit", tests, NULL, NULL);
}
