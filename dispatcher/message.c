// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct binary {
	struct event *ev;
	/* of the header; ce-datacontenttype, if there is one, is preferred */
	const char *content_type;
	struct err *err;
	bool failed;
};

static void
take_header(void *ctx, const char *name, const char *value)
{
	struct binary *b = ctx;
	char attribute[128];
	struct buf text;
	size_t n;

	if (b->failed)
		return;
	if (strcasecmp(name, "content-type") == 0) {
		b->content_type = value;
		return;
	}
	n = strlen(name);
	if (strncasecmp(name, "ce-", 3) != 0)
		return;
	if (n - 3 >= sizeof(attribute)) {
		b->failed = err_set(b->err, ERR_LIMIT, "header %.60s...: the name is too long",
				    name) != 0;
		return;
	}
	for (size_t i = 3; i <= n; i++)
		attribute[i - 3] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32
									   : name[i]);
	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	if (!event_decode_header_value(value, &text))
		b->failed = err_set(b->err, ERR_PROTOCOL, "header %.60s is not UTF-8", name) !=
			0;
	else
		b->failed = event_set(b->ev, attribute, buf_str(&text), text.len, b->err) != 0;
	buf_free(&text);
}

struct mode {
	bool structured, binary;
};

static void
find_mode(void *ctx, const char *name, const char *value)
{
	static const char structured[] = "application/cloudevents";
	struct mode *mode = ctx;

	if (strcasecmp(name, "ce-specversion") == 0)
		mode->binary = true;
	else if (strcasecmp(name, "content-type") == 0)
		mode->structured = strncasecmp(value, structured, sizeof(structured) - 1) == 0;
}

int
message_read_event(const struct bus_msg *msg, struct event *ev, struct err *err)
{
	const char *type = bus_msg_header(msg, "Content-Type");
	struct binary b = { .ev = ev, .err = err };
	/* as we write it */
	struct mode mode = { .structured = type != NULL &&
			strcmp(type, EVENT_CONTENT_TYPE) == 0 };

	if (!mode.structured)
		bus_msg_each_header(msg, find_mode, &mode);
	if (mode.structured || !mode.binary)
		return event_parse(ev, bus_msg_data(msg), bus_msg_len(msg), err);
	event_clear(ev);
	bus_msg_each_header(msg, take_header, &b);
	if (b.failed ||
		(b.content_type != NULL && *ev->datacontenttype == '\0' &&
			event_set(ev, "datacontenttype", b.content_type, strlen(b.content_type),
				err) != 0))
		return -1;
	event_set_data(ev, bus_msg_data(msg), bus_msg_len(msg));
	return event_check(ev, err);
}
