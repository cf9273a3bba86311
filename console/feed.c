// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "mem.h"
#include "session.h"
#include "stream_reader.h"

enum {
	IDLE_MS = 500,
	POLL_MS = 20,        /* between two looks when nothing came */
	LIST_MS = 10 * 1000, /* between two lists of the sources */
	AGAIN_MS = 2000,     /* after a read that could not begin */
	TAKE_MAX = 500,      /* of one source before the next one's turn */
	BEHIND_MAX = 500,    /* events that are read again after an interruption */
	SOURCES_MAX = 512,
	BUSY = 100, /* events a second */
	COUNTED_MS = 1000,
};

struct feed_source {
	char stream[128];
	char *name;
	struct stream_reader *reader; /* lives as long as the connection */
	bool reading, listed;
	uint64_t seq;     /* of the last event; 0: none yet */
	int64_t again_ms; /* when a read may begin */
	uint64_t came;    /* since counted_ms */
	int64_t counted_ms;
};

struct feed {
	struct session session;
	struct live *live;
	struct feed_source *source;
	size_t n;
	struct event event;
	int64_t listed_ms; /* 0: not yet */
	pthread_t thread;
	atomic_bool stopping;
};

static struct feed_source *
source_of(struct feed *f, const struct session_source *found)
{
	struct feed_source *s;
	struct err err;

	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->source[i].stream, found->stream) == 0)
			return &f->source[i];
	if (f->n == SOURCES_MAX)
		return NULL;
	f->source = mem_grow(f->source, f->n + 1, sizeof(*f->source));
	s = &f->source[f->n];
	*s = (struct feed_source){ .reading = false };
	if (stream_reader_open(&s->reader, f->session.bus, &err) != 0)
		return NULL;
	snprintf(s->stream, sizeof(s->stream), "%s", found->stream);
	s->name = mem_strdup(found->name);
	f->n++;
	return s;
}

/* Which streams there are now. */
static int
list(struct feed *f, int64_t now_ms, struct err *err)
{
	if (f->listed_ms != 0 && now_ms - f->listed_ms < LIST_MS)
		return 0;
	session_forget(&f->session);
	if (session_sources(&f->session, err) != 0)
		return -1;
	f->listed_ms = now_ms;
	for (size_t i = 0; i < f->n; i++)
		f->source[i].listed = false;
	for (size_t i = 0; i < f->session.n_sources; i++) {
		struct feed_source *s = source_of(f, &f->session.source[i]);

		if (s != NULL)
			s->listed = true;
	}
	return 0;
}

/* From the next event on; after an interruption from the last one, if that is not long ago. */
static int
begin(struct feed_source *s, struct err *err)
{
	const struct consumer_config c = { .stream = s->stream, .deliver = DELIVER_NEW };
	int failed = s->seq != 0 ? stream_reader_resume(s->reader, &c, s->seq, BEHIND_MAX, err)
				 : stream_reader_start(s->reader, &c, err);

	s->reading = failed == 0;
	return failed;
}

/* How many events came. */
static size_t
take(struct feed *f, struct feed_source *s, struct err *err)
{
	size_t n = 0;

	err->code = ERR_NONE;
	while (n < TAKE_MAX && !atomic_load(&f->stopping)) {
		struct bus_msg *msg = NULL;
		struct jetstream_meta at;
		struct event_row row;

		if (stream_reader_next(s->reader, 0, &msg, &at, err) != 0) {
			s->reading = false;
			break;
		}
		if (msg == NULL)
			break;
		event_row_read(&row, &(struct event_origin){ s->stream, s->name, &at }, msg,
			&f->event);
		live_add(f->live, &row);
		s->seq = at.stream_seq;
		bus_msg_free(msg);
		n++;
	}
	return n;
}

/* The page shows rows every 150 ms: each event alone would wake all processes for nothing. */
static void
pace(struct feed_source *s, size_t came, int64_t now_ms)
{
	int64_t passed_ms = now_ms - s->counted_ms;

	s->came += came;
	if (passed_ms < COUNTED_MS)
		return;
	stream_reader_in_groups(s->reader, s->came * 1000 / (uint64_t)passed_ms >= BUSY);
	s->came = 0;
	s->counted_ms = now_ms;
}

static size_t
turn(struct feed *f, struct err *why)
{
	int64_t now = clock_monotonic_ms();
	size_t came = 0;

	why->code = ERR_NONE;
	if (list(f, now, why) != 0)
		return 0;
	for (size_t i = 0; i < f->n; i++) {
		struct feed_source *s = &f->source[i];
		struct err err = { .code = ERR_NONE };
		size_t n = 0;

		if (!s->listed || (!s->reading && now < s->again_ms))
			continue;
		if (s->reading || begin(s, &err) == 0)
			n = take(f, s, &err);
		came += n;
		pace(s, n, now);
		if (!s->reading) {
			s->again_ms = now + AGAIN_MS;
			*why = err;
		}
	}
	return came;
}

static void
stop_reading(struct feed *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->source[i].reading)
			stream_reader_stop(f->source[i].reader);
		f->source[i].reading = false;
		f->source[i].seq = 0;
		f->source[i].again_ms = 0;
	}
}

static void
tell(struct feed *f, struct err *why)
{
	struct err err;

	if (why->code != ERR_NONE)
		session_explain(&f->session, why);
	if (!bus_connected(f->session.bus)) {
		bus_last_error(f->session.bus, &err);
		live_set_state(f->live, false,
			err.code != ERR_NONE ? err.text : "NATS does not answer");
	} else if (why->code != ERR_NONE && why->code != ERR_NOT_FOUND) {
		live_set_state(f->live, false, why->text);
	} else {
		live_set_state(f->live, true, "");
	}
}

static void *
run(void *arg)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	struct feed *f = arg;

	while (!atomic_load(&f->stopping)) {
		struct err why = { .code = ERR_NONE };
		size_t came = 0;

		if (!live_wait_client(f->live, 0)) {
			stop_reading(f);
			live_wait_client(f->live, IDLE_MS);
			continue;
		}
		if (bus_connected(f->session.bus))
			came = turn(f, &why);
		tell(f, &why);
		if (came == 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

int
feed_open(struct feed **feed, struct bus *bus, const struct bus_config *config,
	struct live *live, struct err *err)
{
	struct feed *f = mem_alloc(sizeof(*f));

	f->session.bus = bus;
	f->session.config = config;
	f->live = live;
	event_init(&f->event);
	if (pthread_create(&f->thread, NULL, run, f) != 0) {
		event_free(&f->event);
		free(f);
		return err_set(err, ERR_SYSTEM, "cannot start the thread that reads events");
	}
	*feed = f;
	return 0;
}

void
feed_stop(struct feed *f)
{
	atomic_store(&f->stopping, true);
	pthread_join(f->thread, NULL);
	stop_reading(f);
}

void
feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		stream_reader_close(f->source[i].reader);
		free(f->source[i].name);
	}
	free(f->source);
	session_forget(&f->session);
	event_free(&f->event);
	free(f);
}
