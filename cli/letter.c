// SPDX-License-Identifier: Apache-2.0
#include "letter.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "header_block.h"
#include "json.h"
#include "mem.h"
#include "printable.h"
#include "text.h"

enum { HEADERS_MAX = 48, VALUE_MAX = 1200 };

const char *
letter_event_name(const char *subject)
{
	for (int i = 0; i < 7 && subject != NULL; i++) {
		subject = strchr(subject, '.');
		subject = subject != NULL ? subject + 1 : NULL;
	}
	return subject;
}

/* "" when the letter does not have it; value is where it goes. */
static const char *
header(const struct letter *l, const char *name, char value[VALUE_MAX])
{
	return jetstream_msg_header(l->msg.headers, name, value, VALUE_MAX) ? value : "";
}

static void
print_json(const struct letter *l)
{
	static const struct {
		const char *key, *header;
	} members[] = { { "dispatcher", "Vcourier-Dispatcher" },
		{ "target", "Vcourier-Target" }, { "reason", "Vcourier-Reason" },
		{ "status", "Vcourier-Status" }, { "error", "Vcourier-Error" },
		{ "attempts", "Vcourier-Attempts" }, { "firstTry", "Vcourier-First-Try" },
		{ "lastTry", "Vcourier-Last-Try" }, { "stream", "Vcourier-Stream" },
		{ "sequence", "Vcourier-Sequence" }, { "subject", "Vcourier-Subject" } };
	char value[VALUE_MAX], time[CLOCK_TEXT_SIZE];
	size_t without_event;
	struct buf out;

	buf_init(&out, 64 * 1024 * 1024);
	buf_printf(&out, "{\"seq\":%llu,\"time\":\"%s\"", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = header(l, members[i].header, value);

		buf_printf(&out, ",\"%s\":", members[i].key);
		printable_add_json_string(&out, text, strlen(text));
	}
	without_event = out.len;
	buf_add_str(&out, ",\"event\":");
	if (!printable_add_json(&out, l->msg.data, l->msg.len))
		buf_truncate(&out, without_event);
	printf("%s}\n", buf_str(&out));
	buf_free(&out);
}

void
letter_print_line(const struct letter *l, bool json)
{
	char value[VALUE_MAX], time[CLOCK_TEXT_SIZE];
	const char *name = letter_event_name(l->msg.subject);

	if (json) {
		print_json(l);
		return;
	}
	printf("%8llu %s ", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	session_print_safe(stdout, header(l, "Vcourier-Dispatcher", value), 64);
	putchar(' ');
	session_print_safe(stdout, name != NULL ? name : l->msg.subject, 200);
	putchar(' ');
	session_print_safe(stdout, header(l, "Vcourier-Attempts", value), 20);
	printf("x ");
	session_print_safe(stdout, header(l, "Vcourier-Reason", value), 32);
	fputs(": ", stdout);
	session_print_safe(stdout, header(l, "Vcourier-Error", value), 300);
	putchar('\n');
}

void
letter_print_all(const struct letter *l)
{
	char time[CLOCK_TEXT_SIZE];
	struct buf body;

	printf("dead letter %llu of %s\nsubject: ", (unsigned long long)l->msg.seq,
		clock_format_ms(l->msg.time_us, time));
	session_print_safe(stdout, l->msg.subject, 1024);
	putchar('\n');
	for (const char *line = strchr(l->msg.headers, '\n'); line != NULL && line[1] > ' ';
		line = strchr(line + 1, '\n')) {
		char copy[VALUE_MAX];

		snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line + 1, "\r\n"), line + 1);
		session_print_safe(stdout, copy, sizeof(copy));
		putchar('\n');
	}
	putchar('\n');
	buf_init(&body, 3 * l->msg.len + 1);
	printable_add_lines(&body, l->msg.data, l->msg.len);
	printf("%s\n\n", buf_str(&body));
	buf_free(&body);
}

/* ---- sending it again */

/* The original's own headers, out of the raw block, each copied; the names of ours and the
 * server's stay away. */
static size_t
original_headers(const struct letter *l, char *copies[HEADERS_MAX],
	struct bus_header header[HEADERS_MAX])
{
	const char *block = l->msg.headers;
	struct header_line line;
	size_t n = 0;

