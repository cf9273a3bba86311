// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct binary {
	struct event *ev;
	struct err *err;
	bool failed;
};

static void
take_header(void *ctx, const char *name, const char *value)
{
	struct binary *b = ctx;
	char attribute[64];
	struct buf text;
	size_t n;

	if (b->failed)
		return;
	if (strcasecmp(name, "content-type") == 0) {
		b->failed = event_set(b->ev, "datacontenttype", value, strlen(value), b->err) != 0;
		return;
	}
	n = strlen(name);
	if (strncasecmp(name, "ce-", 3) != 0 || n - 3 >= sizeof(attribute))
		return;
	for (size_t i = 3; i <= n; i++)
		attribute[i - 3] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	buf_init(&text, EVENT_ATTRIBUTES_BYTES_MAX);
	if (!event_decode_header_value(value, &text))
		b->failed = err_set(b->err, ERR_PROTOCOL, "header %.60s is not UTF-8", name) != 0;
	else
		b->failed = event_set(b->ev, attribute, buf_str(&text), text.len, b->err) != 0;
	buf_free(&text);
}

static void
find_specversion(void *ctx, const char *name, const char *value)
{
	(void)value;
	if (strcasecmp(name, "ce-specversion") == 0)
		*(bool *)ctx = true;
}

int
message_read_event(const struct bus_msg *msg, struct event *ev, struct err *err)
{
	const char *type = bus_msg_header(msg, "Content-Type");
	struct binary b = { .ev = ev, .err = err };
	bool binary = false;

	if (type == NULL || strncasecmp(type, "application/cloudevents", 23) != 0)
		bus_msg_each_header(msg, find_specversion, &binary);
	if (!binary)
		return event_parse(ev, bus_msg_data(msg), bus_msg_len(msg), err);
	event_clear(ev);
	bus_msg_each_header(msg, take_header, &b);
	if (b.failed)
		return -1;
	ev->data = bus_msg_data(msg);
	ev->data_len = bus_msg_len(msg);
	return event_check(ev, err);
}
