// SPDX-License-Identifier: Apache-2.0
/*
 * A nats-server without JetStream, and a client in the place of JetStream that answers requests
 * to its API with texts of the test.
 */
#ifndef VCOURIER_TEST_API_LAB_H
#define VCOURIER_TEST_API_LAB_H

#include "bus.h"
#include "nats.h"

enum { API_SCRIPTS = 3, API_ANSWERS_MAX = 4 };

/* The answers to a subject, in the order of the requests; the last one again and again. */
struct api_script {
	const char *subject, *answer[API_ANSWERS_MAX];
	size_t at;
};

struct api_lab {
	struct nats_server server;
	struct bus *bus; /* of the code under test; NULL: closed by the test */
	struct bus *api;
	struct api_script script[API_SCRIPTS];
};

/* Setup and teardown of one test; *state is a struct api_lab. */
int api_lab_open(void **state);
int api_lab_close(void **state);

#endif
