// SPDX-License-Identifier: Apache-2.0
/* vcourier status: streams, dispatchers and dead letters on one screen. */
#include <string.h>

#include "circuits.h"
#include "clock.h"
#include "command_list.h"
#include "protocol.h"
#include "session.h"

/* Time since the message was stored; -1 when there is no such message. */
static int64_t
age_of(struct session *s, const char *stream, uint64_t seq)
{
	struct stream_msg msg;
	struct err err;
	int64_t age;

	if (seq == 0 ||
		jetstream_stream_get(
			s->bus, &(struct message_query){ stream, seq, NULL }, &msg, &err) != 0)
		return -1;
	age = clock_wall_us() - msg.time_us;
	jetstream_msg_free(&msg);
	return age;
}

static int
show_stream(struct session *s, const char *name, struct stream_info *info)
{
	char oldest[32], newest[32];
	struct err err;

	if (jetstream_stream_look(s->bus, name, info, &err) != 0) {
		session_explain(s, &err);
		printf("%-20s %s\n", name,
			err.code == ERR_NOT_FOUND ? "does not exist" : err.text);
		return 1;
	}
	printf("%-20s %12llu %9.1f MiB %14s %14s\n", name, (unsigned long long)info->messages,
		(double)info->bytes / (1 << 20),
		session_age(info->messages > 0 ? age_of(s, name, info->first_seq) : -1, oldest,
			sizeof(oldest)),
		session_age(info->messages > 0 ? age_of(s, name, info->last_seq) : -1, newest,
			sizeof(newest)));
	return 0;
}

static int
show_consumer(struct session *s, const struct circuits *circuits, size_t d, const char *stream,
	const struct stream_info *info)
{
	const char *dispatcher = s->dispatcher[d].name;
	struct consumer_info c;
	char oldest[32], circuit[64];
	const char *state = "up to date";
	struct err err;
	int bad = 0;

	if (jetstream_consumer_look(s->bus, stream, s->dispatcher[d].token, &c, &err) != 0) {
		session_explain(s, &err);
		printf("%-20s %-20s %s\n", dispatcher, stream,
			err.code == ERR_NOT_FOUND ? "has never run" : err.text);
		return 1;
	}
	if (c.delivered_stream_seq > info->last_seq) {
		state = "AHEAD of its stream";
		bad = 1;
	} else if (circuits_open(circuits, d)) {
		state = "paused";
		bad = 1;
	} else if (c.pending > 0 && c.waiting == 0) {
		state = c.ack_pending > 0 ? "busy" : "not fetched";
		bad = c.ack_pending == 0;
	} else if (c.pending + c.ack_pending > 0) {
		state = "delivering";
	}
	printf("%-20s %-20s %12llu %9llu %14s  %-12s %s\n", dispatcher, stream,
		(unsigned long long)c.pending, (unsigned long long)c.ack_pending,
		session_age(c.pending + c.ack_pending > 0
				? age_of(s, stream, c.ack_floor_stream_seq + 1)
				: -1,
			oldest, sizeof(oldest)),
		circuits_text(circuits, d, circuit, sizeof(circuit)), state);
	return bad;
}

static int
show_all(struct session *s, const struct circuits *circuits)
{
	struct stream_info info = { .messages = 0 };
	int bad = 0;

	printf("%-20s %12s %13s %14s %14s\n", "STREAM", "EVENTS", "SIZE", "OLDEST", "NEWEST");
	for (size_t i = 0; i < s->n_sources; i++)
		bad |= show_stream(s, s->source[i].stream, &info);
	show_stream(s, DEAD_STREAM, &info);
	printf("\n%-20s %-20s %12s %9s %14s  %-12s %s\n", "DISPATCHER", "STREAM", "WAITING",
		"IN HAND", "OLDEST", "CIRCUIT", "STATE");
	for (size_t d = 0; d < s->n_dispatchers; d++)
		for (size_t i = 0; i < s->n_sources; i++) {
			const char *stream = s->source[i].stream;
			struct err err;

			if (jetstream_stream_look(s->bus, stream, &info, &err) == 0)
				bad |= show_consumer(s, circuits, d, stream, &info);
		}
	circuits_print(circuits);
	return bad;
}

static int
run(void *values, char **args, size_t n_args)
{
	const struct connection_flags *flags = values;
	struct circuits *circuits;
	struct session s;
	struct err err;
	int rc = session_open(&s, flags);

	(void)args;
	(void)n_args;
	if (rc != EXIT_NOT_YET)
		return rc;
	if (session_sources(&s, &err) != 0 || session_dispatchers(&s, &err) != 0) {
		rc = session_fail(&s, &err);
		session_close(&s);
		return rc;
	}
	circuits = circuits_ask(&s);
	rc = show_all(&s, circuits);
	session_close(&s);
	circuits_free(circuits);
	return rc;
}

static const struct command_exit exits[] = { { 0, "all is well" },
	{ 1, "something is missing, deliveries are paused, or no dispatcher fetches waiting events" },
	COMMAND_CONNECTS_EXITS };

const struct command status_command = {
	COMMAND_CONNECTS,
	.name = "status",
	.summary = "streams, dispatchers and dead letters on one screen",
	.values_size = sizeof(struct connection_flags),
	.about = "Shows streams, dispatchers and dead letters.",
	.exits = exits,
	.run = run,
};
