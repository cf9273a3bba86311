// SPDX-License-Identifier: Apache-2.0
/*
 * AWS EventBridge: events go to one bus by PutEvents, ten in a request. The patterns of the
 * bus's rules are evaluated here, so that only events that match a rule are sent (and paid
 * for).
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
#include <string.h>

#include "clock.h"
#include "eventbridge.h"
#include "json.h"

enum { FIRST_MS = 5 * 1000 };

/* ---- credentials */

static int64_t
credentials_interval_ms(void *p)
{
	const struct eventbridge *self = p;
	int64_t interval = aws_credentials_interval_ms(&self->credentials, clock_wall_us());

	/* not accepted yet: read them again soon, in case somebody corrects them */
	return !self->looked && interval > FIRST_MS ? FIRST_MS : interval;
}

static enum refresh_step
credentials_request(void *p, unsigned step, struct http_request *req, struct err *err)
{
	struct eventbridge *self = p;

	return aws_credentials_request(&self->credentials, step, req, err);
}

static enum refresh_result
credentials_response(void *p, unsigned step, const struct http_response *rsp,
	const struct refresh_time *time, struct err *err)
{
	struct eventbridge *self = p;

	(void)step;
	(void)time;
	return aws_credentials_response(&self->credentials, rsp, err);
}

static const struct refresh refreshes[] = {
	{ "credentials", credentials_interval_ms, true, credentials_request,
		credentials_response },
	{ "rules", eventbridge_rules_interval_ms, true, eventbridge_rules_request,
		eventbridge_rules_response },
	{ NULL },
};

static size_t
weight_max(void *p)
{
	const struct eventbridge *self = p;

	return self->bytes_max;
}

static int
encode(void *p, const struct batch *batch, struct http_request *req, struct err *err)
{
	struct eventbridge *self = p;
	size_t weight;

	buf_add_str(&req->own_body, "{\"Entries\":[");
	for (size_t i = 0; i < batch->n; i++) {
		if (i != 0)
			buf_add_char(&req->own_body, ',');
		if (eventbridge_entry_add(
			    self, batch->event[i], &req->own_body, &weight, err) != 0)
			return -1;
	}
	buf_add_char(&req->own_body, ']');
	if (self->global.url != NULL) {
		buf_add_str(&req->own_body, ",\"EndpointId\":");
		json_add_string(&req->own_body, self->config->endpoint_id,
			strlen(self->config->endpoint_id));
	}
	buf_add_char(&req->own_body, '}');
	return eventbridge_prepare(self, "PutEvents", req, err);
}

const struct processor processor_eventbridge = {
	.type = "aws_event_bridge",
	.block = "awsEventBridge",
	.help = "Sends events to an AWS EventBridge bus, those that match its rules.",
	.fields = eventbridge_fields,
	.config_size = sizeof(struct eventbridge_config),
	.batch_max = EVENTBRIDGE_ENTRIES_MAX,
	.open = eventbridge_open,
	.route = eventbridge_route,
	.route_version = eventbridge_route_version,
	.weight = eventbridge_weight,
	.weight_max = weight_max,
	.encode = encode,
	.judge = eventbridge_judge,
	.refreshes = refreshes,
	.close = eventbridge_close,
};
