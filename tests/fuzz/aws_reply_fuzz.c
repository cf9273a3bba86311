// SPDX-License-Identifier: Apache-2.0
/*
 * Input: whatever a proxy, a portal or AWS may answer to PutEvents and ListRules. Nothing lost,
 * nothing hurt.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "processor.h"

#include "eventbridge.h"

extern const struct processor processor_eventbridge;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *
open_processor(void)
{
	static char arn[] = "arn:aws:events:eu-west-1:1:rule/r", *rules[] = { arn, NULL };
	static char region[] = "eu-west-1", bus[] = "default", access_key[] = "A",
		    secret_key[] = "S";
	static struct eventbridge_config config;
	struct err err;
	void *self;

	config = (struct eventbridge_config){ .region = region,
		.bus = bus,
		.rules = rules,
		.request_bytes_max = 1000 * 1000,
		.auth.type = EVENTBRIDGE_ACCESS_KEY,
		.auth.keys = { .access_key = { .value = access_key },
			.secret_key = { .value = secret_key } } };
	if (processor_eventbridge.open(&self, &config, &err) != 0)
		abort();
	return self;
}

static void
ask(void *self, size_t refresh, struct http_request *req)
{
	struct err err;

	buf_clear(&req->url);
	buf_clear(&req->headers);
	buf_clear(&req->own_body);
	processor_eventbridge.refreshes[refresh].request(self, 0, req, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 400, 403, 413, 500 };
	struct http_request req = { .method = NULL };
	struct outcome out[2];
	struct http_response rsp = { .headers = "", .retry_after_ms = -1 };
	void *self = open_processor();
	char *body;
	struct err err;

	if (size == 0) {
		processor_eventbridge.close(self);
		return 0;
	}
	body = mem_strndup((const char *)data + 1, size - 1);
	rsp.status = statuses[data[0] % 5];
	rsp.body = body;
	rsp.body_len = size - 1;
	buf_init(&req.url, 4096);
	buf_init(&req.headers, 65536);
	buf_init(&req.own_body, 1 << 20);
	ask(self, 0, &req); /* credentials: at hand */
	for (int i = 0; i < 2; i++)
		out[i] = (struct outcome){ .retry_after_ms = -1 };
	processor_eventbridge.judge(
		self, &(struct target){ .name = (char[]){ "" } }, &rsp, 2, out);
	for (int i = 0; i < 2; i++)
		assert(out[i].verdict != VERDICT_DELIVERED || rsp.status == 200);
	ask(self, 1, &req);
	err.code = ERR_NONE;
	processor_eventbridge.refreshes[1].response(
		self, 0, &rsp, &(struct refresh_time){ 0 }, &err);
	buf_free(&req.url);
	buf_free(&req.headers);
	buf_free(&req.own_body);
	free(body);
	processor_eventbridge.close(self);
	return 0;
}
