// SPDX-License-Identifier: Apache-2.0
/*
 * What an operator's tool knows of a deployment, over one connection to NATS: the sources, the
 * dispatchers, and a reader of streams. The command line and the console use it. Used by one
 * thread at a time.
 */
#ifndef VCOURIER_SESSION_H
#define VCOURIER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "bus_options.h"
#include "stream_reader.h"

enum { SESSION_TIMEOUT_MS = 10 * 1000 };

/* A source of events and its stream. */
struct session_source {
	char *name;         /* as in the configuration, or made from the stream's name */
	char stream[128];   /* "VC_lab" */
	char subjects[256]; /* "vc.lab.>" */
	bool orphaned;      /* NATS has the stream, the configuration does not name it */
};

struct session_dispatcher {
	char *name;
	char token[96]; /* the name of its durables, and of its part of VCDEAD and VCREPLAY */
};

struct session {
	/* set by its owner */
	const struct bus_config *config; /* the block `bus` */
	/*
	 * names from the configuration file, NULL-terminated: of vCenters, of other sources, of
	 * dispatchers; NULL: what NATS has counts
	 */
	char **source_names, **other_source_names, **dispatcher_names;
	bool discovers; /* a dispatcher reads streams that the configuration does not name */
	struct bus *bus;
	struct stream_reader *reader;
	struct session_source *source; /* after session_sources */
	size_t n_sources;
	struct session_dispatcher *dispatcher; /* after session_dispatchers */
	size_t n_dispatchers;
	bool listed_sources, listed_dispatchers;
	struct session_settings *settings; /* of cli/session_open.c; NULL: another owner */
};

/* Frees the names, so that they are listed again at the next use. */
void session_forget(struct session *s);

/*
 * A request that NATS does not permit looks like one without an answer: replaces such an error
 * by what NATS said (ERR_FORBIDDEN).
 */
void session_explain(struct session *s, struct err *err);

/*
 * The sources and the dispatchers: those that the configuration file names, in its order;
 * without a file, or names in it, what NATS has: streams of events, and durables of VCREPLAY,
 * where every dispatcher has one. With `discovers`, the sources of both. Asked once. -1: NATS
 * did not answer or does not permit it.
 */
int session_sources(struct session *s, struct err *err);
int session_dispatchers(struct session *s, struct err *err);
/*
 * When a configuration names the sources: adds those that NATS has beside them, with `orphaned`
 * set. None when the user may not list streams, or with `discovers`.
 */
void session_add_orphans(struct session *s);

/*
 * The token of a dispatcher. False: there is none of that name. Who may not list dispatchers
 * may name any.
 */
bool session_dispatcher_token(struct session *s, const char *name, char token[96]);

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
