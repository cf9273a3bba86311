// SPDX-License-Identifier: Apache-2.0
/* vcourier status: streams, dispatchers and dead letters on one screen. */
#include <getopt.h>
#include <string.h>

#include "circuits.h"
#include "clock.h"
#include "daemon.h"
#include "protocol.h"
#include "session.h"

int status_main(int argc, char **argv);

static const char usage[] =
	"usage: vcourier status [-c FILE]\n"
	"\n"
	"Shows streams, dispatchers and dead letters. The exit status is 1 when something is missing, deliveries\n"
	"are paused, or no dispatcher fetches waiting events.\n";

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
	const char *dispatcher = s->deployment.config.processors.entry[d].name;
	struct consumer_info c;
	char token[96], oldest[32], circuit[64];
	const char *state = "up to date";
	struct err err;
	int bad = 0;

	if (!session_dispatcher(s, dispatcher, token))
		return 1;
	if (jetstream_consumer_look(s->bus, stream, token, &c, &err) != 0) {
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
	const struct router_entries *vcenters = &s->deployment.config.providers;
	const struct router_entries *dispatchers = &s->deployment.config.processors;
	struct stream_info info = { .messages = 0 };
	struct session_stream stream;
	int bad = 0;

	printf("%-20s %12s %13s %14s %14s\n", "STREAM", "EVENTS", "SIZE", "OLDEST", "NEWEST");
	for (size_t i = 0; i < vcenters->n; i++) {
		session_stream(s, i, &stream);
		bad |= show_stream(s, stream.name, &info);
	}
	show_stream(s, DEAD_STREAM, &info);
	printf("\n%-20s %-20s %12s %9s %14s  %-12s %s\n", "DISPATCHER", "STREAM", "WAITING",
		"IN HAND", "OLDEST", "CIRCUIT", "STATE");
	for (size_t d = 0; d < dispatchers->n; d++)
		for (size_t i = 0; i < vcenters->n; i++) {
			struct err err;

			session_stream(s, i, &stream);
			if (jetstream_stream_look(s->bus, stream.name, &info, &err) == 0)
				bad |= show_consumer(s, circuits, d, stream.name, &info);
		}
	circuits_print(circuits);
	return bad;
}

int
status_main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	const char *path = NULL;
	struct circuits *circuits;
	struct session s;
	int c, rc;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : EXIT_USAGE;
		}
	}
	rc = session_open(&s, path);
	if (rc != EXIT_NOT_YET)
		return rc;
	circuits = circuits_ask(&s);
	rc = show_all(&s, circuits);
	session_close(&s);
	circuits_free(circuits);
	return rc;
}
