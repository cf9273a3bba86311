// SPDX-License-Identifier: Apache-2.0
#include "letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "copied_headers.h"
#include "header_block.h"
#include "json.h"
#include "mem.h"
#include "printable.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

enum {
	OWN_HEADERS_BYTES = 2 * 1024, /* of a message that is sent again: id and target */
};

const char *
letter_event_name(const char *subject, const char *original)
{
	bool of_source = original != NULL && text_starts(original, SOURCE_SUBJECT_PREFIX ".");

	for (int i = 0; i < (of_source ? 3 : 7) && subject != NULL; i++) {
		subject = strchr(subject, '.');
		subject = subject != NULL ? subject + 1 : NULL;
	}
	return subject;
}

const char *
letter_header(const struct letter *l, const char *name, char value[LETTER_VALUE_MAX])
{
	return jetstream_msg_header(l->msg.headers, name, value, LETTER_VALUE_MAX) ? value : "";
}

void
letter_add_json(const struct letter *l, struct buf *out)
{
	static const struct {
		const char *key, *header;
	} members[] = { { "dispatcher", HEADER_DISPATCHER }, { "target", HEADER_TARGET },
		{ "reason", HEADER_REASON }, { "status", HEADER_STATUS },
		{ "error", HEADER_ERROR }, { "attempts", HEADER_ATTEMPTS },
		{ "firstAttempt", HEADER_FIRST_ATTEMPT },
		{ "lastAttempt", HEADER_LAST_ATTEMPT }, { "stream", HEADER_STREAM },
		{ "sequence", HEADER_SEQUENCE }, { "subject", HEADER_SUBJECT } };
	char value[LETTER_VALUE_MAX], time[CLOCK_TEXT_SIZE];
	size_t without_event;

	buf_printf(out, "{\"seq\":%llu,\"time\":\"%s\"", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = letter_header(l, members[i].header, value);

		buf_printf(out, ",\"%s\":", members[i].key);
		printable_add_json_string(out, text, strlen(text));
	}
	without_event = out->len;
	buf_add_str(out, ",\"event\":");
	if (!printable_add_json(out, l->msg.data, l->msg.len))
		buf_truncate(out, without_event);
	buf_add_char(out, '}');
}

/* ---- sending it again */

/* A stored message that is sent again, with the headers that are copied. */
struct again {
	char *block;
	struct bus_header *all; /* of the stored message; they point into block */
	size_t n_all;
	struct bus_header header[COPIED_HEADERS_MAX + 2];
	struct bus_out out;
};

static void
each_of_list(const void *message, void (*fn)(void *, const char *, const char *), void *ctx)
{
	const struct again *a = message;

	for (size_t i = 0; i < a->n_all; i++)
		fn(ctx, a->all[i].name, a->all[i].value);
}

/* max_payload: the copied headers leave room for the body; 0: unknown. */
static void
again_init(struct again *a, const struct stream_msg *stored, int64_t max_payload)
{
	size_t taken = stored->len + OWN_HEADERS_BYTES, room = SIZE_MAX;
	struct copied_headers copied;

	if (max_payload > 0)
		room = (size_t)max_payload > taken ? (size_t)max_payload - taken : 0;
	a->block = mem_strdup(stored->headers);
	a->all = header_block_list(a->block, &a->n_all);
	copied_headers_take(&copied, each_of_list, a, room);
	memcpy(a->header, copied.header, copied.n * sizeof(copied.header[0]));
	a->out = (struct bus_out){ .headers = a->header,
		.n_headers = copied.n,
		.data = stored->data,
		.len = stored->len };
}

/*
 * An event that fills max_payload has no room for an id; then a second redrive of it is not
 * detected. False: the id is not the last header.
 */
static bool
drop_id(struct again *a)
{
	size_t last = a->out.n_headers - 1;

	if (strcmp(a->header[last].name, HEADER_MSG_ID) != 0)
		return false;
	a->out.n_headers--;
	return true;
}

static void
again_free(struct again *a)
{
	free(a->all);
	free(a->block);
}

/*
 * VC_<vCenter> or CE_<source>, as subject_stream writes it, or the stream of replays. So the
 * name cannot change the subject of the API request.
 */
