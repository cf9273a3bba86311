// SPDX-License-Identifier: Apache-2.0
/* An event as a CloudEvent. */
#include "horizon_events.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "json.h"
#include "seen.h"
#include "subject.h"
#include "text.h"

enum {
	SUBJECT_MAX = 1024,
	MSG_ID_MAX = 128,
	TRIMMED_VALUE_MAX = 1024, /* bytes of a member that is kept when data is trimmed */
	DATA_MAX = 256 * 1024 * 1024,
};

void
horizon_message_init(struct horizon_message *m)
{
	*m = (struct horizon_message){ .trimmed = false };
	buf_init(&m->subject, SUBJECT_MAX);
	buf_init(&m->msg_id, MSG_ID_MAX);
	buf_init(&m->id, HORIZON_VALUE_MAX);
	buf_init(&m->data, DATA_MAX);
	buf_init(&m->type, HORIZON_VALUE_MAX);
	buf_init(&m->name, HORIZON_VALUE_MAX);
}

void
horizon_message_free(struct horizon_message *m)
{
	buf_free(&m->subject);
	buf_free(&m->msg_id);
	buf_free(&m->id);
	buf_free(&m->data);
	buf_free(&m->type);
	buf_free(&m->name);
}

/* A member as an attribute; `other` when the event does not have it. */
static void
write_attribute(
	const struct horizon_event *e, const char *name, const char *other, struct buf *out)
{
	if (!horizon_member(e, name, out)) {
		buf_clear(out);
		buf_add_str(out, other);
	} else if (out->len > HORIZON_NAME_MAX) {
		buf_truncate(out, text_utf8_valid(out->data, HORIZON_NAME_MAX));
	}
}

/* VLSI_USERLOGGEDIN is com.vmware.event.router/horizon.vlsi_userloggedin.v0. */
static void
write_type(struct horizon_message *m)
{
	buf_clear(&m->type);
	buf_add_str(&m->type, EVENT_TYPE_HORIZON);
	for (size_t i = 0; i < m->name.len; i++)
		buf_add_char(&m->type, (char)tolower((unsigned char)m->name.data[i]));
	buf_add_str(&m->type, ".v0");
}

/* Only the members that say what happened, without the text. */
static void
add_trimmed(struct horizon_message *m, const struct horizon_event *e)
{
	static const char *const kept[] = { "id", "time", "type", "severity", "module",
		"user_id", "machine_id", "machine_dns_name", "desktop_pool_name",
		"application_pool_name" };
	bool first = true;
	struct buf raw;

	buf_init(&raw, TRIMMED_VALUE_MAX);
	buf_add_char(&m->data, '{');
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		buf_clear(&raw);
		if (!json_find_member(e->json, e->len, kept[i], &raw) || !buf_ok(&raw))
			continue;
		buf_printf(&m->data, "%s\"%s\":", first ? "" : ",", kept[i]);
		buf_add(&m->data, raw.data, raw.len);
		first = false;
	}
	buf_add_char(&m->data, '}');
	buf_free(&raw);
}

static void
write_data(struct horizon_message *m, const struct horizon_origin *origin,
	const struct horizon_event *e)
{
	char time[CLOCK_TEXT_SIZE];

	buf_clear(&m->data);
	event_begin(&m->data);
	event_add_attribute(&m->data, "id", buf_str(&m->id));
	event_add_attribute(&m->data, "source", origin->address);
	event_add_attribute(&m->data, "type", buf_str(&m->type));
	event_add_attribute(&m->data, "subject", buf_str(&m->name));
	if (e->dated)
		event_add_attribute(&m->data, "time", clock_format(e->created_us, time));
	event_add_attribute(&m->data, "datacontenttype", "application/json");
	if (m->trimmed)
		event_add_attribute(&m->data, "trimmed", "true");
	event_begin_data(&m->data);
	if (m->trimmed)
		add_trimmed(m, e);
	else
		buf_add(&m->data, e->json, e->len);
	buf_add_char(&m->data, '}');
}

void
horizon_message_write(struct horizon_message *m, const struct horizon_origin *origin,
	const struct horizon_event *e)
{
	char hash[32];

	m->trimmed = e->len > origin->data_max;
	snprintf(hash, sizeof(hash), "hash-%016" PRIx64, (uint64_t)e->key);
	write_attribute(e, "id", hash, &m->id);
	write_attribute(e, "type", "UNKNOWN", &m->name);
	write_type(m);
	subject_write_source(&m->subject, origin->name, buf_str(&m->type));
	buf_clear(&m->msg_id);
	buf_printf(&m->msg_id, HORIZON_IDENTITY "/%" PRId64 "/%" PRId64, e->key,
		seen_ms(e->created_us));
	write_data(m, origin, e);
}