	while (n < HEADERS_MAX - 4 && header_block_next(&block, &line)) {
		char *copy;

		if (text_starts(line.name, "Nats-") || text_starts(line.name, "Vcourier-"))
			continue;
		copy = mem_strndup(
			line.name, (size_t)(line.value + line.value_len - line.name));
		copy[line.name_len] = '\0';
		copies[n] = copy;
		header[n++] = (struct bus_header){ copy, copy + (line.value - line.name) };
	}
	return n;
}

/* VC_<vCenter> or CE_<source>, as subject_stream writes it; so no other subject of the API can
 * be meant. */
static bool
is_event_stream(const char *name)
{
	static const char token[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=~";
	size_t len = strlen(name);

	return (text_starts(name, "VC_") || text_starts(name, "CE_")) && len > 3 &&
		strspn(name, token) == len;
}

/*
 * The body was too large to go along: it is where it came from, if it is still there. Who may
 * write dead letters is not who runs this command: only streams of events are read, whatever
 * the letter names.
 */
static int
fetch_original(
	struct session *s, const struct letter *l, struct stream_msg *original, struct err *err)
{
	char value[VALUE_MAX], digits[VALUE_MAX], stored[VALUE_MAX], time[CLOCK_TEXT_SIZE];
	struct message_search found;
	const char *stream, *seq;
	int64_t number;

	*original = (struct stream_msg){ .seq = 0 };
	if (*header(l, "Vcourier-Body", value) == '\0')
		return 0;
	stream = header(l, "Vcourier-Stream", value);
	seq = header(l, "Vcourier-Sequence", digits);
	if (!is_event_stream(stream))
		return err_set(err, ERR_PROTOCOL,
			"it names \"%.100s\", which is no stream of events", stream);
	if (!text_int(seq, 1, INT64_MAX, &number))
		return err_set(
			err, ERR_PROTOCOL, "it names \"%.100s\", which is no sequence", seq);
	if (stream_find(s->bus, stream, (uint64_t)number, &found, err) != 0)
		return err_wrap(err, "its event, %.100s in stream %.100s", seq, stream);
	if (found.presence == MESSAGE_GONE)
		return err_set(err, ERR_NOT_FOUND,
			"its event, %.100s in stream %.100s, has left the stream", seq, stream);
	if (found.presence != MESSAGE_FOUND)
		return err_set(err, ERR_TIMEOUT,
			"its event, %.100s in stream %.100s, is not found just now: try again",
			seq, stream);
	if (*header(l, "Vcourier-Stored", stored) != '\0' &&
		strcmp(stored, clock_format_ms(found.msg.time_us, time)) != 0) {
		jetstream_msg_free(&found.msg);
		return err_set(err, ERR_NOT_FOUND,
			"its event, %.100s in stream %.100s, was lost: another one is there",
			seq, stream);
	}
	*original = found.msg;
	return 0;
}

int
letter_send_again(struct session *s, const struct letter *l, struct err *err)
{
	const char *tail = text_starts(l->msg.subject, "vcdead.")
		? l->msg.subject + strlen("vcdead.")
		: NULL;
	char id[128], target[VALUE_MAX], *copies[HEADERS_MAX];
	struct bus_header headers[HEADERS_MAX];
	struct bus_out out = { .headers = headers, .data = l->msg.data, .len = l->msg.len };
	struct stream_msg original;
	struct pub_ack ack;
	struct buf subject;
	size_t n;
	int failed;

	if (tail == NULL)
		return err_set(err, ERR_PROTOCOL, "%.200s is no dead letter's subject",
			l->msg.subject);
	if (session_replay_stream(s, err) != 0 || fetch_original(s, l, &original, err) != 0)
		return -1;
	if (original.seq != 0) {
		out.data = original.data;
		out.len = original.len;
	}
	n = original_headers(l, copies, headers);
	out.n_headers = n;
	buf_init(&subject, strlen(tail) + 16);
	buf_printf(&subject, "vcreplay.%s", tail);
	out.subject = buf_str(&subject);
	snprintf(id, sizeof(id), "redrive/%llu/%lld", (unsigned long long)l->msg.seq,
		(long long)l->msg.time_us);
	headers[out.n_headers++] = (struct bus_header){ "Nats-Msg-Id", id };
	if (*header(l, "Vcourier-Target", target) != '\0')
		headers[out.n_headers++] = (struct bus_header){ "Vcourier-Target", target };
	failed = jetstream_publish(s->bus, &out, SESSION_TIMEOUT_MS, &ack, err);
	while (n > 0)
		free(copies[--n]);
	buf_free(&subject);
	jetstream_msg_free(&original);
	return failed;
}
