// SPDX-License-Identifier: Apache-2.0
#include "event_body.h"

#include <string.h>

static void
use_own_body(struct http_request *req)
{
	http_header(req, "Content-Type", EVENT_CONTENT_TYPE);
	req->body = buf_str(&req->own_body);
	req->body_len = req->own_body.len;
}

void
event_body_structured(const struct event *ev, const char *type, struct http_request *req)
{
	if (ev->json != NULL && (type == NULL || strcmp(type, ev->type) == 0)) {
		http_header(req, "Content-Type", EVENT_CONTENT_TYPE);
		req->body = ev->json;
		req->body_len = ev->json_len;
		return;
	}
	event_add_structured(ev, type, &req->own_body);
	use_own_body(req);
}

void
event_body_as_router(const struct event *ev, const char *type, struct http_request *req)
{
	event_add_structured_as_router(ev, type, &req->own_body);
	use_own_body(req);
}
