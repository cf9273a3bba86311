// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that looks after streams and consumers, where each call waits for the server: makes
 * them when they are not there, tells when they do not fit, mends what can be mended, and reads
 * how far behind we are.
 */
#define _DEFAULT_SOURCE
#include "dispatch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "status.h"

enum {
	TURN_MS = 1000,
	LOOK_MS = 5 * 1000, /* checkpoint.c counts on it */
	STUCK_MS = 15 * 1000,
};

/* One line for each new trouble, and for its end; readiness follows. */
static void
report(struct source *s, const char *trouble)
{
	if (strcmp(trouble, s->trouble) == 0)
		return;
	snprintf(s->trouble, sizeof(s->trouble), "%s", trouble);
	if (*trouble != '\0')
		log_error("consumer is not usable", L_STR("stream", s->stream),
			L_STR("consumer", s->d->durable), L_STR("error", trouble));
}

static void
set_ready(struct source *s, bool ready, uint64_t reconnects)
{
	pthread_mutex_lock(&s->d->lock);
	s->looked_reconnects = reconnects;
	s->generation += ready && !s->ready;
	s->ready = ready;
	s->look = false;
	pthread_mutex_unlock(&s->d->lock);
}

void
watch_forget(struct source *s)
{
	search_forget(s);
	atomic_store(&s->forget, true);
}

/* How a consumer begins: a new one as configured, a lost one where it was. */
static void
fill_config(struct source *s, struct consumer_config *c)
{
	const struct dispatch_options *o = s->d->options;
	enum dispatch_start start = START_EARLIEST;

	*c = (struct consumer_config){ .stream = s->stream,
		.name = s->d->durable,
		.filter_subject = s->filter[0] != '\0' ? s->filter : NULL,
		.ack_wait_ms = o->ack_wait_ms,
		.max_ack_pending = o->ordering == ORDERING_STRICT ? 1 : MAX_ACK_PENDING };
	if (s->known) { /* somebody removed it */
		c->deliver = s->floor == 0 ? DELIVER_ALL : DELIVER_FROM_SEQ;
		c->start_seq = s->floor + 1;
		return;
	}
	if (!s->replay)
		dispatcher_options_start_parse(o->start_from, &start, &c->start_time_us);
	c->deliver = start == START_NOW ? DELIVER_NEW
		: start == START_TIME   ? DELIVER_FROM_TIME
					: DELIVER_ALL;
}

static void
note_stream(struct source *s, const struct stream_info *stream)
{
	if (s->stream_created_us != 0 && s->stream_created_us != stream->created_us) {
		log_error("stream was made anew: starting from its beginning",
			L_STR("stream", s->stream));
		s->floor = 0;
		s->snapshot = (struct snapshot){ .known = false };
		s->has_checkpoint = false;
		watch_forget(s);
	}
	s->stream_created_us = stream->created_us;
}

/*
 * A stream that somebody removed is made anew, but not at once: nats-server 2.9 never wakes the
 * consumer of one that is made while its predecessor is still being torn down.
 */
static int
find_stream(struct source *s, struct stream_info *stream, struct err *err)
{
	bool waited = s->missing;

	s->missing = false;
	if (s->known && !waited &&
		jetstream_stream_look(s->d->bus, s->stream, stream, err) != 0) {
		s->missing = err->code == ERR_NOT_FOUND;
		return -1;
	}
	if (jetstream_stream_ensure(s->d->bus, &s->config, stream, err) != 0)
		return -1;
	note_stream(s, stream);
	return 0;
}

