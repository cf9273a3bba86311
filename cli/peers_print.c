// SPDX-License-Identifier: Apache-2.0
#include "peers_print.h"

#include <inttypes.h>

#include "json_member.h"
#include "session_open.h"

enum { ERR_TEXT_SHOWN = 320 }; /* bytes: all of a struct err */

static int64_t
paused_us(const cJSON *json)
{
	int64_t ms = json_member_int(json, "paused_ms");

	return ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : 0;
}

/*
 * The target that has been paused longest; a backend with one destination has no name for it.
 */
static void
print_target(const cJSON *json, FILE *out)
{
	fprintf(out, "; ");
	session_print_safe(out, json_member_text(json, "target"), 64);
	if (json_member_text(json, "target")[0] != '\0')
		fprintf(out, ": ");
	if (json_member_int(json, "status") > 0)
		fprintf(out, "HTTP %" PRId64, json_member_int(json, "status"));
	else
		fprintf(out, "no reply");
}

static void
print_replica(const char *name, const cJSON *reply, FILE *out)
{
	putc('\n', out);
	session_print_safe(out, name, 96);
	fprintf(out, " on ");
	session_print_safe(out, json_member_text(reply, "host"), 64);
	fprintf(out, " (pid %" PRId64 ") ", json_member_int(reply, "pid"));
}

static void
print_paused(const cJSON *json, FILE *out)
{
	char since[32];

	fprintf(out,
		"has been paused for %s: ", session_age(paused_us(json), since, sizeof(since)));
	if (json_member_true(json, "dead_letters_fail"))
		fprintf(out, "dead letters cannot be stored");
	else if (json_member_true(json, "down"))
		fprintf(out, "the destination does not answer");
	else
		fprintf(out, "%" PRId64 " of %" PRId64 " targets",
			json_member_int(json, "paused"), json_member_int(json, "targets"));
	if (json_member_int(json, "paused") > 0)
		print_target(json, out);
	putc('\n', out);
}

/*
 * Lists, addresses and credentials that the backend could not read, and events that wait for
 * them.
 */
static void
print_refreshes(const char *name, const cJSON *reply, FILE *out)
{
	const cJSON *refresh;

	cJSON_ArrayForEach(refresh, json_member(reply, "refreshes")) {
		print_replica(name, reply, out);
		session_print_safe(out, json_member_text(refresh, "name"), 64);
		fprintf(out, ": ");
		session_print_safe(out, json_member_text(refresh, "why"), ERR_TEXT_SHOWN);
		putc('\n', out);
	}
	if (json_member_int(reply, "held") > 0) {
		print_replica(name, reply, out);
		fprintf(out,
			"holds %" PRId64
			" events that match no target yet, until emptyGrace is over\n",
			json_member_int(reply, "held"));
	}
}

void
peers_print(const struct session *s, const struct peers *p, FILE *out)
{
	for (size_t d = 0; d < s->n_dispatchers; d++) {
		const char *name = s->dispatcher[d].name;
		const cJSON *reply;

		for (size_t k = 0; (reply = peers_reply(p, d, k)) != NULL; k++) {
			if (peers_is_paused(reply)) {
				print_replica(name, reply, out);
				print_paused(reply, out);
			}
			print_refreshes(name, reply, out);
		}
	}
}
