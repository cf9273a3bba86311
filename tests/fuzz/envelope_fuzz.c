// SPDX-License-Identifier: Apache-2.0
/*
 * Input: an event's key and time, its names, its class and its severity as a vCenter may send
 * them, and a Nats-Msg-Id as anybody may; a NUL byte between them. The message is a CloudEvent
 * with the same attributes, the subject has its bounds, and the id is read back.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "envelope.h"
#include "event.h"
#include "fuzz.h"
#include "subject.h"
#include "stream_tail.h"
#include "text.h"

enum { DATA_MAX = 1024 };

static const struct envelope_source source = { .vcenter = "lab",
	.prefix = "vc",
	.url = "https://vc.example.com/sdk",
	.api_version = "8.0.2.0",
	.uuid = "564d0d54-0000-4000-8000-000000000001" };

static void
check_subject(const char *subject)
{
	size_t tokens = 1, len = 0;

	assert(strlen(subject) < 1024 && strncmp(subject, "vc.lab.", 7) == 0);
	for (const char *p = subject; *p != '\0'; p++) {
		assert(isalnum((unsigned char)*p) || strchr("-_=~.", *p) != NULL);
		assert(*p != '.' || len > 0);
		len = *p == '.' ? 0 : len + 1;
		assert(len <= 64);
		tokens += *p == '.';
	}
	assert(len > 0 && tokens >= 7 && tokens <= 13);
	assert(subject_event(subject) > subject);
}

/* The id: read back as the same event, from the same vCenter. */
static void
check_id(const char *msg_id, const struct normalize_event *ev)
{
	char uuid[64];
	int64_t key, us;

	assert(stream_tail_parse_id(msg_id, uuid, &key, &us));
	assert(strcmp(uuid, source.uuid) == 0 && key == ev->key);
	assert(us <= ev->created_us + 1000 && us >= ev->created_us - 1000);
}

static void
check_message(const struct envelope *e, const struct normalize_event *ev)
{
	const char *text = buf_str((struct buf *)&e->message);
	struct event event;
	struct err err;

	event_init(&event);
	assert(event_parse(&event, text, e->message.len, &err) == 0);
	assert(strcmp(event.source, source.url) == 0 && event.id[0] != '\0');
	assert(strlen(event.subject) <= SUBJECT_ATTRIBUTE_MAX);
	assert(e->trimmed || strcmp(event.subject, ev->name) == 0);
	assert(event.data_is_json && event.data_len == ev->data_len &&
		memcmp(event.data, ev->data, ev->data_len) == 0);
	event_free(&event);
}

static void
write_gap(struct envelope *e, int64_t from_us, const char *reason)
{
	struct event event;
	struct err err;

	event_init(&event);
	if (envelope_write_gap(e, &source, from_us, from_us + 1000000, reason))
		assert(event_parse(&event, buf_str(&e->message), e->message.len, &err) == 0);
	event_free(&event);
}

/* vCenter's names as the normalizer gives them: valid UTF-8, not empty. */
static const char *
name(struct fuzz_parts *parts, const char *otherwise)
{
	const char *text = fuzz_part(parts);

	return *text == '\0' || text_utf8_valid(text, strlen(text)) != strlen(text) ? otherwise
										    : text;
}

/* A name as a token is read back, unless it was too long; the streams and subjects have it. */
static void
check_names(const char *text, const char *type)
{
	struct buf token, out;
	char *back;

	buf_init(&token, 1024);
	buf_init(&out, 2048);
	subject_add_token(&token, text, strlen(text));
	assert(token.len > 0 && token.len <= 64);
	back = subject_decode(buf_str(&token));
	assert(strchr(buf_str(&token), '~') != NULL || *text == '\0' ||
		strcmp(back, text) == 0);
	free(back);
	subject_stream(&out, text);
	assert(strncmp(buf_str(&out), "VC_", 3) == 0 &&
		strcmp(buf_str(&out) + 3, buf_str(&token)) == 0);
	subject_stream_source(&out, text);
	assert(strncmp(buf_str(&out), "CE_", 3) == 0 &&
		strcmp(buf_str(&out) + 3, buf_str(&token)) == 0);
	subject_write_source(&out, text, type);
	assert(strncmp(buf_str(&out), "ce.", 3) == 0 &&
		strpbrk(buf_str(&out), " *>\r\n") == NULL);
	free(subject_decode(text));
	buf_free(&out);
	buf_free(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct normalize_event ev = {
		.data = "{\"Key\":7}", .data_len = 9, .class_name = "EventEx"
	};
	char created[CLOCK_TEXT_SIZE], uuid[64];
	struct fuzz_parts parts;
	struct envelope e;
	const char *text;
	int64_t key, us;

	fuzz_parts_init(&parts, data, size);
	ev.key = (int32_t)strtol(fuzz_part(&parts), NULL, 10);
	text = fuzz_part(&parts);
	if (!clock_parse(text, strlen(text), &us))
		us = INT64_C(1700000000000000);
	ev.created_us = us;
	ev.created = clock_format(us, created);
	ev.name = name(&parts, "x");
	ev.datacenter = name(&parts, "");
	ev.cluster = name(&parts, "");
	ev.kind = (enum normalize_kind)(size % 3);
	ev.schema_unknown = ev.stub = size % 2 == 1;
	envelope_init(&e, DATA_MAX);
	assert(envelope_write(&e, &source, &ev, "warning"));
	check_subject(buf_str(&e.subject));
	check_id(buf_str(&e.msg_id), &ev);
	check_message(&e, &ev);
	text = fuzz_part(&parts);
	if (stream_tail_parse_id(text, uuid, &key, &us))
		assert(strlen(uuid) > 0 && strncmp(uuid, text, strlen(uuid)) == 0);
	check_names(text, ev.class_name);
	write_gap(&e, us, text);
	envelope_free(&e);
	fuzz_parts_free(&parts);
	return 0;
}