static int
look(struct source *s, struct stream_info *stream, struct consumer_info *info, struct err *err)
{
	struct bus *bus = s->d->bus;
	uint64_t reconnects = bus_reconnects(bus);
	struct consumer_config c;

	if (find_stream(s, stream, err) != 0)
		return -1;
	fill_config(s, &c);
	if (jetstream_consumer_look(bus, s->stream, s->d->durable, info, err) != 0 &&
		err->code == ERR_NOT_FOUND) {
		/*
		 * the leader of a cluster answers before it has read all of its log: made anew
		 * only when that lasts
		 */
		if (stream_find_steady_for(&s->doubt, "consumer", stream->leader, reconnects,
			    s->looked_ms) < STEADY_MS)
			return err_set(err, ERR_TIMEOUT, "consumer %s of %s is not found yet",
				s->d->durable, s->stream);
		if (s->known)
			log_error("consumer was removed: made anew", L_STR("stream", s->stream),
				L_STR("consumer", s->d->durable));
		s->snapshot = (struct snapshot){ .known = false };
	}
	if (jetstream_consumer_ensure(bus, &c, info, err) != 0)
		return -1;
	if (checkpoint_check(s, stream, info, &c, err) != 0)
		return -1;
	if (info->differs[0] != '\0' && strcmp(info->differs, s->differs) != 0)
		log_warn("consumer has other settings than configured; it is left as it is",
			L_STR("stream", s->stream), L_STR("consumer", s->d->durable),
			L_STR("differs", info->differs));
	snprintf(s->differs, sizeof(s->differs), "%s", info->differs);
	if (info->unusable)
		return err_set(err, ERR_CONFIG, "%s", info->differs);
	return 0;
}

/*
 * nats-server 2.9 can leave a consumer asleep when its stream was removed and made again at
 * once: events are there, a pull waits for them, nothing comes. A new consumer, from where this
 * one was, wakes up. True: this one was removed.
 */
static bool
wake(struct source *s, const struct consumer_info *info)
{
	int64_t now_ms = clock_monotonic_ms();
	struct err err;

	if (info->pending == 0 || info->ack_pending != 0 || atomic_load(&s->waiting) == 0 ||
		info->delivered_consumer_seq != s->snapshot.given) {
		s->stuck_ms = 0;
		return false;
	}
	if (s->stuck_ms == 0)
		s->stuck_ms = now_ms;
	if (now_ms - s->stuck_ms < STUCK_MS)
		return false;
	log_error("consumer gives nothing although events wait: made anew",
		L_STR("stream", s->stream), L_STR("consumer", s->d->durable),
		L_INT("pending", (int64_t)info->pending));
	s->stuck_ms = 0;
	if (jetstream_consumer_delete(s->d->bus, s->stream, s->d->durable, &err) != 0)
		log_warn("cannot remove the consumer", L_ERR(&err));
	return true;
}

static void
look_after(struct source *s)
{
	struct stream_info stream;
	struct consumer_info info;
	uint64_t reconnects = bus_reconnects(s->d->bus),
		 redelivered = atomic_load(&s->redelivered);
	struct err err = { .code = ERR_NONE };
	bool steady;

	s->looked_ms = clock_monotonic_ms();
	if (look(s, &stream, &info, &err) != 0) {
		/* the server being away is told elsewhere */
		if (err.code != ERR_TIMEOUT && err.code != ERR_CONNECT)
			report(s, err.text);
		set_ready(s, false, reconnects);
		return;
	}
	if (s->known && wake(s, &info)) {
		set_ready(s, false, reconnects);
		return;
	}
	steady = search_leader_steady(s, stream.leader) &&
		stream_find_steady_for(&s->consumer_leader, "leader", info.leader, reconnects,
			s->looked_ms) >= STEADY_MS;
	if (steady)
		expire_count(s, &stream, &info, redelivered);
	s->known = true;
	s->floor = info.ack_floor_stream_seq;
	s->created_us = info.created_us;
	checkpoint_note(s, &info);
	s->pending = info.pending;
	s->ack_pending = info.ack_pending;
	report(s, "");
	set_ready(s, true, reconnects);
}

/*
 * The age of the first event that is not settled; its place in the stream is all the server
 * tells.
 */
static double
oldest_age(struct source *s)
{
	struct stream_msg msg;
	struct err err;
	double age;

	if (s->pending + s->ack_pending == 0 ||
		jetstream_stream_get(s->d->bus, s->stream, s->floor + 1, NULL, &msg, &err) != 0)
		return 0;
	age = (double)(clock_wall_us() - msg.time_us) / 1e6;
	jetstream_msg_free(&msg);
	return age;
}

