// SPDX-License-Identifier: Apache-2.0
/*
 * Shared by the commands that use NATS: configuration, connection, a reader, times, output for
 * people.
 */
#ifndef VCOURIER_SESSION_H
#define VCOURIER_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bus.h"
#include "deployment.h"
#include "event.h"
#include "stream_reader.h"

enum { SESSION_TIMEOUT_MS = 10 * 1000 };

struct session {
	struct deployment deployment;
	const struct bus_config *config;
	struct bus *bus;
	struct stream_reader *reader;
	struct buf texts;
	bool loaded;
};

/*
 * path NULL: the default configuration. EXIT_NOT_YET, or the exit status after an error
 * message.
 */
int session_open(struct session *s, const char *path);
void session_close(struct session *s);

/* Prints the error; returns the exit status. */
int session_fail(const struct err *err);

/*
 * Writes the durable's name of a dispatcher: its token. False, after an error message, when the
 * configuration has no dispatcher of that name.
 */
bool session_dispatcher(const struct session *s, const char *name, char token[96]);

/* The stream of the i-th eventProvider. */
struct session_stream {
	char name[128];
	char subjects[256]; /* "vc.lab.>" */
};
void session_stream(const struct session *s, size_t i, struct session_stream *out);

/*
 * "2h" (ago) or an RFC 3339 time, to microseconds; false, after an error message, when it is
 * neither.
 */
bool session_time(const char *option, const char *text, int64_t *us);

/* Prints text from outside, without characters that control a terminal. */
void session_print_safe(FILE *f, const char *text, size_t max);

/* Prints one line for people. */
void session_print_event(FILE *f, const struct event *ev, bool colours);

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
