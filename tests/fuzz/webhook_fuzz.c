// SPDX-License-Identifier: Apache-2.0
/*
 * Input: values of `wrap` for source, type, subject, id and time, each ended by a NUL byte;
 * names and values of headers, up to an empty name; the value of Authorization; the body. Its
 * length selects whether types are limited, and how large a message may be. Every event that is
 * accepted is a valid CloudEvent on a valid subject, and what is refused has a reason.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "event.h"
#include "fuzz.h"
#include "json.h"
#include "webhook_auth.h"
#include "webhook_parse.h"

enum { MESSAGE_MAX = 1 << 20, SMALL_MESSAGE_MAX = 1 << 12 };

/* "ce.hooks.<tokens>": none is empty, none has a wildcard or a blank. */
static void
check_subject(const char *subject)
{
	assert(strncmp(subject, "ce.hooks.", 9) == 0);
	assert(strstr(subject, "..") == NULL && subject[strlen(subject) - 1] != '.');
	for (const char *s = subject; *s != '\0'; s++)
		assert(*s > ' ' && *s < 0x7f && *s != '*' && *s != '>');
}

static void
check_event(const struct webhook_event *e, bool limited)
{
	const char *p = e->data, *end = p + e->len;
	struct event ev;
	struct err err;

	check_subject(e->subject);
	assert(e->msg_id[0] != '\0' && strpbrk(e->msg_id, "\r\n") == NULL);
	assert(json_skip_value(&p, end) && p == end);
	event_init(&ev);
	/* as dispatchers read it, and as strangers do: the same */
	assert(event_parse(&ev, e->data, e->len, &err) == 0);
	assert(ev.id[0] != '\0' && ev.source[0] != '\0' && ev.type[0] != '\0');
	assert(!limited || strncmp(ev.type, "com.", 4) == 0 || strcmp(ev.type, "t") == 0);
	assert(event_parse_untrusted(&ev, e->data, e->len, &err) == 0);
	event_free(&ev);
}

static void
check_refused(const struct webhook_events *events)
{
	struct buf all;
	const char *p;

	buf_init(&all, events->refused.len + 2);
	buf_add_char(&all, '[');
	buf_add(&all, buf_str(&events->refused), events->refused.len);
	buf_add_char(&all, ']');
	p = buf_str(&all);
	assert(!buf_ok(&events->refused) || json_skip_value(&p, buf_str(&all) + all.len));
	buf_free(&all);
}

static void
check_request(const struct webhook_input *in)
{
	struct webhook_events events;
	struct err err = { .code = ERR_NONE };
	unsigned status;

	webhook_events_init(&events);
	status = webhook_parse(in, &events, &err);
	assert(status == 202 || status == 400 || status == 413 || status == 415);
	assert(status == 202 || err.text[0] != '\0');
	assert(status != 415 || events.n == 0);
	for (size_t i = 0; i < events.n; i++)
		check_event(&events.event[i], in->path->allowed_types != NULL);
	check_refused(&events);
	webhook_events_free(&events);
}

static void
check_authorization(const char *text)
{
	struct webhook_path basic = { .user = (char *)"u",
		.password = { .value = (char *)"p" } },
			    bearer = { .token = { .value = (char *)"p" } };
	struct err err;

	assert(webhook_auth_check(&basic, text, &err) != 503);
	if (webhook_auth_check(&bearer, text, &err) == 0)
		assert(strncasecmp(text, "bearer ", 7) == 0 && text[strlen(text) - 1] == 'p');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct webhook_header header[WEBHOOK_HEADERS_MAX];
	/* clang-format 14 and 19 differ */
	/* clang-format off */
	static char *const types[] = { (char *)(uintptr_t) "com.*", (char *)(uintptr_t) "t",
		NULL };
	/* clang-format on */
	struct webhook_path path = { .path = (char *)"/x",
		.allowed_types = size % 2 == 1 ? (char **)(uintptr_t)types : NULL };
	struct webhook_input in = { .path = &path,
		.source = "hooks",
		.message_max = size % 5 == 0 ? SMALL_MESSAGE_MAX : MESSAGE_MAX };
	char **wrap[] = { &path.wrap.source, &path.wrap.type, &path.wrap.subject, &path.wrap.id,
		&path.wrap.time };
	struct fuzz_parts parts;
	struct err err;
	const char *name;

	fuzz_parts_init(&parts, data, size);
	for (size_t i = 0; i < sizeof(wrap) / sizeof(wrap[0]); i++) {
		const char *value = fuzz_part(&parts);

		*wrap[i] = webhook_wrap_check(value, &err) == 0 ? (char *)value : NULL;
	}
	if (path.wrap.source == NULL) /* both are required */
		path.wrap.type = NULL;
	while (in.content.n_headers < WEBHOOK_HEADERS_MAX &&
		*(name = fuzz_part(&parts)) != '\0')
		header[in.content.n_headers++] = (struct webhook_header){ name,
			fuzz_part(&parts) };
	in.content.header = header;
	check_authorization(fuzz_part(&parts));
	in.content.body = fuzz_rest(&parts, &in.content.len);
	check_request(&in);
	fuzz_parts_free(&parts);
	return 0;
}
