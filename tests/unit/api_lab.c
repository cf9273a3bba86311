// SPDX-License-Identifier: Apache-2.0
#include "api_lab.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

enum { TIMEOUT_MS = 60000 };

static struct bus *
connect_to(const struct nats_server *server, const char *name)
{
	char inbox[64];
	struct bus_options options = {
		.name = name, .inbox_prefix = inbox, .urls = (char **)server->urls
	};
	struct bus *bus;
	struct err err;

	snprintf(inbox, sizeof(inbox), "_INBOX_%s", name);
	assert_int_equal(bus_open(&bus, &options, &err), 0);
	assert_int_equal(bus_wait_connected(bus, TIMEOUT_MS, &err), 0);
	return bus;
}

static void
on_request(void *ctx, struct bus_msg *msg)
{
	struct api_lab *lab = ctx;
	struct err err;

	for (size_t i = 0; i < API_SCRIPTS; i++) {
		struct api_script *s = &lab->script[i];

		if (s->answer[0] != NULL && strcmp(bus_msg_subject(msg), s->subject) == 0) {
			const char *answer = s->answer[s->at];
			struct bus_out out = { .subject = bus_msg_reply(msg),
				.data = answer,
				.len = strlen(answer) };

			if (s->at + 1 < API_ANSWERS_MAX && s->answer[s->at + 1] != NULL)
				s->at++;
			bus_publish(lab->api, &out, &err);
			break;
		}
	}
	bus_msg_free(msg);
}

int
api_lab_open(void **state)
{
	static struct api_lab lab;
	struct err err;

	memset(&lab, 0, sizeof(lab));
	nats_server_start_plain(&lab.server);
	lab.api = connect_to(&lab.server, "api");
	assert_int_equal(bus_subscribe(lab.api, "$JS.API.>", on_request, &lab, &err), 0);
	assert_int_equal(bus_flush(lab.api, TIMEOUT_MS, &err), 0);
	lab.bus = connect_to(&lab.server, "test");
	*state = &lab;
	return 0;
}

int
api_lab_close(void **state)
{
	struct api_lab *lab = *state;

	bus_close(lab->bus);
	bus_close(lab->api);
	nats_server_stop(&lab->server);
	return 0;
}
