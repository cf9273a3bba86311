// SPDX-License-Identifier: Apache-2.0
#include "webhook_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "event.h"
#include "json.h"
#include "text.h"

enum {
	OK = 202,
	BAD_REQUEST = 400,
	TOO_LARGE = 413,
	UNSUPPORTED = 415,
	TYPE_SHOWN = 80,
};

/* ---- structured mode and batches */

static unsigned
status_of(const struct err *err)
{
	return err->code == ERR_LIMIT ? TOO_LARGE : BAD_REQUEST;
}

static unsigned
read_structured(const struct webhook_input *in, const char *json, size_t len,
	struct webhook_events *events, struct err *err)
{
	struct event ev;
	unsigned status;

	event_init(&ev);
	status = event_parse_untrusted(&ev, json, len, err) == 0
		? webhook_events_add(in, &ev, events, err)
		: status_of(err);
	event_free(&ev);
	return status;
}

static void
refuse(struct webhook_events *events, size_t index, const struct err *err)
{
	buf_printf(&events->refused,
		"%s{\"index\":%zu,\"reason\":", events->n_refused++ > 0 ? "," : "", index);
	json_add_string(&events->refused, err->text, strlen(err->text));
	buf_add_char(&events->refused, '}');
}

/* https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format */
static unsigned
read_batch(const struct webhook_input *in, struct webhook_events *events, struct err *err)
{
	const char *p = in->content.body, *end = p + in->content.len;
	unsigned status = OK;

	json_skip_blanks(&p, end);
	if (p == end || *p++ != '[') {
		err_set(err, ERR_PROTOCOL, "a batch is a JSON array");
		return BAD_REQUEST;
	}
	for (size_t i = 0;; i++) {
		const char *value;

		json_skip_blanks(&p, end);
		if (p < end && *p == ']')
			return status;
		if (i == WEBHOOK_BATCH_MAX) {
			err_set(err, ERR_LIMIT, "a batch of more than %d events",
				WEBHOOK_BATCH_MAX);
			return TOO_LARGE;
		}
		value = p;
		json_skip_value(&p, end); /* the whole body is valid JSON */
		if (read_structured(in, value, (size_t)(p - value), events, err) != OK) {
			refuse(events, i, err);
			status = BAD_REQUEST;
		}
		json_skip_blanks(&p, end);
		if (p < end && *p == ',')
			p++;
	}
}

/* ---- binary mode */

static int
set_attribute(struct event *ev, const struct webhook_header *header, struct err *err)
{
	size_t len = strlen(header->name);
	char name[128];
	struct buf text;
	int rc;

	if (len - 3 >= sizeof(name))
		return err_set(
			err, ERR_LIMIT, "header %.60s...: the name is too long", header->name);
	for (size_t i = 3; i <= len; i++)
		name[i - 3] = (char)(header->name[i] >= 'A' && header->name[i] <= 'Z'
				? header->name[i] + 32
				: header->name[i]);
	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	if (!event_decode_header_value(header->value, &text) ||
		memchr(buf_str(&text), '\0', text.len) != NULL)
		rc = err_set(err, ERR_PROTOCOL, "header %.60s is not UTF-8 text", header->name);
	else
		rc = event_set(ev, name, buf_str(&text), text.len, err);
	buf_free(&text);
	return rc;
}

/* Adds the event, whose data is the body, unless rc says that an attribute failed. Frees it. */
static unsigned
add_with_body(const struct webhook_input *in, struct event *ev, struct webhook_events *events,
	int rc, struct err *err)
{
	unsigned status;

	if (rc == 0) {
		event_set_data(ev, in->content.body, in->content.len);
		rc = event_check(ev, err);
	}
	status = rc == 0 ? webhook_events_add(in, ev, events, err) : status_of(err);
	event_free(ev);
	return status;
}

static unsigned
read_binary(const struct webhook_input *in, const char *content_type,
	struct webhook_events *events, struct err *err)
{
	struct event ev;
	int rc = 0;

	event_init(&ev);
	for (size_t i = 0; rc == 0 && i < in->content.n_headers; i++)
		if (strncasecmp(in->content.header[i].name, "ce-", 3) == 0)
			rc = set_attribute(&ev, &in->content.header[i], err);
	if (rc == 0 && *ev.datacontenttype == '\0' && *content_type != '\0')
		rc = event_set(&ev, "datacontenttype", content_type, strlen(content_type), err);
	return add_with_body(in, &ev, events, rc, err);
}

/* ---- plain JSON */