static void
tell_all(struct dispatcher *d)
{
	uint64_t pending = 0, ack_pending = 0;
	const char *trouble = "";
	double oldest = 0;
	bool ready = true;

	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->source[i];
		double age = s->ready ? oldest_age(s) : 0;

		pending += s->pending;
		ack_pending += s->ack_pending;
		oldest = age > oldest ? age : oldest;
		ready &= s->ready || s->replay;
		if (!s->ready && !s->replay)
			trouble = s->trouble[0] != '\0' ? s->trouble
							: "looking for stream and consumer";
	}
	metric_set(d->metrics.pending, (double)pending);
	metric_set(d->metrics.ack_pending, (double)ack_pending);
	metric_set(d->metrics.oldest_age, oldest);
	status_check("consumer", ready, trouble);
}

static bool
wants_look(struct source *s)
{
	bool wants;

	pthread_mutex_lock(&s->d->lock);
	wants = s->look || !s->ready || clock_monotonic_ms() - s->looked_ms >= LOOK_MS;
	pthread_mutex_unlock(&s->d->lock);
	return wants;
}

/* One line when the bus is lost, one when it is there again. */
static bool
check_bus(struct dispatcher *d)
{
	struct err err = { .code = ERR_NONE };

	if (bus_connected(d->bus)) {
		if (d->bus_lost)
			log_info("NATS: connected again");
		d->bus_lost = false;
		status_check("nats", true, "");
		return true;
	}
	bus_last_error(d->bus, &err);
	status_check("nats", false, err.code != ERR_NONE ? err.text : "connecting");
	if (err.code != ERR_NONE && !d->bus_lost) {
		log_error("NATS: not connected, trying again", L_ERR(&err));
		d->bus_lost = true;
	}
	return false;
}

static void
turn(struct dispatcher *d)
{
	struct stream_info info;
	struct err err = { .code = ERR_NONE };
	bool looked = false;

	if (!check_bus(d))
		return;
	if (dead_letters_want_stream(d->dead_letters)) {
		if (jetstream_stream_ensure(d->bus, d->config->dead_stream, &info, &err) == 0)
			dead_letters_stream_ready(d->dead_letters);
		else if (err.code != ERR_TIMEOUT && err.code != ERR_CONNECT)
			log_warn("no stream for dead letters",
				L_STR("stream", d->config->dead_stream->name), L_ERR(&err));
	}
	for (size_t i = 0; i < d->n_sources; i++)
		search_turn(&d->source[i]);
	for (size_t i = 0; i < d->n_sources; i++)
		if (wants_look(&d->source[i])) {
			look_after(&d->source[i]);
			looked = true;
		}
	if (looked)
		tell_all(d);
	http_wakeup(d->http);
}

static void *
watcher(void *arg)
{
	struct dispatcher *d = arg;
	bool end;

	do {
		turn(d);
		pthread_mutex_lock(&d->lock);
		if (!d->watch_end)
			clock_cond_wait(&d->poke, &d->lock, TURN_MS);
		end = d->watch_end;
		pthread_mutex_unlock(&d->lock);
	} while (!end);
	return NULL;
}

int
watch_open(struct dispatcher *d, struct err *err)
{
	/* first: without it there is nothing to look for */
	status_check("nats", false, "connecting");
	status_check("consumer", false, "looking for stream and consumer");
	if (pthread_create(&d->watcher, NULL, watcher, d) != 0)
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	d->watching = true;
	return 0;
}

void
watch_close(struct dispatcher *d)
{
	if (!d->watching)
		return;
	pthread_mutex_lock(&d->lock);
	d->watch_end = true;
	pthread_cond_signal(&d->poke);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->watcher, NULL);
	d->watching = false;
}

void
watch_poke(struct source *s)
{
	pthread_mutex_lock(&s->d->lock);
	s->look = true;
	s->ready = false;
	pthread_cond_signal(&s->d->poke);
	pthread_mutex_unlock(&s->d->lock);
}
