// SPDX-License-Identifier: Apache-2.0
/* The OpenFaaS processor under test: the lists of a gateway, and who wants what. */
#ifndef VCOURIER_TEST_OPENFAAS_FUNCTIONS_LAB_H
#define VCOURIER_TEST_OPENFAAS_FUNCTIONS_LAB_H

#include "backend.h"

extern const struct processor processor_openfaas;

enum { GRACE = 30000, START = 1000 };

#define FUNCTION(name, topics) \
	"{\"name\":\"" name "\",\"annotations\":{\"topic\":\"" topics "\"}}"
#define NO_TOPIC(name) "{\"name\":\"" name "\",\"annotations\":{}}"

static inline void
open_at(struct backend *b, int64_t now_ms)
{
	backend_open(b, &processor_openfaas, "{address: 'http://gw', topicWildcards: true}\n");
	b->time = (struct refresh_time){ .now_ms = now_ms, .empty_grace_ms = GRACE };
}

/*
 * One run of the refresh: the namespaces, then the functions of each: a list, or another status
 * than 200 (0: none came).
 */
static inline enum refresh_result
lists(struct backend *b, const char *namespaces, const char *const *functions)
{
	enum refresh_result result;
	unsigned step = 0;

	assert_int_equal(backend_ask(b, "functions", 0), 0);
	result = backend_reply(
		b, "functions", 0, *namespaces == '[' ? 200 : atoi(namespaces), namespaces);
	while (result == REFRESH_MORE && functions[step] != NULL) {
		const char *body = functions[step++];

		assert_int_equal(backend_ask(b, "functions", step), 0);
		result = backend_reply(
			b, "functions", step, *body == '[' ? 200 : atoi(body), body);
	}
	assert_int_not_equal(result, REFRESH_MORE);
	assert_null(functions[step]);
	return result;
}
#define LISTS(b, namespaces, ...) \
	lists(b, namespaces, (const char *const[]){ __VA_ARGS__, NULL })

static inline const char *
who_wants(struct backend *b, const char *name)
{
	struct event ev;
	char json[512];
	const char *names;
	struct err err;

	snprintf(json, sizeof(json),
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"%s\",\"data\":{}}",
		name);
	event_init(&ev);
	assert_int_equal(event_parse(&ev, json, strlen(json), &err), 0);
	names = backend_route(b, &ev);
	event_free(&ev);
	return names;
}

#endif
