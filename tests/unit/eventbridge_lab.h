// SPDX-License-Identifier: Apache-2.0
/* The EventBridge processor under test, and an event for it. */
#ifndef VCOURIER_TEST_EVENTBRIDGE_LAB_H
#define VCOURIER_TEST_EVENTBRIDGE_LAB_H

#include "backend.h"
#include "event.h"

extern const struct processor processor_eventbridge;

#define KEYS \
	"auth: {type: aws_access_key, awsAccessKeyAuth: {accessKey: AKID, secretKey: SECRET}}"
#define RULE "arn:aws:events:eu-west-1:123456789012:rule/bus/"

static const char event_text[] =
	"{\"specversion\":\"1.0\",\"id\":\"7-1\",\"source\":\"https://vc/sdk\",\"type\":\"com.vmware.event.router/event\","
	"\"subject\":\"VmPoweredOnEvent\",\"time\":\"2026-11-22T10:11:12.987654Z\",\"datacontenttype\":\"application/json\","
	"\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
	"\"data\":{\"Vm\":{\"Name\":\"a\\\"b\\u00e9\"},\"Big\":12345678901234567890,\"X\":1.50}}";

static inline void
open_with(struct backend *b, const char *more)
{
	char yaml[2048];

	snprintf(yaml, sizeof(yaml), "{region: eu-west-1, eventBus: bus, " KEYS "%s%s}\n",
		*more ? ", " : "", more);
	backend_open(b, &processor_eventbridge, yaml);
	assert_int_equal(backend_ask(b, "credentials", 0), 1);
}

static inline void
judge(struct backend *b, int status, const char *headers, const char *body, size_t n,
	struct outcome *out, int64_t date_us)
{
	struct http_response rsp = { .status = status,
		.body = body,
		.body_len = strlen(body),
		.headers = headers,
		.retry_after_ms = -1,
		.date_us = date_us };
	struct target target = { .name = (char[]){ "" } };

	for (size_t i = 0; i < n; i++)
		out[i] = (struct outcome){ .retry_after_ms = -1 };
	b->p->judge(b->self, &target, &rsp, n, out);
}

#endif
