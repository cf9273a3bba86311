// SPDX-License-Identifier: Apache-2.0
#include "webhook_events.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "mem.h"
#include "subject.h"

enum {
	SUBJECT_MAX = 1024,
	MSG_ID_MAX = 512, /* bytes; a longer one is replaced by its hash */
	REFUSED_MAX = 1024 * 1024,
	/* beside the three texts: their share of malloc, and the array, which grows by half */
	EVENT_MEMORY = 3 * 32 + 2 * sizeof(struct webhook_event),
	TYPE_SHOWN = 80,
};

void
webhook_events_init(struct webhook_events *events)
{
	*events = (struct webhook_events){ .n = 0 };
	buf_init(&events->refused, REFUSED_MAX);
}

void
webhook_events_free(struct webhook_events *events)
{
	for (size_t i = 0; i < events->n; i++) {
		free(events->event[i].subject);
		free(events->event[i].msg_id);
		free(events->event[i].data);
	}
	free(events->event);
	buf_free(&events->refused);
	webhook_events_init(events);
}

static void
add_sha256(struct buf *out, const struct buf *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_Digest(buf_str(text), text->len, digest, &len, EVP_sha256(), NULL);
	for (unsigned i = 0; i < len; i++)
		buf_printf(out, "%02x", digest[i]);
}

/* Without the room that a buffer has left: a batch has many small events. */
static char *
take_exactly(struct buf *b)
{
	char *text = mem_strndup(buf_str(b), b->len);

	buf_free(b);
	return text;
}

/* "<source> <id>", each without a space: as in a ce- header. */
static char *
message_id(const struct event *ev)
{
	struct buf whole, hash;
	char *id;

	buf_init(&whole, 8 * EVENT_ATTRIBUTES_BYTES_MAX);
	event_add_header_value(&whole, ev->source);
	buf_add_char(&whole, ' ');
	event_add_header_value(&whole, ev->id);
	if (whole.len <= MSG_ID_MAX)
		return take_exactly(&whole);
	buf_init(&hash, MSG_ID_MAX);
	buf_add_str(&hash, "sha256:");
	add_sha256(&hash, &whole);
	id = take_exactly(&hash);
	buf_free(&whole);
	return id;
}

static bool
is_allowed(const struct webhook_path *path, const char *type)
{
	for (char *const *t = path->allowed_types; t != NULL && *t != NULL; t++) {
		size_t len = strlen(*t);

		if (len > 0 && (*t)[len - 1] == '*' ? strncmp(*t, type, len - 1) == 0
						    : strcmp(*t, type) == 0)
			return true;
	}
	return path->allowed_types == NULL;
}

/* What the specification asks of an event beyond its required attributes. */
static int
check(const struct event *ev, const struct webhook_path *path, struct err *err)
{
	struct buf bytes;
	const char *data;
	int64_t us;
	size_t len;
	int rc = 0;

	if (!is_allowed(path, ev->type))
		return err_set(err, ERR_PROTOCOL, "type %.*s is not accepted on this path",
			TYPE_SHOWN, ev->type);
	if (*ev->time != '\0' && !clock_parse(ev->time, strlen(ev->time), &us))
		return err_set(err, ERR_PROTOCOL, "time is not an RFC 3339 time");
	if (ev->data != NULL && !ev->data_is_json && !ev->data_is_base64 &&
		*ev->datacontenttype != '\0' && event_is_json_type(ev->datacontenttype))
		return err_set(err, ERR_PROTOCOL, "the data is not JSON, as its type says");
	if (ev->data_is_base64) {
		buf_init(&bytes, ev->data_len + 4);
		rc = event_raw_data(ev, &bytes, &data, &len, err);
		buf_free(&bytes);
	}
	return rc;
}

unsigned
webhook_events_add(const struct webhook_input *in, struct event *ev,
	struct webhook_events *events, struct err *err)
{
	struct webhook_event *e;
	size_t max = in->message_max > WEBHOOK_MESSAGE_OVERHEAD
		? in->message_max - WEBHOOK_MESSAGE_OVERHEAD
		: 0;
	struct buf subject, data;

	if (check(ev, in->path, err) != 0)
		return 400;
	ev->json = NULL; /* it is written again, in the order that dispatchers read fastest */
	/* a byte of data that is not JSON becomes an escape of six, or base64 */
	buf_init(&data, max);
	event_add_structured(ev, NULL, &data);
	if (!buf_ok(&data)) {
		err_set(err, ERR_LIMIT, "the event has more than the %zu bytes that NATS takes",
			max);
		buf_free(&data);
		return 413;
	}
	events->event = mem_grow_for(
		events->event, events->n, &events->cap, sizeof(*events->event));
	e = &events->event[events->n++];
	buf_init(&subject, SUBJECT_MAX);
	subject_write_source(&subject, in->source, ev->type);
	e->len = data.len;
	e->subject = take_exactly(&subject);
	e->msg_id = message_id(ev);
	e->data = take_exactly(&data);
	events->bytes += EVENT_MEMORY + strlen(e->subject) + strlen(e->msg_id) + e->len;
	return 202;
}
