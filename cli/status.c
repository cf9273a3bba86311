// SPDX-License-Identifier: Apache-2.0
/* vcourier status: streams, collectors, dispatchers and dead letters on one screen. */
#include <stdlib.h>
#include <string.h>

#include "peers_print.h"
#include "command_list.h"
#include "printable.h"
#include "session_open.h"
#include "status_text.h"
#include "watch.h"

enum { INTERVAL_MS = 2000 };

struct status_flags {
	struct connection_flags connection;
	bool json, watch;
};

struct status_command {
	struct session session;
	struct peers *peers;
	bool json, watch;
};

static void
print_json(const cJSON *model, FILE *out)
{
	char *text = cJSON_PrintUnformatted(model);

	printable_json(out, text, strlen(text));
	cJSON_free(text);
}

/* A watch_draw. */
static int
draw(void *ctx, int width, FILE *out)
{
	struct status_command *c = ctx;
	cJSON *model;
	struct err err;
	int rc;

	if (peers_ask(c->peers, &err) != 0) {
		if (!c->watch)
			return session_fail(&c->session, &err);
		fputs("NATS does not answer: ", out);
		session_print_safe(out, err.text, sizeof(err.text));
		putc('\n', out);
		return EXIT_UNREACHABLE;
	}
	model = status_model_look(&c->session, c->peers);
	rc = status_model_is_well(model) ? 0 : EXIT_RUNTIME;
	if (c->json) {
		print_json(model, out);
	} else {
		status_model_print(model, width, out);
		peers_print(&c->session, c->peers, out);
	}
	cJSON_Delete(model);
	return rc;
}

static int
look(struct status_command *c)
{
	struct err err;

	if (session_sources(&c->session, &err) != 0 ||
		session_dispatchers(&c->session, &err) != 0)
		return session_fail(&c->session, &err);
	session_add_orphans(&c->session);
	if (peers_open(&c->peers, &c->session, &err) != 0)
		return session_fail(&c->session, &err);
	return c->watch ? watch_run(draw, c, INTERVAL_MS) : draw(c, command_width(), stdout);
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct status_flags *o = values;
	struct status_command c = { .json = o->json, .watch = o->watch };
	int rc;

	(void)args;
	(void)n_args;
	if (o->json && o->watch)
		return command_usage_error(
			&status_command, "--json and --watch exclude each other");
	rc = session_open(&c.session, &o->connection);
	if (rc != EXIT_NOT_YET)
		return rc;
	rc = look(&c);
	session_close(&c.session);
	peers_free(c.peers);
	return rc;
}

#define AT(member) offsetof(struct status_flags, member)

static const struct command_option options[] = {
	{ "json", 'j', COMMAND_FLAG, AT(json), NULL, NULL, 0, "one JSON object" },
	{ "watch", 'w', COMMAND_FLAG, AT(watch), NULL, NULL, 0,
		"draw the screen every 2 s; j and k scroll, p pauses, q quits" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "all is well" },
	{ 1, "something is missing, does not answer, has failed or is paused" },
	COMMAND_CONNECTS_EXITS };

static const char *const examples[] = { "status", "status --watch", "status --json", NULL };

const struct command status_command = {
	COMMAND_CONNECTS,
	.name = "status",
	.summary = "streams, collectors, dispatchers and dead letters on one screen",
	.options = options,
	.values_size = sizeof(struct status_flags),
	.about =
		"Shows streams, collectors and dispatchers, and asks those that run for their state. "
		"A process that has ended does not answer within a second, and its line says "
		"\"no reply\".",
	.examples = examples,
	.exits = exits,
	.run = run,
};
