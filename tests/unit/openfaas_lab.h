// SPDX-License-Identifier: Apache-2.0
/* The OpenFaaS processor under test: events for it, and the gateway's list of functions. */
#ifndef VCOURIER_TEST_OPENFAAS_LAB_H
#define VCOURIER_TEST_OPENFAAS_LAB_H

#include "backend.h"

extern const struct processor processor_openfaas;

static inline void
named(struct event *ev, char *json, size_t size, const char *class, const char *name)
{
	snprintf(json, size,
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"%s\","
		"\"eventclass\":\"%s\",\"data\":{}}",
		name, class);
	backend_event(ev, json);
}

static inline const char *
route_name(struct backend *b, const char *name)
{
	struct event ev;
	char json[1024];
	const char *names;

	named(&ev, json, sizeof(json), "event", name);
	names = backend_route(b, &ev);
	event_free(&ev);
	return names;
}

/* One run of the refresh over one namespace. */
static inline enum refresh_result
load(struct backend *b, const char *functions)
{
	assert_int_equal(backend_ask(b, "functions", 0), 0);
	if (backend_reply(b, "functions", 0, 200, "[\"fn\"]") != REFRESH_MORE)
		fail_msg("%s", b->err.text);
	assert_int_equal(backend_ask(b, "functions", 1), 0);
	return backend_reply(b, "functions", 1, 200, functions);
}

#endif
