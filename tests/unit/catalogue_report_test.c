// SPDX-License-Identifier: Apache-2.0
/* Descriptions of events over a real nats-server: as many replies as they need. */
#include "test.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "catalogue_report.h"
#include "clock.h"
#include "nats.h"
#include "stop.h"

enum { TIMEOUT_MS = 30 * 1000, MANY = 3000 };

struct replies {
	pthread_mutex_t lock;
	size_t messages, events, last, longest;
};

static void
on_reply(void *ctx, struct bus_msg *msg)
{
	struct replies *r = ctx;
	cJSON *json = cJSON_ParseWithLength(bus_msg_data(msg), bus_msg_len(msg));
	cJSON *first;

	assert_non_null(json);
	pthread_mutex_lock(&r->lock);
	r->messages++;
	r->longest = bus_msg_len(msg) > r->longest ? bus_msg_len(msg) : r->longest;
	r->events += (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(json, "events"));
	r->last += cJSON_IsFalse(cJSON_GetObjectItem(json, "more")) ? 1 : 0;
	first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "events"), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(first, "description")),
		"what \"it\" says");
	pthread_mutex_unlock(&r->lock);
	cJSON_Delete(json);
	bus_msg_free(msg);
}

/* A source with *self descriptions. */
static void
describe(const void *self, source_description_fn *fn, void *ctx)
{
	for (int i = 0; i < *(const int *)self; i++) {
		char name[64];

		snprintf(name, sizeof(name), "com.example.Event%d", i);
		fn(ctx,
			&(struct source_description){
				name, "info", "info", "what \"it\" says" });
	}
}

static size_t
value(struct replies *r, const size_t *member)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = *member;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void
replies(void **state)
{
	struct nats_server *server = calloc(1, sizeof(*server));
	char *urls[] = { NULL, NULL };
	struct bus_options options = {
		.urls = urls, .name = "test", .inbox_prefix = "_INBOX_test"
	};
	const struct source source = { .describe = describe }, silent = { .name = "x" };
	struct replies r = { .messages = 0 };
	struct bus_out out = { .subject = "vcourier.catalogue.a=20b", .reply = "answers" };
	struct catalogue_report *report;
	int64_t end = clock_monotonic_ms() + TIMEOUT_MS;
	int none = 0, many = MANY;
	struct bus *bus;
	struct err err;

	(void)state;
	stop_init();
	nats_server_start(server, NULL);
	urls[0] = server->url;
	pthread_mutex_init(&r.lock, NULL);
	assert_int_equal(bus_open(&bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(bus, TIMEOUT_MS, &err), 0);
	assert_int_equal(catalogue_report_open(&report, bus, "a b", &err), 0);
	assert_int_equal(bus_subscribe(bus, "answers", on_reply, &r, &err), 0);
	/* who has no descriptions does not answer */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(bus_publish(bus, &out, &err), 0);
		assert_int_equal(bus_flush(bus, TIMEOUT_MS, &err), 0);
		catalogue_report_answer(
			report, i == 0 ? &silent : &source, i == 1 ? &none : &many);
	}
	while (value(&r, &r.last) == 0 && clock_monotonic_ms() < end) {
		catalogue_report_answer(report, &source, &many); /* the request may come late */
		stop_sleep(10);
	}
	assert_true(value(&r, &r.events) >= MANY && value(&r, &r.messages) > 2);
	assert_true(value(&r, &r.longest) <= CATALOGUE_REPLY_BYTES);
	bus_close(bus);
	catalogue_report_close(report);
	nats_server_stop(server);
	free(server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
