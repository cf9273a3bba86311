// SPDX-License-Identifier: Apache-2.0
#include "trace.h"

#include <string.h>

enum {
	PARENT = 55,     /* length of a traceparent of version 00 */
	STATE_MAX = 512, /* what each hop should pass on (3.3.1.5) */
};

static bool
is_hex(const char *text, size_t n, bool zero_allowed)
{
	return strspn(text, "0123456789abcdef") >= n && (zero_allowed || strspn(text, "0") < n);
}

const char *
trace_parent(const struct event *ev)
{
	const char *t = event_extension(ev, "traceparent");
	size_t len = strlen(t);

	if (len < PARENT || !is_hex(t, 2, true) || t[2] != '-' || !is_hex(t + 3, 32, false) ||
		t[35] != '-' || !is_hex(t + 36, 16, false) || t[52] != '-' ||
		!is_hex(t + 53, 2, true) || strncmp(t, "ff", 2) == 0)
		return "";
	/* a later version may have more after another "-" */
	if (len > PARENT && (strncmp(t, "00", 2) == 0 || t[PARENT] != '-'))
		return "";
	return t;
}

static bool
is_header_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

void
trace_add_headers(const struct event *ev, struct http_request *req)
{
	const char *parent = trace_parent(ev), *state = event_extension(ev, "tracestate");

	if (*parent == '\0' || strlen(parent) > STATE_MAX || !is_header_text(parent))
		return;
	http_header(req, "traceparent", parent);
	if (*state != '\0' && strlen(state) <= STATE_MAX && is_header_text(state))
		http_header(req, "tracestate", state);
}
