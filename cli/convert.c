// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier convert: converts recorded SOAP replies to CloudEvents with the collector's own
 * code. It shows what functions will receive for an event, before anything runs.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "envelope.h"
#include "event.h"
#include "normalize.h"
#include "printable.h"
#include "severities.h"
#include "xmltext.h"

enum {
	READ_SIZE = 64 * 1024,
	REPLY_MAX = 128 * 1024 * 1024,
};

struct convert_options {
	const char *source, *uuid, *api_version, *style;
	bool data;
};

struct convert {
	struct envelope_source source;
	bool data_only, terminal;
	enum event_type_style style;
	struct normalizer *normalizer;
	struct severities severities;
	struct envelope envelope;
	struct event event;
	struct buf in, type, out;
	const char *file;
	unsigned long replies, failed; /* of this file */
};

static void
complain(struct convert *c, const char *text)
{
	printable_line(stderr, "vcourier: %s: reply %lu: %s", c->file, c->replies, text);
	c->failed++;
}

/* The event in c->out; false when it is too large. */
static bool
write_event(struct convert *c, const struct normalize_event *ev)
{
	const char *severity = severities_of(
		&c->severities, ev->severity, ev->name, ev->class_name);
	const struct buf *message = &c->envelope.message;

	buf_clear(&c->out);
	if (c->data_only) {
		buf_add(&c->out, ev->data, ev->data_len);
	} else {
		if (!envelope_write(&c->envelope, &c->source, ev, severity) ||
			event_parse(&c->event, message->data, message->len, NULL) != 0)
			return false;
		event_type(&c->event, c->style, &c->type);
		event_add_structured(&c->event, buf_str(&c->type), &c->out);
	}
	return buf_ok(&c->out);
}

/*
 * One line. A program that reads it gets the bytes that the collector would send; on a
 * terminal, what would control it is written as \uXXXX.
 */
static void
print_json(const struct convert *c, const struct buf *json)
{
	if (c->terminal) {
		printable_json(stdout, buf_str(json), json->len);
		return;
	}
	fwrite(buf_str(json), 1, json->len, stdout);
	fputc('\n', stdout);
}

static void
convert_page(struct convert *c, const struct normalize_page *page)
{
	char text[320];

	if (page->fault != NULL) {
		snprintf(text, sizeof(text), "SOAP fault %s: %.160s", page->fault->class_name,
			page->fault->text);
		complain(c, text);
	}
	if (page->repaired || page->n_left_out != 0) {
		snprintf(text, sizeof(text), "%zu of %zu events omitted%s%s", page->n_left_out,
			page->n + page->n_left_out, page->repaired ? ", some repaired: " : "",
			page->why);
		complain(c, text);
	}
	for (size_t i = 0; i < page->n; i++) {
		if (write_event(c, &page->event[i]))
			print_json(c, &c->out);
		else
			complain(c, "an event is too large for an envelope");
	}
}

static void
convert_reply(struct convert *c, const char *reply, size_t len)
{
	struct normalize_page page;
	struct err err = { 0 };

	c->replies++;
	normalizer_begin(c->normalizer);
	normalizer_feed(c->normalizer, reply, len, &err);
	if (normalizer_end(c->normalizer, &page, &err) == 0)
		convert_page(c, &page);
	else
		complain(c, err.text);
}

/*
 * Where the reply at s ends: after its envelope, or where another one begins; NULL: its end has
 * not been read yet.
 */
static const char *
reply_end(const char *s, const char *end)
{
	const char *next = end - s < 5 ? NULL
				       : memmem(s + 5, (size_t)(end - s - 5), "<?xml", 5);
	const char *close = xmltext_find_tag(s, end, "Envelope", true);

	if (close != NULL)
		close = memchr(close, '>', (size_t)(end - close));
	if (close != NULL && (next == NULL || close < next))
		return close + 1;
	return next;
}

/* Converts the complete replies in c->in and removes them. */
static void
convert_replies(struct convert *c, bool last)
{
	const char *s = buf_str(&c->in), *end = s + c->in.len, *stop;
	size_t left;

	while ((s = memchr(s, '<', (size_t)(end - s))) != NULL) {
		stop = reply_end(s, end);
		if (stop == NULL && !last)
			break;
		convert_reply(c, s, (size_t)((stop == NULL ? end : stop) - s));
		s = stop == NULL ? end : stop;
	}
	left = s == NULL ? 0 : (size_t)(end - s);
	if (left != 0 && left != c->in.len)
		memmove(c->in.data, s, left);
	buf_truncate(&c->in, left);
}