static bool
is_event_stream(const char *name)
{
	static const char token[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=~";
	size_t len = strlen(name);

	if (strcmp(name, REPLAY_STREAM) == 0)
		return true;
	return (text_starts(name, VCENTER_STREAM_PREFIX) ||
		       text_starts(name, SOURCE_STREAM_PREFIX)) &&
		len > 3 && strspn(name, token) == len;
}

/*
 * If body or headers did not fit into the dead letter, the original is read from its stream, if
 * it still exists. The dispatcher that wrote the dead letter has other permissions than this
 * command, so only streams of events are read, whatever the dead letter names.
 */
static int
fetch_original(
	struct session *s, const struct letter *l, struct stream_msg *original, struct err *err)
{
	char value[LETTER_VALUE_MAX], digits[LETTER_VALUE_MAX], stored[LETTER_VALUE_MAX],
		time[CLOCK_TEXT_SIZE];
	struct message_search found;
	const char *stream, *seq;
	int64_t number;

	*original = (struct stream_msg){ .seq = 0 };
	if (*letter_header(l, HEADER_BODY_OMITTED, value) == '\0' &&
		*letter_header(l, HEADER_HEADERS_OMITTED, value) == '\0')
		return 0;
	stream = letter_header(l, HEADER_STREAM, value);
	seq = letter_header(l, HEADER_SEQUENCE, digits);
	if (!is_event_stream(stream))
		return err_set(err, ERR_PROTOCOL,
			"it names \"%.100s\", which is not a stream of events", stream);
	if (!text_int(seq, 1, INT64_MAX, &number))
		return err_set(err, ERR_PROTOCOL,
			"it names \"%.100s\", which is not a sequence number", seq);
	if (stream_find(s->bus, stream, (uint64_t)number, &found, err) != 0)
		return err_wrap(err, "its event, %.100s in stream %.100s", seq, stream);
	if (found.presence == MESSAGE_GONE)
		return err_set(err, ERR_NOT_FOUND,
			"its event, %.100s in stream %.100s, was removed from the stream", seq,
			stream);
	if (found.presence != MESSAGE_FOUND)
		return err_set(err, ERR_TIMEOUT,
			"its event, %.100s in stream %.100s, is not found at the moment: try again",
			seq, stream);
	if (*letter_header(l, HEADER_STORED, stored) != '\0' &&
		strcmp(stored, clock_format_ms(found.msg.time_us, time)) != 0) {
		jetstream_msg_free(&found.msg);
		return err_set(err, ERR_NOT_FOUND,
			"its event, %.100s in stream %.100s, was lost: its sequence has another event",
			seq, stream);
	}
	*original = found.msg;
	return 0;
}

int
letter_send_again(struct session *s, const struct letter *l, struct err *err)
{
	const char *tail = text_starts(l->msg.subject, DEAD_PREFIX ".")
		? l->msg.subject + strlen(DEAD_PREFIX ".")
		: NULL;
	char id[128], target[LETTER_VALUE_MAX];
	struct stream_msg original;
	struct again again;
	struct pub_ack ack;
	struct buf subject;
	int failed;

	if (tail == NULL)
		return err_set(err, ERR_PROTOCOL, "%.200s is not the subject of a dead letter",
			l->msg.subject);
	if (session_replay_stream(s, err) != 0 || fetch_original(s, l, &original, err) != 0)
		return -1;
	again_init(&again, original.seq != 0 ? &original : &l->msg, bus_max_payload(s->bus));
	buf_init(&subject, strlen(tail) + 16);
	buf_printf(&subject, REPLAY_PREFIX ".%s", tail);
	again.out.subject = buf_str(&subject);
	snprintf(id, sizeof(id), "redrive/%llu/%lld", (unsigned long long)l->msg.seq,
		(long long)l->msg.time_us);
	again.header[again.out.n_headers++] = (struct bus_header){ HEADER_MSG_ID, id };
	if (*letter_header(l, HEADER_TARGET, target) != '\0')
		again.header[again.out.n_headers++] = (struct bus_header){ HEADER_TARGET,
			target };
	failed = jetstream_publish(s->bus, &again.out, SESSION_TIMEOUT_MS, &ack, err);
	if (failed && err->code == ERR_LIMIT && drop_id(&again))
		failed = jetstream_publish(s->bus, &again.out, SESSION_TIMEOUT_MS, &ack, err);
	again_free(&again);
	buf_free(&subject);
	jetstream_msg_free(&original);
	return failed;
}
