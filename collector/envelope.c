// SPDX-License-Identifier: Apache-2.0
#include "envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "hash.h"
#include "json.h"
#include "seen.h"
#include "subject.h"
#include "text.h"

/* No name makes a subject longer than about 700 bytes: see subject.h. */
enum { SUBJECT_MAX = 1024, MSG_ID_MAX = 256 };

void
envelope_init(struct envelope *e, size_t data_max)
{
	e->trimmed = false;
	buf_init(&e->subject, SUBJECT_MAX);
	buf_init(&e->msg_id, MSG_ID_MAX);
	buf_init(&e->message, data_max + ENVELOPE_ATTRIBUTES_MAX);
	buf_init(&e->id, MSG_ID_MAX);
	buf_init(&e->name, SUBJECT_ATTRIBUTE_MAX);
}

void
envelope_free(struct envelope *e)
{
	buf_free(&e->subject);
	buf_free(&e->msg_id);
	buf_free(&e->message);
	buf_free(&e->id);
	buf_free(&e->name);
}

/*
 * One trace an event, the same whenever the event is written:
 * https://www.w3.org/TR/trace-context/
 */
static void
add_traceparent(struct envelope *e)
{
	static const char hex[] = "0123456789abcdef";
	static const unsigned char at[] = { 3, 19, 36 }; /* where 16 digits go */
	char text[] = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

	uint64_t state = hash_fnv1a(HASH_FNV1A, buf_str(&e->msg_id), e->msg_id.len);

	for (size_t i = 0; i < sizeof(at); i++) {
		uint64_t h = hash_splitmix64(&state) | 1; /* 0 is no trace id */

		for (size_t k = 16; k-- != 0; h >>= 4)
			text[at[i] + k] = hex[h & 15];
	}
	event_add_attribute(&e->message, "traceparent", text);
}

/* "<key><separator><createdTime in Unix milliseconds>" */
static void
add_identity(struct buf *out, const struct normalize_event *event, char separator)
{
	char digits[TEXT_INT_SIZE];

	buf_add(out, digits, text_from_int(event->key, digits));
	buf_add_char(out, separator);
	buf_add(out, digits, text_from_int(seen_ms(event->created_us), digits));
}

static void
begin(struct envelope *e, const struct envelope_source *source, const char *id,
	const char *type)
{
	buf_clear(&e->message);
	event_begin(&e->message);
	event_add_attribute(&e->message, "id", id);
	event_add_attribute(&e->message, "source", source->url);
	event_add_attribute(&e->message, "type", type);
}

bool
envelope_write(struct envelope *e, const struct envelope_source *source,
	const struct normalize_event *event, const char *severity)
{
	static const char *const type[] = {
		[NORMALIZE_EVENT] = "com.vmware.event.router/event",
		[NORMALIZE_EVENTEX] = "com.vmware.event.router/eventex",
		[NORMALIZE_EXTENDEDEVENT] = "com.vmware.event.router/extendedevent",
	};
	const char *eventclass = normalize_kind_name(event->kind);
	char key[TEXT_INT_SIZE];

	subject_write(&e->subject,
		&(struct subject_parts){ .prefix = source->prefix,
			.vcenter = source->vcenter,
			.datacenter = event->datacenter,
			.cluster = event->cluster,
			.severity = severity,
			.eventclass = eventclass,
			.name = event->name });
	buf_clear(&e->msg_id);
	buf_add_str(&e->msg_id, source->uuid);
	buf_add_char(&e->msg_id, '/');
	add_identity(&e->msg_id, event, '/');
	buf_clear(&e->id);
	add_identity(&e->id, event, '-');
	buf_clear(&e->name);
	e->trimmed = !subject_add_attribute(&e->name, event->name) || event->trimmed;
	text_from_int(event->key, key);
	begin(e, source, buf_str(&e->id), type[event->kind]);
	event_add_attribute(&e->message, "subject", buf_str(&e->name));
	event_add_attribute(&e->message, "time", event->created);
	event_add_attribute(&e->message, "datacontenttype", "application/json");
	event_add_attribute(&e->message, "vsphereapiversion", source->api_version);
	event_add_attribute(&e->message, "eventclass", eventclass);
	event_add_attribute(&e->message, "vcenteruuid", source->uuid);
	event_add_attribute(&e->message, "eventkey", key);
	event_add_attribute(&e->message, "severity", severity);
	if (event->schema_unknown)
		event_add_attribute(&e->message, "schemaunknown", "true");
	if (e->trimmed)
		event_add_attribute(&e->message, "trimmed", "true");
	if (event->stub)
		event_add_attribute(&e->message, "stub", "true");
	add_traceparent(e);
	event_begin_data(&e->message);
	buf_add(&e->message, event->data, event->data_len);
	buf_add_char(&e->message, '}');
	return buf_ok(&e->message) && buf_ok(&e->subject) && buf_ok(&e->msg_id);
}

bool
envelope_write_gap(struct envelope *e, const struct envelope_source *source, int64_t from_us,
	int64_t to_us, const char *reason)
{
	char id[96], from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

	clock_format(from_us, from);
	clock_format(to_us, to);
	subject_write(&e->subject,
		&(struct subject_parts){ .prefix = source->prefix,
			.vcenter = source->vcenter,
			.severity = "error",
			.eventclass = "vcourier",
			.name = "EventGap" });
	buf_clear(&e->msg_id);
	buf_printf(&e->msg_id, "%s/gap/%" PRId64 "-%" PRId64, source->uuid, seen_ms(from_us),
		seen_ms(to_us));
	snprintf(id, sizeof(id), "gap-%" PRId64 "-%" PRId64, seen_ms(from_us), seen_ms(to_us));
	begin(e, source, id, "com.vcourier.gap");
	event_add_attribute(&e->message, "subject", "EventGap");
	event_add_attribute(&e->message, "time", to);
	event_add_attribute(&e->message, "datacontenttype", "application/json");
	event_add_attribute(&e->message, "vcenteruuid", source->uuid);
	event_add_attribute(&e->message, "severity", "error");
	add_traceparent(e);
	event_begin_data(&e->message);
	buf_printf(&e->message, "{\"From\":\"%s\",\"To\":\"%s\",\"Reason\":", from, to);
	json_add_string(&e->message, reason, strlen(reason));
	buf_add_str(&e->message, "}}");
	return buf_ok(&e->message) && buf_ok(&e->subject) && buf_ok(&e->msg_id);
}
