// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "dead_letter.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

enum {
	TEXT_MAX = 1024,
	TEXT_MAX_BARE = 128,
	ID_MAX = 1024,
	WHOLE_SUBJECT_MAX = 4096,
	TEXTS_MAX = 16 * 1024, /* they come to 9 KiB at most */
};

static void
add_header(struct dead_letter *l, const char *name, const char *value)
{
	l->header[l->out.n_headers++] = (struct bus_header){ name, value };
}

/* A copy of at most max bytes that is safe in a header: one line of valid UTF-8. */
static void
add_text(struct dead_letter *l, const char *name, const char *value, size_t max)
{
	size_t at = l->text.len, n = value != NULL ? strnlen(value, max) : 0;

	n = n > 0 ? text_utf8_valid(value, n) : 0;
	if (n == 0 || at + n + 1 >= l->text.cap)
		return;
	buf_add(&l->text, value, n);
	for (char *p = l->text.data + at; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	buf_add_char(&l->text, '\0');
	add_header(l, name, l->text.data + at);
}

static void
add_number(struct dead_letter *l, const char *name, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	add_text(l, name, text, sizeof(text));
}

static void
add_time(struct dead_letter *l, const char *name, int64_t us)
{
	char text[CLOCK_TEXT_SIZE];

	if (us != 0)
		add_text(l, name, clock_format_ms(us, text), sizeof(text));
}

static void
copy_headers(struct dead_letter *l, const struct delivery *delivery, size_t bytes_max)
{
	struct copied_headers copied;

	copied_headers_of(&copied, delivery->job->msg, bytes_max);
	for (size_t i = 0; i < copied.n; i++)
		if (copied.header[i].value[0] != '\0')
			add_header(l, copied.header[i].name, copied.header[i].value);
	if (copied.left_out != 0)
		add_number(l, HEADER_HEADERS_OMITTED, copied.left_out);
}

/*
 * The first token of the original's subject. A replay has lost it: of the stream whose subjects
 * continue in the same way.
 */
static const char *
prefix_of(const struct dead_letter_from *from, const struct job *job, const char *tail)
{
	for (size_t i = 0; job->origin->replay && i < from->streams->n; i++) {
		const struct stream_config *stream = &from->streams->stream[i]->config;
		const char *own = strchr(stream->subjects[0], '.');

		/* ".hooks.>" */
		if (own != NULL && strncmp(own, tail, strlen(own) - 1) == 0 &&
			text_starts(stream->name, SOURCE_STREAM_PREFIX))
			return SOURCE_SUBJECT_PREFIX;
	}
	return !job->origin->replay && text_starts(job->origin->stream, SOURCE_STREAM_PREFIX)
		? SOURCE_SUBJECT_PREFIX
		: from->prefix;
}

static void
add_origin(struct dead_letter *l, const struct dead_letter_from *from,
	const struct delivery *delivery, const struct dead_letter_form *form)
{
	const struct job *job = delivery->job;
	const char *dot = strchr(job_subject(job), '.'), *tail = dot != NULL ? dot : "";
	char text[WHOLE_SUBJECT_MAX], again[TEXT_INT_SIZE + 1] = "";

	if (form->ids_refused > 0)
		snprintf(again, sizeof(again), "%u/", form->ids_refused);
	snprintf(text, sizeof(text), "%s%s/%s/%llu/%lld/%s", again, from->durable,
		job->origin->stream, (unsigned long long)job->seq, (long long)job->stored_us,
		delivery->target);
	add_text(l, HEADER_MSG_ID, text, ID_MAX);
	add_time(l, HEADER_STORED, job->stored_us);
	add_text(l, HEADER_STREAM, job->origin->stream, TEXT_MAX);
	add_number(l, HEADER_SEQUENCE, job->seq);
	snprintf(text, sizeof(text), "%s%s", prefix_of(from, job, tail), tail);
	add_text(l, HEADER_SUBJECT, text, form->bare ? TEXT_MAX_BARE : WHOLE_SUBJECT_MAX);
	if (!form->bare)
		add_text(l, HEADER_ORIGINAL_MSG_ID, bus_msg_header(job->msg, HEADER_MSG_ID),
			TEXT_MAX);
}

static void
add_reason(struct dead_letter *l, const struct dead_letter_from *from,
	const struct delivery *delivery, bool bare)
{
	size_t max = bare ? TEXT_MAX_BARE : TEXT_MAX;

	add_text(l, HEADER_REASON, delivery->reason, max);
	add_text(l, HEADER_ERROR, delivery->why, max);
	if (delivery->status != 0)
		add_number(l, HEADER_STATUS, (uint64_t)delivery->status);
	add_text(l, HEADER_DISPATCHER, from->dispatcher, TEXT_MAX);
	add_text(l, HEADER_TARGET, delivery->target, TEXT_MAX);
	add_number(l, HEADER_ATTEMPTS, delivery->attempts);
	add_number(l, HEADER_DELIVERIES, delivery->job->delivered);
	add_time(l, HEADER_FIRST_ATTEMPT, delivery->first_us);
	add_time(l, HEADER_LAST_ATTEMPT, delivery->last_us);
}

/*
 * vcdead.<dispatcher>.<the original subject without its first token>. Of a longer one, which
 * is not the collector's, the last tokens are left out; a wildcard, which a server takes from
 * whoever does not ask it to check, is replaced.
 */
static void
write_subject(struct dead_letter *l, const char *durable, const char *original)
{
	const char *rest = strchr(original, '.');
	size_t at = (size_t)snprintf(
		       l->subject, sizeof(l->subject), DEAD_PREFIX ".%s", durable),
	       head = at;

	while (rest != NULL) {
		const char *token = rest + 1;
		size_t n = strcspn(token, ".");

		rest = token[n] == '.' ? token + n : NULL;
		if (n == 0 || (n == 1 && (*token == '*' || *token == '>'))) {
			token = "_";
			n = 1;
		}
		if (n + 1 >= sizeof(l->subject) - at)
			break;
		l->subject[at++] = '.';
		memcpy(l->subject + at, token, n);
		at += n;
	}
	l->subject[at] = '\0';
	if (at == head)
		snprintf(l->subject + head, sizeof(l->subject) - head, "._");
}

/*
 * What the server will count: the line NATS/1.0, each header with its colon, blank and line
 * end, an empty line.
 */
static size_t
header_bytes(const struct dead_letter *l)
{
	size_t sum = strlen("NATS/1.0\r\n\r\n");

	for (size_t i = 0; i < l->out.n_headers; i++)
		sum += strlen(l->header[i].name) + strlen(l->header[i].value) +
			strlen(": \r\n");
	return sum;
}

void
dead_letter_write(struct dead_letter *l, const struct dead_letter_from *from,
	const struct delivery *delivery, const struct dead_letter_form *form)
{
	const struct bus_msg *msg = delivery->job->msg;
	size_t max = from->max_payload > 0 ? (size_t)from->max_payload : SIZE_MAX;

	l->out = (struct bus_out){ .subject = l->subject, .headers = l->header };
	buf_init(&l->text, TEXTS_MAX);
	buf_room(&l->text, TEXTS_MAX);
	write_subject(l, from->durable, form->bare ? "" : job_subject(delivery->job));
	add_origin(l, from, delivery, form);
	add_reason(l, from, delivery, form->bare);
	copy_headers(l, delivery, form->bare ? 0 : max / 2);
	if (!form->bare && bus_msg_len(msg) <= max &&
		header_bytes(l) <= max - bus_msg_len(msg)) {
		l->out.data = bus_msg_data(msg);
		l->out.len = bus_msg_len(msg);
	} else {
		l->out.data = "";
		add_text(l, HEADER_BODY_OMITTED,
			"omitted: it is in the stream, at the sequence", TEXT_MAX);
	}
}

void
dead_letter_free(struct dead_letter *l)
{
	buf_free(&l->text);
}
