// SPDX-License-Identifier: Apache-2.0
/* `vcourier status` for people. */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "json_member.h"
#include "protocol.h"
#include "screen.h"
#include "session_open.h"
#include "status_text.h"

enum { NAME_SHORTEST = 8, WHY_MAX = 400 };

static const struct screen_column stream_columns[] = { { "STREAM", false, NAME_SHORTEST },
	{ "EVENTS", true, 0 }, { "SIZE", true, 0 }, { "OLDEST", true, 0 },
	{ "NEWEST", true, 0 }, { "STATE", false, 0 } };

static const struct screen_column collector_columns[] = { { "COLLECTOR", false, NAME_SHORTEST },
	{ "ROLE", false, 0 }, { "LAG", true, 0 }, { "LAST EVENT", true, 0 },
	{ "HOST", false, NAME_SHORTEST }, { "PID", true, 0 }, { "STATE", false, 0 } };

static const struct screen_column dispatcher_columns[] = { { "DISPATCHER", false,
								   NAME_SHORTEST },
	{ "STREAM", false, NAME_SHORTEST }, { "WAITING", true, 0 }, { "ACK PENDING", true, 0 },
	{ "OLDEST", true, 0 }, { "STATE", false, 0 } };

#define N_OF(columns) (sizeof(columns) / sizeof((columns)[0]))

/* A member in milliseconds; "-" when the entry does not have it. */
static const char *
age(const cJSON *entry, const char *name, char buf[16])
{
	int64_t ms = json_member_int(entry, name);
	bool known = json_member(entry, name) != NULL && ms >= 0 && ms < INT64_MAX / 1000;

	return screen_age(known ? ms * 1000 : -1, buf, 16);
}

/* Time since the newest event, by this machine's clock. */
static const char *
since(const char *rfc3339, char buf[16])
{
	int64_t us, now = clock_wall_us();

	if (!clock_parse(rfc3339, strlen(rfc3339), &us))
		return screen_age(-1, buf, 16);
	return screen_age(now > us ? now - us : 0, buf, 16);
}

static void
number(struct screen_table *t, const cJSON *entry, const char *name)
{
	if (json_member(entry, name) != NULL)
		screen_cell(t, "%" PRIu64, json_member_uint(entry, name));
	else
		screen_cell(t, "-");
}

static void
print_streams(const cJSON *model, int width, FILE *out)
{
	struct screen_table t;
	const cJSON *e;
	char text[32];

	screen_table_init(&t, stream_columns, N_OF(stream_columns));
	cJSON_ArrayForEach(e, json_member(model, "streams")) {
		bool known = json_member(e, "bytes") != NULL;

		screen_cell(&t, "%s", json_member_text(e, "name"));
		number(&t, e, "messages");
		screen_cell(&t, "%s",
			known ? screen_bytes(json_member_uint(e, "bytes"), text, sizeof(text))
			      : "-");
		screen_cell(&t, "%s", age(e, "oldest_ms", text));
		screen_cell(&t, "%s", age(e, "newest_ms", text));
		screen_cell(&t, "%s", json_member_text(e, "state"));
	}
	screen_table_print(&t, width, out);
	screen_table_free(&t);
}

static void
print_collectors(const cJSON *model, int width, FILE *out)
{
	struct screen_table t;
	const cJSON *e;
	char text[32];

	screen_table_init(&t, collector_columns, N_OF(collector_columns));
	cJSON_ArrayForEach(e, json_member(model, "collectors")) {
		const cJSON *report = json_member(e, "report");
		bool leader = json_member_true(report, "leader");

		screen_cell(&t, "%s", json_member_text(e, "source"));
		screen_cell(&t, "%s", report == NULL ? "-" : leader ? "leader" : "standby");
		screen_cell(&t, "%s", leader ? age(report, "lag_ms", text) : "-");
		screen_cell(&t, "%s", since(json_member_text(report, "last_event"), text));
		screen_cell(
			&t, "%.64s", report == NULL ? "-" : json_member_text(report, "host"));
		number(&t, report, "pid");
		screen_cell(&t, "%s", json_member_text(e, "state"));
	}
	screen_table_print(&t, width, out);
	screen_table_free(&t);
}

static void
print_dispatchers(const cJSON *model, int width, FILE *out)
{
	struct screen_table t;
	const cJSON *e;
	char text[32];

	screen_table_init(&t, dispatcher_columns, N_OF(dispatcher_columns));
	cJSON_ArrayForEach(e, json_member(model, "dispatchers")) {
		screen_cell(&t, "%s", json_member_text(e, "name"));
		screen_cell(&t, "%s", json_member_text(e, "stream"));
		number(&t, e, "waiting");
		number(&t, e, "ack_pending");
		screen_cell(&t, "%s", age(e, "oldest_ms", text));
		screen_cell(&t, "%s", json_member_text(e, "state"));
	}
	screen_table_print(&t, width, out);
	screen_table_free(&t);
}

/* A line for each entry that has a reason. */
static void
print_reasons(const cJSON *model, const char *list, const char *name, FILE *out)
{
	const cJSON *e;

	cJSON_ArrayForEach(e, json_member(model, list)) {
		const cJSON *report = json_member(e, "report");

		if (json_member_text(e, "why")[0] == '\0')
			continue;
		putc('\n', out);
		session_print_safe(out, json_member_text(e, name), 64);
		if (report != NULL) {
			fputs(" on ", out);
			session_print_safe(out, json_member_text(report, "host"), 64);
			fprintf(out, " (pid %" PRId64 ")", json_member_int(report, "pid"));
		}
		fputs(": ", out);
		session_print_safe(out, json_member_text(e, "why"), WHY_MAX);
		putc('\n', out);
	}
}

static bool
is_empty(const cJSON *model)
{
	const cJSON *stream;

	cJSON_ArrayForEach(stream, json_member(model, "streams")) {
		if (json_member(stream, "messages") != NULL)
			return false;
	}
	return cJSON_GetArraySize(json_member(model, "collectors")) == 0 &&
		cJSON_GetArraySize(json_member(model, "dispatchers")) == 0;
}

void
status_model_print(const cJSON *model, int width, FILE *out)
{
	print_streams(model, width, out);
	putc('\n', out);
	print_collectors(model, width, out);
	if (json_member(model, "dispatchers") != NULL &&
		cJSON_GetArraySize(json_member(model, "dispatchers")) > 0) {
		putc('\n', out);
		print_dispatchers(model, width, out);
	}
	print_reasons(model, "streams", "name", out);
	print_reasons(model, "collectors", "source", out);
	print_reasons(model, "dispatchers", "name", out);
	if (is_empty(model))
		fputs("\nno stream, collector or dispatcher here\n", out);
}
