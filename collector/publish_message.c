// SPDX-License-Identifier: Apache-2.0
#include "publish_message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "publisher.h"
#include "text.h"

enum {
	REPLY_MAX = 512,
	ID_MAX = 1024,
	ZEROS_MAX = 16,
	ID_REMEMBERED_MS = 24 * 3600 * 1000, /* the longest bus.stream.duplicateWindow */
};

const char *
publish_message_init(struct publish_message *m, const struct bus *bus)
{
	*m = (struct publish_message){ .complete_us = INT64_MAX };
	buf_init(&m->id, ID_MAX);
	buf_init(&m->reply, REPLY_MAX);
	buf_printf(&m->reply, "%s.pub.", bus_inbox(bus));
	m->inbox_len = m->reply.len;
	buf_add_char(&m->reply, '>');
	return buf_str(&m->reply);
}

void
publish_message_free(struct publish_message *m)
{
	buf_free(&m->id);
	buf_free(&m->reply);
}

void
publish_message_begin(struct publish_message *m, uint64_t generation, bool rewrite)
{
	int64_t now_ms = clock_monotonic_ms();

	buf_truncate(&m->reply, m->inbox_len);
	buf_printf(&m->reply, "%" PRIu64 ".", generation);
	m->generation_len = m->reply.len;
	if (rewrite) {
		m->zeros = m->zeros % ZEROS_MAX + 1;
		m->zeros_until_ms = now_ms + ID_REMEMBERED_MS;
	} else if (now_ms > m->zeros_until_ms) {
		m->zeros = 0;
	}
}

bool
publish_message_rewritten(const struct publish_message *m)
{
	return m->zeros > 0;
}

static const char *
write_id(struct publish_message *m, const char *id)
{
	const char *time = strrchr(id, '/');

	if (m->zeros == 0 || time == NULL)
		return id;
	time += time[1] == '-' ? 2 : 1;
	buf_clear(&m->id);
	buf_add(&m->id, id, (size_t)(time - id));
	for (unsigned i = 0; i < m->zeros; i++)
		buf_add_char(&m->id, '0');
	buf_add_str(&m->id, time);
	return buf_str(&m->id);
}

/* HEADER_COMPLETE_BEFORE; a time before 1970: the earliest. */
static const char *
write_complete(struct publish_message *m, int64_t complete_us)
{
	if (complete_us != m->complete_us)
		clock_format(complete_us > 0 ? complete_us : 0, m->complete);
	m->complete_us = complete_us;
	return m->complete;
}

int
publish_message_send(struct publish_message *m, struct bus *bus, const struct publish *event,
	const struct publish_place *place, struct err *err)
{
	char digits[TEXT_INT_SIZE], after[TEXT_INT_SIZE];
	struct bus_header headers[5] = {
		{ "Content-Type", "application/cloudevents+json" },
		{ HEADER_MSG_ID, event->unfenced ? event->msg_id : write_id(m, event->msg_id) },
		{ HEADER_EXPECTED_LAST_SEQ, after },
	};
	struct bus_out out = { .subject = event->subject,
		.headers = headers,
		.n_headers = event->unfenced ? 2 : 3,
		.data = event->data,
		.len = event->len };

	if (place->complete_us != INT64_MAX)
		headers[out.n_headers++] = (struct bus_header){ HEADER_COMPLETE_BEFORE,
			write_complete(m, place->complete_us) };
	if (event->out_of_order != NULL)
		headers[out.n_headers++] = (struct bus_header){ HEADER_OUT_OF_ORDER,
			event->out_of_order };
	text_from_int((int64_t)place->expected, after);
	buf_truncate(&m->reply, m->generation_len);
	buf_add(&m->reply, digits, text_from_int((int64_t)place->number, digits));
	out.reply = buf_str(&m->reply);
	return bus_publish(bus, &out, err);
}

bool
publish_message_parse_ack(const struct publish_message *m, const char *subject,
	uint64_t *generation, uint64_t *number)
{
	char *dot, *end;

	/* after our own prefix, only replies of the server come here */
	*generation = strtoull(subject + m->inbox_len, &dot, 10);
	*number = strtoull(*dot == '.' ? dot + 1 : dot, &end, 10);
	return *dot == '.' && *end == '\0';
}
