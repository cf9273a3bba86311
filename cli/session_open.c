// SPDX-License-Identifier: Apache-2.0
#include "session_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "printable.h"
#include "reach.h"
#include "stop.h"
#include "text.h"

enum {
	LOOK_MS = 50,
	CREDS_MS = 2000,
};

struct session_settings {
	struct connection_settings connection;
	struct buf texts;
};

static int
status_of(enum err_code code)
{
	switch (code) {
	case ERR_CONNECT:
	case ERR_TLS:
	case ERR_TIMEOUT:
		return EXIT_UNREACHABLE;
	case ERR_AUTH:
	case ERR_FORBIDDEN:
		return EXIT_FORBIDDEN;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_CONFIG:
		return EXIT_CONFIG;
	default:
		return EXIT_RUNTIME;
	}
}

int
session_fail(struct session *s, struct err *err)
{
	const char *user = s->config->user;

	session_explain(s, err);
	if (err->code == ERR_FORBIDDEN)
		printable_line(stderr, "vcourier: not permitted%s%s: %s",
			user != NULL ? " to user " : "", user != NULL ? user : "", err->text);
	else
		printable_line(stderr, "vcourier: %s", err->text);
	return status_of(err->code);
}

int
session_wait_connected(struct bus *bus, bool again, struct err *err)
{
	int rc = -1;

	for (int64_t waited = 0; rc != 0 && waited < SESSION_TIMEOUT_MS; waited += LOOK_MS) {
		struct err last;

		rc = bus_wait_connected(bus, LOOK_MS, err);
		bus_last_error(bus, &last);
		if (rc != 0 && (err->code == ERR_STOPPED || last.code != ERR_NONE) &&
			(!again || waited > CREDS_MS))
			return -1;
	}
	return rc;
}

static int
fail_to_connect(struct session *s, const struct err *err)
{
	const char *user = s->config->user;
	int status = status_of(err->code);
	char as[300] = "";
	struct err why;

	if (err->code == ERR_CONNECT && reach_try(s->config->urls[0], &why) != 0)
		err_wrap(&why, "%s", s->config->urls[0]);
	else
		why = *err;
	if (err->code == ERR_AUTH)
		snprintf(as, sizeof(as), " (%s%s)", user != NULL ? "user " : "no user is given",
			user != NULL ? user : "");
	printable_line(stderr, "vcourier: %s%s; the connection is from %s", why.text, as,
		s->settings->connection.origin);
	/* a file that cannot be read */
	return status == EXIT_RUNTIME && err->code != ERR_STOPPED ? EXIT_CONFIG : status;
}

int
session_open(struct session *s, const struct connection_flags *flags)
{
	struct session_settings *settings = mem_alloc(sizeof(*settings));
	struct connection_settings *connection = &settings->connection;
	struct bus_options options;
	struct err err;
	int rc;

	*s = (struct session){ .settings = settings };
	buf_init(&settings->texts, 1024);
	rc = connection_open(connection, flags);
	if (rc == EXIT_NOT_YET) {
		s->config = &connection->bus;
		s->source_names = connection->vcenters;
		s->other_source_names = connection->sources;
		s->dispatcher_names = connection->dispatchers;
		s->discovers = connection->discovers;
		stop_init();
		bus_config_options(s->config, "cli", NULL, &settings->texts, &options);
		if (bus_open(&s->bus, &options, &err) == 0 &&
			session_wait_connected(
				s->bus, s->config->credentials_file != NULL, &err) == 0 &&
			stream_reader_open(&s->reader, s->bus, &err) == 0)
			return EXIT_NOT_YET;
		rc = fail_to_connect(s, &err);
	}
	session_close(s);
	return rc;
}

void
session_close(struct session *s)
{
	if (s->reader != NULL)
		stream_reader_stop(s->reader);
	bus_close(s->bus);
	stream_reader_close(s->reader);
	session_forget(s);
	buf_free(&s->settings->texts);
	connection_free(&s->settings->connection);
	free(s->settings);
	*s = (struct session){ .bus = NULL };
}

int
session_dispatcher(struct session *s, const char *name, char token[96])
{
	if (session_dispatcher_token(s, name, token))
		return EXIT_NOT_YET;
	fprintf(stderr, "vcourier: there is no dispatcher \"%s\"; there %s", name,
		s->n_dispatchers > 0 ? "are:" : "is none");
	for (size_t i = 0; i < s->n_dispatchers; i++) {
		fputc(' ', stderr);
		session_print_safe(stderr, s->dispatcher[i].name, 96);
	}
	fputc('\n', stderr);
	return EXIT_USAGE;
}

void
session_print_safe(FILE *f, const char *text, size_t max)
{
	const char *end = memchr(text, '\0', max);
	size_t len = end != NULL ? (size_t)(end - text) : max;

	printable_text(f, text, end == NULL ? text_whole(text, len) : len);
}

const char *
session_age(int64_t us, char *buf, size_t size)
{
	if (us < 0) {
		snprintf(buf, size, "-");
		return buf;
	}
	return text_duration_str(us / 1000000 * 1000, buf, size);
}