static int
set_wrapped(struct event *ev, const char *name, const char *value,
	const struct webhook_input *in, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	rc = webhook_wrap_read(value, &in->content, &text)
		? event_set(ev, name, buf_str(&text), text.len, err)
		: err_set(err, ERR_PROTOCOL, "wrap.%s: %.80s is not in the request", name,
			  value);
	buf_free(&text);
	return rc;
}

static int
set_time(struct event *ev, const struct webhook_input *in, struct err *err)
{
	char now[CLOCK_TEXT_SIZE];
	const char *time = clock_format(in->now_us, now);
	struct buf text;
	int64_t us;
	int rc;

	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	if (in->path->wrap.time != NULL &&
		webhook_wrap_read(in->path->wrap.time, &in->content, &text) &&
		clock_parse(buf_str(&text), text.len, &us))
		time = buf_str(&text);
	rc = event_set(ev, "time", time, strlen(time), err);
	buf_free(&text);
	return rc;
}

static int
set_id(struct event *ev, const struct webhook_input *in, struct err *err)
{
	char id[64];

	if (in->path->wrap.id != NULL)
		return set_wrapped(ev, "id", in->path->wrap.id, in, err);
	snprintf(id, sizeof(id), "%" PRIx64 "-%016" PRIx64, (uint64_t)in->now_us, in->random);
	return event_set(ev, "id", id, strlen(id), err);
}

static unsigned
read_plain(const struct webhook_input *in, struct webhook_events *events, struct err *err)
{
	const struct webhook_wrap *wrap = &in->path->wrap;
	struct event ev;
	struct err absent;
	int rc;

	event_init(&ev);
	rc = event_set(&ev, "specversion", "1.0", 3, err);
	if (rc == 0)
		rc = set_id(&ev, in, err);
	if (rc == 0)
		rc = set_wrapped(&ev, "source", wrap->source, in, err);
	if (rc == 0)
		rc = set_wrapped(&ev, "type", wrap->type, in, err);
	if (rc == 0 && wrap->subject != NULL &&
		set_wrapped(&ev, "subject", wrap->subject, in, &absent) != 0 &&
		absent.code == ERR_LIMIT)
		rc = err_set(err, ERR_LIMIT, "%s", absent.text);
	if (rc == 0)
		rc = set_time(&ev, in, err);
	if (rc == 0)
		rc = event_set(&ev, "datacontenttype", "application/json", 16, err);
	return add_with_body(in, &ev, events, rc, err);
}

/* ---- which of them */

static bool
is_type(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	return strncasecmp(content_type, type, len) == 0 &&
		strchr("; \t", content_type[len]) != NULL;
}

static bool
is_json(const struct webhook_content *content)
{
	const char *p = content->body, *end = p + content->len;

	if (!json_skip_value(&p, end))
		return false;
	json_skip_blanks(&p, end);
	return p == end;
}

unsigned
webhook_parse(const struct webhook_input *in, struct webhook_events *events, struct err *err)
{
	const struct webhook_content *content = &in->content;
	const char *type = webhook_wrap_header(content, "Content-Type");
	bool structured, batch;

	type = type != NULL ? type : "";
	structured = is_type(type, EVENT_CONTENT_TYPE);
	batch = is_type(type, "application/cloudevents-batch+json");
	if (!structured && !batch && strncasecmp(type, "application/cloudevents", 23) == 0) {
		err_set(err, ERR_PROTOCOL,
			"Content-Type %.*s: of the formats of CloudEvents only JSON is accepted",
			TYPE_SHOWN, type);
		return UNSUPPORTED;
	}
	if (!structured && !batch && webhook_wrap_header(content, "ce-specversion") != NULL)
		return read_binary(in, type, events, err);
	if (!structured && !batch && (*type == '\0' || !event_is_json_type(type))) {
		err_set(err, ERR_PROTOCOL,
			"neither a CloudEvent (" EVENT_CONTENT_TYPE
			", or headers ce-...) nor JSON");
		return UNSUPPORTED;
	}
	if (!structured && !batch && in->path->wrap.type == NULL) {
		err_set(err, ERR_PROTOCOL,
			"no CloudEvent: for plain JSON this path needs the option wrap");
		return UNSUPPORTED;
	}
	if (!is_json(content)) {
		err_set(err, ERR_PROTOCOL, "the body is not JSON");
		return BAD_REQUEST;
	}
	return structured ? read_structured(in, content->body, content->len, events, err)
		: batch   ? read_batch(in, events, err)
			  : read_plain(in, events, err);
}
