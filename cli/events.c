// SPDX-License-Identifier: Apache-2.0
/* vcourier events: the catalogue of events, with what the streams hold. */
#define _GNU_SOURCE /* strcasestr */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalogue.h"
#include "clock.h"
#include "command_list.h"
#include "json.h"
#include "printable.h"
#include "screen.h"
#include "session_open.h"

struct events_options {
	struct connection_flags connection;
	bool json, seen;
};

static const struct screen_column columns[] = { { "EVENT", false, 16 }, { "CLASS", false, 0 },
	{ "SEVERITY", false, 0 }, { "STORED", true, 0 }, { "LAST SEEN", true, 0 },
	{ "DESCRIPTION", false, 12 } };

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static bool
is_wanted(const struct events_options *o, const struct catalogue_entry *e, const char *text)
{
	if (o->seen && e->events == 0)
		return false;
	return text == NULL || strcasestr(e->name, text) != NULL ||
		strcasestr(or_empty(e->description), text) != NULL;
}

static void
add_row(struct screen_table *t, const struct catalogue_entry *e)
{
	char age[16];

	screen_cell(t, "%s", e->name);
	screen_cell(t, "%s", e->eventclass);
	screen_cell(t, "%s", e->severity != NULL ? e->severity : "-");
	screen_cell(t, "%" PRIu64, e->events);
	screen_cell(t, "%s",
		screen_age(
			e->last_us != 0 ? clock_wall_us() - e->last_us : -1, age, sizeof(age)));
	screen_cell(t, "%s", or_empty(e->description));
}

static void
add_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, ",\"%s\":", name);
	printable_add_json_string(out, text, strlen(text));
}

/* One JSON object a line, as `tail --json`. */
static void
print_json(const struct catalogue_entry *e)
{
	char time[CLOCK_TEXT_SIZE];
	struct buf line;

	buf_init(&line, 64 * 1024);
	buf_add_str(&line, "{\"name\":");
	printable_add_json_string(&line, e->name, strlen(e->name));
	add_member(&line, "class", e->eventclass);
	add_member(&line, "base", e->base);
	if (e->severity != NULL) {
		add_member(&line, "severity", e->severity);
		add_member(&line, "category", or_empty(e->category));
		add_member(&line, "description", or_empty(e->description));
	}
	buf_printf(&line, ",\"events\":%" PRIu64, e->events);
	if (e->last_us != 0)
		add_member(&line, "last_seen", clock_format(e->last_us, time));
	buf_add_char(&line, '}');
	puts(buf_str(&line));
	buf_free(&line);
}

static void
print_all(const struct catalogue *c, const struct events_options *o, const char *text)
{
	struct screen_table t;
	size_t n;
	const struct catalogue_entry **list = catalogue_sorted(c, &n);

	screen_table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(o, list[i], text))
			continue;
		if (o->json)
			print_json(list[i]);
		else
			add_row(&t, list[i]);
	}
	if (!o->json)
		screen_table_print(
			&t, isatty(STDOUT_FILENO) ? command_width() : INT_MAX, stdout);
	screen_table_free(&t);
	free((void *)(uintptr_t)list);
}

/* EXIT_NOT_YET, or the exit status after an error message. */
static int
look(struct catalogue *c, struct session *s)
{
	struct err err;

	if (session_sources(s, &err) != 0 || catalogue_ask(c, s, &err) != 0 ||
		catalogue_count(c, s, &err) != 0)
		return session_fail(s, &err);
	if (!c->described)
		fputs("vcourier: no collector describes its events now: severity and description are missing\n",
			stderr);
	return EXIT_NOT_YET;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct events_options *o = values;
	struct catalogue c;
	struct session s;
	int rc = session_open(&s, &o->connection);

	catalogue_init(&c);
	if (rc == EXIT_NOT_YET) {
		rc = look(&c, &s);
		session_close(&s);
	}
	/* the command line and the configuration are wrong in any case */
	if (rc != EXIT_NOT_YET && rc != EXIT_USAGE && rc != EXIT_CONFIG)
		fputs("vcourier: only the classes of the type table are listed, without numbers\n",
			stderr);
	if (rc != EXIT_USAGE && rc != EXIT_CONFIG)
		print_all(&c, o, n_args > 0 ? args[0] : NULL);
	catalogue_asking_free(c.asking); /* after the session */
	catalogue_free(&c);
	return rc == EXIT_NOT_YET ? 0 : rc;
}

#define AT(member) offsetof(struct events_options, member)

static const struct command_option options[] = {
	{ "json", 'j', COMMAND_FLAG, AT(json), NULL, NULL, 0, "one JSON object a line" },
	{ "seen", 0, COMMAND_FLAG, AT(seen), NULL, NULL, 0, "only those that are in a stream" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "listed" }, COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "events --seen", "events PoweredOn", "events --json",
	NULL };

const struct command events_command = {
	COMMAND_CONNECTS,
	.name = "events",
	.summary = "the kinds of events: severity, description, how many are stored",
	.arguments = "[TEXT]",
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct events_options),
	.about =
		"Lists the event classes of vSphere, the events that the vCenters describe, and those "
		"in the streams, with the number that is stored and the time since the newest one. "
		"TEXT: only those with it in name or description.",
	.more = "Severity and description are the vCenter's own; the collector that reads it is asked "
		"for them. Without NATS the classes are listed alone, and the exit status is that of "
		"the connection.",
	.examples = examples,
	.exits = exits,
	.run = run,
};
