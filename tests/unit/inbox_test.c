// SPDX-License-Identifier: Apache-2.0
/*
 * Messages from several threads reach the loop, each once, in order, and those that nobody
 * takes are freed.
 */
#define _DEFAULT_SOURCE
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus_private.h"
#include "inbox.h"
#include "mem.h"
#include "nats.h"

enum { THREADS = 4, MESSAGES = 5000 };

struct sender {
	struct inbox_port port;
	pthread_t thread;
	int next; /* the number of the message that is to come */
};

static struct bus_msg *
message(int number)
{
	struct bus_msg *msg = mem_alloc(sizeof(*msg));
	char data[16];
	int len = snprintf(data, sizeof(data), "%d", number);

	assert_int_equal(natsMsg_Create(&msg->msg, "a", NULL, data, len), NATS_OK);
	return msg;
}

static void
handle(void *ctx, struct bus_msg *msg, int64_t now_ms)
{
	struct sender *sender = ctx;

	assert_int_equal(now_ms, 77);
	assert_int_equal(atoi(bus_msg_data(msg)), sender->next);
	sender->next++;
	bus_msg_free(msg);
}

static void *
send_all(void *arg)
{
	struct sender *sender = arg;

	for (int i = 0; i < MESSAGES; i++)
		inbox_put(&sender->port, message(i));
	return NULL;
}

static void
from_many_threads(void **state)
{
	struct sender sender[THREADS];
	struct http *http;
	struct inbox *inbox;
	struct err err;
	int n = 0;

	(void)state;
	assert_int_equal(http_open(&http, &err), 0);
	inbox = inbox_open(http);
	for (int i = 0; i < THREADS; i++) {
		sender[i] = (struct sender){ .port = { inbox, handle, &sender[i] } };
		assert_int_equal(
			pthread_create(&sender[i].thread, NULL, send_all, &sender[i]), 0);
	}
	/* as the loop does it: it never sleeps while there is a message */
	while (n < THREADS * MESSAGES) {
		while (inbox_next(inbox, 77))
			n++;
		if (n < THREADS * MESSAGES && inbox_may_wait(inbox, true))
			assert_int_equal(http_run(http, 60 * 1000, &err), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(sender[i].thread, NULL), 0);
		assert_int_equal(sender[i].next, MESSAGES);
	}
	assert_true(inbox_empty(inbox));
	inbox_stop(inbox);
	inbox_close(inbox);
	http_close(http);
}

static void
what_is_here_and_what_comes_later_is_freed(void **state)
{
	struct sender sender = { .next = 0 };
	struct http *http;
	struct inbox *inbox;
	struct err err;

	(void)state;
	assert_int_equal(http_open(&http, &err), 0);
	inbox = inbox_open(http);
	sender.port = (struct inbox_port){ inbox, handle, &sender };
	for (int i = 0; i < 3; i++)
		inbox_put(&sender.port, message(i));
	assert_false(inbox_may_wait(inbox, true));
	assert_true(inbox_may_wait(inbox, false)); /* there is no room for it now */
	assert_true(inbox_next(inbox, 77));
	assert_int_equal(inbox_taken(inbox), 2);
	inbox_put(&sender.port, message(3));
	assert_false(inbox_empty(inbox));
	inbox_stop(inbox);
	inbox_put(&sender.port, message(4));
	assert_int_equal(sender.next, 1);
	inbox_close(inbox);
	http_close(http);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_many_threads),
		cmocka_unit_test(what_is_here_and_what_comes_later_is_freed),
	};

	return cmocka_run_group_tests(tests, nats_library_open, nats_library_close);
}
