// SPDX-License-Identifier: Apache-2.0
/*
 * Shared by the commands that use NATS: connection, names of what is there, a reader, output
 * for people.
 */
#ifndef VCOURIER_SESSION_H
#define VCOURIER_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bus.h"
#include "connection.h"
#include "exit_status.h"
#include "event.h"
#include "stream_reader.h"

enum { SESSION_TIMEOUT_MS = 10 * 1000 };

/* A source of events and its stream. */
struct session_source {
	char *name;         /* as in the configuration, or made from the stream's name */
	char stream[128];   /* "VC_lab" */
	char subjects[256]; /* "vc.lab.>" */
};

struct session_dispatcher {
	char *name;
	char token[96]; /* the name of its durables, and of its part of VCDEAD and VCREPLAY */
};

struct session {
	struct connection_settings connection;
	const struct bus_config *config; /* the block `bus` */
	struct bus *bus;
	struct stream_reader *reader;
	struct session_source *source; /* after session_sources */
	size_t n_sources;
	struct session_dispatcher *dispatcher; /* after session_dispatchers */
	size_t n_dispatchers;
	struct buf texts;
	bool listed_sources, listed_dispatchers;
};

/*
 * Connects as the options say. EXIT_NOT_YET, or the exit status after an error message. Close
 * it in the first case only.
 */
int session_open(struct session *s, const struct connection_flags *flags);
void session_close(struct session *s);

/*
 * Prints the error, what NATS did not permit if that is the reason; returns the exit status:
 * EXIT_UNREACHABLE, EXIT_FORBIDDEN, EXIT_USAGE, EXIT_CONFIG, or EXIT_RUNTIME for the rest.
 */
int session_fail(struct session *s, struct err *err);

/*
 * A request that NATS does not permit looks like one without an answer: replaces such an error
 * by what NATS said (ERR_FORBIDDEN). session_fail calls it.
 */
void session_explain(struct session *s, struct err *err);

/*
 * The sources and the dispatchers: those that the configuration file names, in its order;
 * without a file, or names in it, what NATS has: streams of events, and durables of VCREPLAY,
 * where every dispatcher has one. Asked once. -1: NATS did not answer or does not permit it.
 */
int session_sources(struct session *s, struct err *err);
int session_dispatchers(struct session *s, struct err *err);

/*
 * The token of a dispatcher. EXIT_NOT_YET; EXIT_USAGE, after an error message, when there is no
 * dispatcher of that name. Who may not list dispatchers may name any.
 */
int session_dispatcher(struct session *s, const char *name, char token[96]);

/* Prints text from outside, without characters that control a terminal. */
void session_print_safe(FILE *f, const char *text, size_t max);

/* "3m12s"; "-" for a negative age. */
const char *session_age(int64_t us, char *buf, size_t size);

/*
 * Calls take for each message that the stream has when the read begins, in order; take borrows
 * the message. 0: all of them were taken, or take stopped. If the replica that is read ends
 * before the stream does, the rest is read from another one. config: see stream_reader_start.
 */
enum session_took {
	SESSION_FAILED = -1, /* as err_set returns */
	SESSION_NEXT,
	SESSION_STOP,
};
typedef enum session_took session_take(
	void *ctx, const struct bus_msg *msg, const struct jetstream_meta *at, struct err *err);
int session_read(struct session *s, const struct consumer_config *config, session_take *take,
	void *ctx, struct err *err);

/* Creates the stream of replays if it does not exist. */
int session_replay_stream(struct session *s, struct err *err);

#endif