static void
convert_stream(struct convert *c, FILE *f)
{
	size_t n, looked = 0;
	char *room;

	buf_clear(&c->in);
	while (!feof(f) && !ferror(f) && (room = buf_room(&c->in, READ_SIZE)) != NULL &&
		(n = fread(room, 1, READ_SIZE, f)) != 0) {
		buf_grew(&c->in, n);
		if (c->in.len <
			2 * looked) /* do not search a long reply again after each read */
			continue;
		convert_replies(c, false);
		looked = c->in.len;
	}
	if (!buf_ok(&c->in)) {
		c->replies++;
		complain(c, "larger than 128 MiB");
		return;
	}
	convert_replies(c, true);
	if (ferror(f))
		complain(c, err_strerror(errno));
	else if (c->replies == 0)
		complain(c, "the file has no reply");
}

static int
convert_file(struct convert *c, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "re");
	bool unreadable;

	if (f == NULL) {
		printable_line(stderr, "vcourier: %s: %s", path, err_strerror(errno));
		return EXIT_CONFIG;
	}
	c->file = standard ? "stdin" : path;
	c->replies = c->failed = 0;
	convert_stream(c, f);
	unreadable = ferror(f) != 0;
	if (!standard)
		fclose(f);
	return unreadable ? EXIT_CONFIG : c->failed != 0 ? EXIT_RUNTIME : 0;
}

static const char *
or_default(const char *text, const char *def)
{
	return text != NULL ? text : def;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct convert_options *o = values;
	struct convert c = { .source = { .vcenter = "convert", .prefix = "vc" } };
	int rc = 0;

	c.source.url = or_default(o->source, "https://vcenter.example/sdk");
	c.source.api_version = or_default(o->api_version, "8.0.0.0");
	c.source.uuid = or_default(o->uuid, "00000000-0000-0000-0000-000000000000");
	c.data_only = o->data;
	c.terminal = isatty(STDOUT_FILENO) != 0;
	c.style = o->style != NULL && strcmp(o->style, "vsphere") == 0 ? EVENT_TYPE_VSPHERE
								       : EVENT_TYPE_ROUTER;
	normalizer_open(&c.normalizer, NULL);
	severities_init(&c.severities);
	envelope_init(&c.envelope, REPLY_MAX);
	event_init(&c.event);
	buf_init(&c.in, REPLY_MAX + READ_SIZE);
	buf_init(&c.type, 1024);
	buf_init(&c.out, REPLY_MAX);
	for (size_t i = 0; i < n_args; i++) {
		int failed = convert_file(&c, args[i]);

		rc = failed > rc ? failed : rc;
	}
	buf_free(&c.in);
	buf_free(&c.type);
	buf_free(&c.out);
	event_free(&c.event);
	envelope_free(&c.envelope);
	severities_free(&c.severities);
	normalizer_close(c.normalizer);
	return rc;
}

#define AT(member) offsetof(struct convert_options, member)

static const char *const styles[] = { "router", "vsphere", NULL };

static const struct command_option options[] = {
	{ "source", 0, COMMAND_TEXT, AT(source), "URL", NULL, 0,
		"the vCenter's SDK URL, for \"source\" (default https://vcenter.example/sdk)" },
	{ "uuid", 0, COMMAND_TEXT, AT(uuid), "UUID", NULL, 0,
		"its instance uuid, for \"vcenteruuid\"" },
	{ "api-version", 0, COMMAND_TEXT, AT(api_version), "VERSION", NULL, 0,
		"its API version, for \"vsphereapiversion\" (default 8.0.0.0)" },
	{ "style", 0, COMMAND_CHOICE, AT(style), "STYLE", styles, 0,
		"the dialect of \"type\": router (default) or vsphere" },
	{ "data", 0, COMMAND_FLAG, AT(data), NULL, NULL, 0, "print the data alone" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "all replies were converted" },
	{ 1, "a reply was invalid, incomplete, a SOAP fault or not a page of events" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_CONFIG, "a file that cannot be read" },
	{ 0, NULL } };

const struct command convert_command = { .program = "vcourier",
	.name = "convert",
	.summary = "recorded SOAP replies to CloudEvents",
	.arguments = "FILE...",
	.args_min = 1,
	.args_max = SIZE_MAX,
	.options = options,
	.values_size = sizeof(struct convert_options),
	.about =
		"Reads SOAP replies of ReadNextEvents and QueryEvents, one or many in a file "
		"(-: standard input), and prints one CloudEvent a line, as the collector "
		"publishes it. Text before a reply, such as HTTP headers, is skipped. A severity "
		"that only the vCenter knows is info.",
	.exits = exits,
	.run = run };
