// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "bus_streams.h"
#include "json_member.h"
#include "printable.h"
#include "reach.h"
#include "stop.h"
#include "text.h"

enum {
	/*
	 * an incomplete read is repeated after this time, because the next reader may use
	 * another replica
	 */
	AGAIN_MS = 500,
	READ_TRIES = 20,
	LOOK_MS = 50,
	CREDS_MS = 2000,
	ABSENT_TRIES = 4,
};

/* ---- errors */

void
session_explain(struct session *s, struct err *err)
{
	struct err last;

	if (s->bus == NULL || (err->code != ERR_TIMEOUT && err->code != ERR_CONNECT))
		return;
	bus_last_error(s->bus, &last);
	if (last.code == ERR_FORBIDDEN)
		*err = last;
}

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
	session_explain(s, err);
	fputs("vcourier: ", stderr);
	if (err->code == ERR_FORBIDDEN)
		fprintf(stderr,
			"not permitted%s%s: ", s->config->user != NULL ? " to user " : "",
			s->config->user != NULL ? s->config->user : "");
	session_print_safe(stderr, err->text, sizeof(err->text));
	fputc('\n', stderr);
	return status_of(err->code);
}

/* ---- connecting */

/* The first failure counts: waiting for a server that refuses helps nobody. */
static int
wait_connected(struct session *s, struct err *err)
{
	bool again = s->config->credentials_file != NULL; /* see bus_security.c */
	int rc = -1;

	for (int64_t waited = 0; rc != 0 && waited < SESSION_TIMEOUT_MS; waited += LOOK_MS) {
		struct err last;

		rc = bus_wait_connected(s->bus, LOOK_MS, err);
		bus_last_error(s->bus, &last);
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
	struct err why;

	fputs("vcourier: ", stderr);
	if (err->code == ERR_CONNECT && reach_try(s->config->urls[0], &why) != 0)
		fprintf(stderr, "%s: %s", s->config->urls[0], why.text);
	else
		session_print_safe(stderr, err->text, sizeof(err->text));
	if (err->code == ERR_AUTH)
		fprintf(stderr, " (%s%s)", user != NULL ? "user " : "no user is given",
			user != NULL ? user : "");
	fprintf(stderr, "; the connection is from %s\n", s->connection.origin);
	/* a file that cannot be read */
	return status == EXIT_RUNTIME && err->code != ERR_STOPPED ? EXIT_CONFIG : status;
}

int
session_open(struct session *s, const struct connection_flags *flags)
{
	struct bus_options options;
	struct err err;
	int rc;

	*s = (struct session){ .bus = NULL };
	buf_init(&s->texts, 1024);
	rc = connection_open(&s->connection, flags);
	if (rc == EXIT_NOT_YET) {
		s->config = &s->connection.bus;
		stop_init();
		bus_config_options(s->config, "cli", "operator", &s->texts, &options);
		if (bus_open(&s->bus, &options, &err) == 0 && wait_connected(s, &err) == 0 &&
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
	buf_free(&s->texts);
	for (size_t i = 0; i < s->n_sources; i++)
		free(s->source[i].name);
	for (size_t i = 0; i < s->n_dispatchers; i++)
		free(s->dispatcher[i].name);
	free(s->source);
	free(s->dispatcher);
	connection_free(&s->connection);
	*s = (struct session){ .bus = NULL };
}

void
session_print_safe(FILE *f, const char *text, size_t max)
{
	const char *end = memchr(text, '\0', max);
	size_t len = end != NULL ? (size_t)(end - text) : max;
	struct buf out;

	/* do not cut a character */
	while (end == NULL && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	buf_init(&out, 3 * len + 1);
	printable_add(&out, text, len);
	fputs(buf_str(&out), f);
	buf_free(&out);
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

/* Reads the messages of one reader; *seq is the sequence of the last one. */
static enum session_took
read_once(struct session *s, session_take *take, void *ctx, uint64_t *seq, struct err *err)
{
	for (uint64_t left = stream_reader_pending(s->reader); left > 0; left--) {
		struct bus_msg *msg = NULL;
		struct jetstream_meta at;
		enum session_took rc;

		if (stream_reader_next(s->reader, SESSION_TIMEOUT_MS, &msg, &at, err) != 0)
			return SESSION_FAILED;
		if (msg == NULL)
			return err_set(err, ERR_TIMEOUT, "no more messages came");
		*seq = at.stream_seq;
		rc = take(ctx, msg, &at, err);
		bus_msg_free(msg);
		if (rc != SESSION_NEXT)
			return rc;
	}
	return SESSION_NEXT;
}

int
session_read(struct session *s, const struct consumer_config *config, session_take *take,
	void *ctx, struct err *err)
{
	struct consumer_config c = *config;
	uint64_t seq = 0;

	for (int tries = 0;; tries++) {
		int rc = stream_reader_start(s->reader, &c, err);

		/* the leader of a cluster answers before it has read all of its log */
		if (rc != 0 &&
			(err->code != ERR_NOT_FOUND || !bus_clustered(s->bus) ||
				tries == ABSENT_TRIES))
			return -1;
		if (rc == 0) {
			enum session_took took = read_once(s, take, ctx, &seq, err);

			if (took != SESSION_NEXT)
				return took == SESSION_FAILED ? -1 : 0;
			if (stream_reader_confirm_end(s->reader, seq, err) == 0)
				return 0;
			if (err->code != ERR_TIMEOUT || tries == READ_TRIES)
				return -1;
		}
		if (stop_sleep(AGAIN_MS))
			return err_set(err, ERR_STOPPED, "stopped");
		if (seq != 0) {
			c.deliver = DELIVER_FROM_SEQ;
			c.start_seq = seq + 1;
		}
	}
}

int
session_replay_stream(struct session *s, struct err *err)
{
	struct stream_config config;
	struct stream_info info;

	bus_streams_replays(s->config, &config);
	return jetstream_stream_ensure(s->bus, &config, &info, err);
}
