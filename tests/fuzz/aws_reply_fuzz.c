// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a letter for the configured rules, then replies (fuzz_response) as a proxy, a portal
 * or AWS may send them: each is one of PutEvents and one of ListRules or DescribeRule. Only
 * HTTP 200 delivers an event, and only with an EventId.
 */
#include <assert.h>
#include <string.h>

#include "eventbridge.h"
#include "fuzz.h"
#include "json.h"
#include "processor.h"

extern const struct processor processor_eventbridge;

enum { STEPS_MAX = 8 };

static void
configure(struct eventbridge_config *config, char letter)
{
	static char rule[] = "arn:aws:events:eu-west-1:1:rule/r",
		    other[] = "arn:aws:events:eu-west-1:1:rule/default/other", all[] = "all",
		    none[] = "none", pattern[] = "{\"source\":[{\"prefix\":\"https\"}]}";
	static char *named[] = { rule, NULL }, *two[] = { rule, other, NULL },
		    *every[] = { all, NULL }, *no[] = { none, NULL };
	static char **const choices[] = { named, two, every, no };
	static char region[] = "eu-west-1", bus[] = "default", access_key[] = "A",
		    secret_key[] = "S";

	*config = (struct eventbridge_config){ .region = region,
		.bus = bus,
		.rules = choices[letter & 3],
		.pattern = (letter & 7) == 7 ? pattern : NULL,
		.request_bytes_max = 1000 * 1000,
		.auth.type = EVENTBRIDGE_ACCESS_KEY,
		.auth.keys = { .access_key = { .value = access_key },
			.secret_key = { .value = secret_key } } };
}

static void
judge(void *self, const struct http_response *rsp, size_t n)
{
	struct outcome out[3];
	char name[] = "";

	processor_eventbridge.judge(self, &(struct target){ .name = name }, rsp, n, out);
	for (size_t i = 0; i < n; i++) {
		assert(out[i].verdict != VERDICT_DELIVERED ||
			(rsp->status == 200 && strstr(rsp->body, "EventId") != NULL));
		assert(out[i].verdict == VERDICT_DELIVERED || out[i].why.text[0] != '\0');
	}
}

/* An event is wanted by rules, or not; the targets are named once each. */
static void
route(void *self)
{
	static const char json[] =
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"https://vc/sdk\",\"type\":\"t\","
		"\"subject\":\"VmPoweredOnEvent\",\"time\":\"2026-11-22T10:00:00Z\",\"data\":{\"Key\":7}}";
	struct targets targets = { .target = NULL };
	struct event ev;
	struct err err;

	event_init(&ev);
	assert(event_parse(&ev, json, sizeof(json) - 1, &err) == 0);
	if (processor_route(&processor_eventbridge, self, &ev, &targets, &err) >= 0)
		assert(targets.n <= 1);
	targets_free(&targets);
	event_free(&ev);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eventbridge_config config;
	struct fuzz_parts parts;
	struct http_response rsp;
	struct err err;
	void *self;

	if (size == 0)
		return 0;
	configure(&config, (char)data[0]);
	assert(processor_eventbridge.open(&self, &config, &err) == 0);
	/* the credentials: at hand */
	processor_eventbridge.refreshes[0].request(self, 0, fuzz_request(), &err);
	fuzz_parts_init(&parts, data + 1, size - 1);
	for (unsigned step = 0, n = 0; fuzz_more(&parts) && n < STEPS_MAX; n++) {
		struct refresh_time time = { .now_ms = n * 1000, .empty_grace_ms = 1 };
		struct http_request *req = fuzz_request();

		fuzz_response(&parts, &rsp);
		judge(self, &rsp, 1 + n % 3);
		err.code = ERR_NONE;
		if (processor_eventbridge.refreshes[1].request(self, step, req, &err) !=
			REFRESH_SEND)
			break;
		assert(req->own_body.len > 0 && req->own_body.data[0] == '{');
		step = processor_eventbridge.refreshes[1].response(
			       self, step, &rsp, &time, &err) == REFRESH_MORE
			? step + 1
			: 0;
		route(self);
	}
	fuzz_parts_free(&parts);
	processor_eventbridge.close(self);
	return 0;
}
