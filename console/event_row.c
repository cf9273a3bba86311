// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* strcasestr */
#include "event_row.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "event_summary.h"
#include "mem.h"
#include "message.h"
#include "printable.h"
#include "text.h"

/* The text, cut between two characters. */
static char *
column(const char *text)
{
	return mem_strndup(text, text_whole(text, strnlen(text, ROW_TEXT_MAX)));
}

static void
add(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	printable_add_json_string(out, text, strlen(text));
}

static void
write_json(struct event_row *row, const struct event_origin *o, const char *time,
	const char *message)
{
	char *shown = column(message), *when = column(time);
	struct buf out;

	buf_init(&out, 64 * 1024);
	buf_printf(&out, "{\"s\":");
	printable_add_json_string(&out, o->stream, strlen(o->stream));
	buf_printf(&out, ",\"n\":%llu,\"at\":%lld", (unsigned long long)o->at->stream_seq,
		(long long)(o->at->time_us / 1000));
	add(&out, "t", when);
	add(&out, "src", row->source);
	add(&out, "sev", row->severity);
	add(&out, "e", row->name);
	add(&out, "o", row->entity);
	add(&out, "u", row->user);
	add(&out, "m", shown);
	buf_add_char(&out, '}');
	row->json = buf_take(&out, NULL);
	free(shown);
	free(when);
}

static void
keep_body(struct event_row *row, const struct event *ev)
{
	struct buf out;

	if (ev->json != NULL) {
		if (ev->json_len <= ROW_BODY_MAX)
			row->body = mem_strndup(ev->json, ev->json_len);
		row->body_len = row->body != NULL ? ev->json_len : 0;
		return;
	}
	buf_init(&out, ROW_BODY_MAX);
	event_add_structured(ev, NULL, &out);
	if (buf_ok(&out))
		row->body = buf_take(&out, &row->body_len);
	buf_free(&out);
}

void
event_row_read(struct event_row *row, const struct event_origin *o, const struct bus_msg *msg,
	struct event *ev)
{
	struct event_summary summary;
	struct err err;

	*row = (struct event_row){ .source = column(o->source) };
	if (message_read_event(msg, ev, &err) != 0) {
		row->severity = column("error");
		row->name = column(bus_msg_subject(msg));
		row->entity = column("");
		row->user = column("");
		write_json(row, o, "", err.text);
		return;
	}
	event_summary_read(&summary, ev);
	row->severity = column(summary.severity);
	row->name = column(summary.name);
	row->entity = column(summary.entity);
	row->user = column(summary.user);
	write_json(row, o, ev->time, summary.message);
	event_summary_free(&summary);
	keep_body(row, ev);
}

void
event_row_free(struct event_row *row)
{
	free(row->json);
	free(row->source);
	free(row->severity);
	free(row->name);
	free(row->entity);
	free(row->user);
	free(row->body);
	*row = (struct event_row){ .json = NULL };
}

size_t
event_row_bytes(const struct event_row *row)
{
	return row->body_len + strlen(row->json) + strlen(row->name) + strlen(row->entity) +
		strlen(row->user) + 256;
}

static bool
has(const char *text, const char *part)
{
	return *part == '\0' || strcasestr(text, part) != NULL;
}

/* `one` is an item of the list, which has commas between them. */
static bool
listed(const char *list, const char *one)
{
	size_t len = strlen(one);

	if (*list == '\0')
		return true;
	for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && strncmp(list, one, len) == 0)
			return true;
	return false;
}

bool
event_row_matches(struct row_filter *f, const struct event_row *row)
{
	struct err err;

	if (!listed(f->severity, row->severity) ||
		(f->source[0] != '\0' && strcmp(f->source, row->source) != 0) ||
		!has(row->name, f->name) || !has(row->entity, f->entity) ||
		!has(row->user, f->user))
		return false;
	if (f->text[0] != '\0' && (row->body == NULL || !has(row->body, f->text)))
		return false;
	/* -1: it cannot be judged, which a dispatcher counts as a match */
	return f->pattern == NULL ||
		(row->body != NULL &&
			pattern_match(f->pattern, row->body, row->body_len, &err) != 0);
}

void
event_row_filter_free(struct row_filter *f)
{
	pattern_free(f->pattern);
	f->pattern = NULL;
}
