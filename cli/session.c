// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "clock.h"
#include "daemon.h"
#include "json_member.h"
#include "printable.h"
#include "stop.h"
#include "subject.h"
#include "text.h"

enum {
	/*
	 * an incomplete read is repeated after this time, because the next reader may use
	 * another replica
	 */
	AGAIN_MS = 500,
	READ_TRIES = 20,
	ABSENT_TRIES = 4,
};

int
session_fail(const struct err *err)
{
	fprintf(stderr, "vcourier: %s\n", err->text);
	return EXIT_RUNTIME;
}

int
session_open(struct session *s, const char *path)
{
	struct bus_options options;
	struct err err;
	int rc;

	*s = (struct session){ .bus = NULL };
	rc = deployment_open(&s->deployment, path);
	if (rc != EXIT_NOT_YET)
		return rc;
	s->loaded = true;
	s->config = &s->deployment.config.top.bus;
	buf_init(&s->texts, 1024);
	stop_init();
	bus_config_options(s->config, "cli", "operator", &s->texts, &options);
	if (bus_open(&s->bus, &options, &err) != 0 ||
		bus_wait_connected(s->bus, SESSION_TIMEOUT_MS, &err) != 0 ||
		stream_reader_open(&s->reader, s->bus, &err) != 0) {
		rc = session_fail(&err);
		session_close(s);
		return rc;
	}
	return EXIT_NOT_YET;
}

void
session_close(struct session *s)
{
	if (s->reader != NULL)
		stream_reader_stop(s->reader);
	bus_close(s->bus);
	stream_reader_close(s->reader);
	if (s->loaded) {
		buf_free(&s->texts);
		deployment_free(&s->deployment);
	}
	*s = (struct session){ .bus = NULL };
}

bool
session_dispatcher(const struct session *s, const char *name, char token[96])
{
	const struct router_entries *all = &s->deployment.config.processors;
	struct buf text;

	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->entry[i].name, name) != 0)
			continue;
		buf_init(&text, 95);
		subject_add_token(&text, name, strlen(name));
		snprintf(token, 96, "%s", buf_str(&text));
		buf_free(&text);
		return true;
	}
	fprintf(stderr,
		"vcourier: no eventProcessor is named \"%s\"; the configuration has:", name);
	for (size_t i = 0; i < all->n; i++)
		fprintf(stderr, " %s", all->entry[i].name);
	fputc('\n', stderr);
	return false;
}

void
session_stream(const struct session *s, size_t i, struct session_stream *out)
{
	const char *name = s->deployment.config.providers.entry[i].name;
	struct buf text;

	buf_init(&text, 256);
	subject_stream(&text, name);
	snprintf(out->name, sizeof(out->name), "%s", buf_str(&text));
	buf_clear(&text);
	subject_add_token(&text, name, strlen(name));
	snprintf(out->subjects, sizeof(out->subjects), "%s.%s.>", s->config->subject_prefix,
		buf_str(&text));
	buf_free(&text);
}

bool
session_time(const char *option, const char *text, int64_t *us)
{
	int64_t ms;

	if (clock_parse(text, strlen(text), us))
		return true;
	if (text_duration(text, &ms)) {
		*us = clock_wall_us() - ms * 1000;
		return true;
	}
	fprintf(stderr,
		"vcourier: %s: \"%s\" is neither a time (2026-11-22T10:00:00Z) nor a duration (2h)\n",
		option, text);
	return false;
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

static const char *
colour_of(const char *severity)
{
	if (strcmp(severity, "error") == 0)
		return "\033[31m";
	if (strcmp(severity, "warning") == 0)
		return "\033[33m";
	return "\033[36m";
}

void
session_print_event(FILE *f, const struct event *ev, bool colours)
{
	const char *severity = event_extension(ev, "severity");
	cJSON *data = ev->data != NULL && ev->data_is_json
		? cJSON_ParseWithLength(ev->data, ev->data_len)
		: NULL;
	const char *message = json_member_string(data, "FullFormattedMessage");

	session_print_safe(f, ev->time, 40);
	fprintf(f, " %s", colours ? colour_of(severity) : "");
	session_print_safe(f, severity[0] != '\0' ? severity : "-", 10);
	fprintf(f, "%s ", colours ? "\033[0;1m" : "");
	session_print_safe(f, ev->subject[0] != '\0' ? ev->subject : ev->type, 200);
	fprintf(f, "%s ", colours ? "\033[0m" : "");
	session_print_safe(f, ev->id, 100);
	if (message != NULL && message[0] != '\0') {
		fputs("  ", f);
		session_print_safe(f, message, 1000);
	}
	fputc('\n', f);
	cJSON_Delete(data);
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

	bus_config_replays(s->config, &config);
	return jetstream_stream_ensure(s->bus, &config, &info, err);
}
