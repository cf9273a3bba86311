// SPDX-License-Identifier: Apache-2.0
#include "copied_headers.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "protocol.h"

struct pass {
	struct copied_headers *copied;
	bool event; /* those of the CloudEvent; else the others */
	size_t bytes, bytes_max;
};

static bool
is_event_header(const char *name)
{
	return strcasecmp(name, "content-type") == 0 || strncasecmp(name, "ce-", 3) == 0;
}

/* nats-server 2.9 searches for the names of its own headers, so none may hold one. */
static bool
stays_behind(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (strncasecmp(p, HEADER_PREFIX_NATS, strlen(HEADER_PREFIX_NATS)) == 0)
			return true;
	return strncasecmp(name, HEADER_PREFIX_OWN, strlen(HEADER_PREFIX_OWN)) == 0;
}

static bool
is_header(const char *name, const char *value)
{
	static const char token[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (name[0] == '\0' || name[strspn(name, token)] != '\0')
		return false;
	for (const char *p = value; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

static void
take(void *ctx, const char *name, const char *value)
{
	struct pass *pass = ctx;
	struct copied_headers *copied = pass->copied;
	size_t size = strlen(name) + strlen(value) + strlen(": \r\n");

	if (stays_behind(name) || is_event_header(name) != pass->event)
		return;
	if (!is_header(name, value) || copied->n == COPIED_HEADERS_MAX ||
		size > pass->bytes_max - pass->bytes) {
		copied->left_out++;
		return;
	}
	pass->bytes += size;
	copied->header[copied->n++] = (struct bus_header){ name, value };
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void
copied_headers_take(
	struct copied_headers *copied, each_header *each, const void *message, size_t bytes_max)
{
	struct pass event = { .copied = copied,
		.event = true,
		.bytes_max = least(bytes_max, COPIED_EVENT_BYTES_MAX) };
	struct pass other = { .copied = copied };

	copied->n = copied->left_out = 0;
	each(message, take, &event);
	other.bytes_max = least(bytes_max - event.bytes, COPIED_OTHER_BYTES_MAX);
	each(message, take, &other);
	copied->bytes = event.bytes + other.bytes;
}

static void
each_of_message(const void *message, void (*fn)(void *, const char *, const char *), void *ctx)
{
	bus_msg_each_header(message, fn, ctx);
}

void
copied_headers_of(struct copied_headers *copied, const struct bus_msg *msg, size_t bytes_max)
{
	copied_headers_take(copied, each_of_message, msg, bytes_max);
}
