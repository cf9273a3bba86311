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

/* An event has a dozen. The encoding leaves no line break in the value. */
static void
add_attribute(struct http_request *req, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	buf_add_str(&req->headers, "ce-");
	buf_add_str(&req->headers, name);
	buf_add_str(&req->headers, ": ");
	event_add_header_value(&req->headers, value);
	buf_add_char(&req->headers, '\n');
}

int
event_body_binary(
	const struct event *ev, const char *type, struct http_request *req, struct err *err)
{
	const char *content = ev->datacontenttype;

	if (*content == '\0' && ev->data_is_json)
		content = "application/json";
	http_header(req, "ce-specversion", "1.0");
	add_attribute(req, "id", ev->id);
	add_attribute(req, "source", ev->source);
	add_attribute(req, "type", type != NULL ? type : ev->type);
	add_attribute(req, "subject", ev->subject);
	add_attribute(req, "time", ev->time);
	add_attribute(req, "dataschema", ev->dataschema);
	for (size_t i = 0; i < ev->n_extensions; i++)
		add_attribute(req, ev->extension[i].name, ev->extension[i].value);
	if (*content != '\0')
		http_header(req, "Content-Type", content);
	return event_raw_data(ev, &req->own_body, &req->body, &req->body_len, err);
}
