// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <stdlib.h>

#include "bus_streams.h"
#include "stop.h"

enum {
	/*
	 * an incomplete read is repeated after this time, because the next reader may use
	 * another replica
	 */
	AGAIN_MS = 500,
	READ_TRIES = 20,
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

/* ---- names */

void
session_forget(struct session *s)
{
	for (size_t i = 0; i < s->n_sources; i++)
		free(s->source[i].name);
	for (size_t i = 0; i < s->n_dispatchers; i++)
		free(s->dispatcher[i].name);
	free(s->source);
	free(s->dispatcher);
	s->source = NULL;
	s->dispatcher = NULL;
	s->n_sources = s->n_dispatchers = 0;
	s->listed_sources = s->listed_dispatchers = false;
}

/* ---- reading */

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
