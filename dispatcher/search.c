// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a message has left its stream. The loop asks when a replica does not find the body of
 * an event that waits here; the watcher, whose calls may wait, asks the stream's leader.
 */
#include "dispatch.h"

#include "clock.h"

bool
search_leader_steady(struct source *s, const char *leader)
{
	return stream_find_steady_for(&s->leader, "leader", leader, bus_reconnects(s->d->bus),
		       clock_monotonic_ms()) >= STEADY_MS;
}

bool
search_is_gone(struct source *s, uint64_t seq)
{
	bool gone;

	pthread_mutex_lock(&s->d->lock);
	gone = seq >= s->gone_from && seq < s->gone_to;
	if (!gone && s->search == 0) {
		s->search = seq;
		pthread_cond_signal(&s->d->poke);
	}
	pthread_mutex_unlock(&s->d->lock);
	return gone;
}

void
search_forget(struct source *s)
{
	pthread_mutex_lock(&s->d->lock);
	s->search = s->gone_from = s->gone_to = 0;
	pthread_mutex_unlock(&s->d->lock);
}

static void
answer(struct source *s, uint64_t from, uint64_t to)
{
	pthread_mutex_lock(&s->d->lock);
	s->search = 0;
	if (to != 0) {
		s->gone_from = from;
		s->gone_to = to;
	}
	pthread_mutex_unlock(&s->d->lock);
}

void
search_turn(struct source *s)
{
	struct message_search found;
	struct err err;
	uint64_t seq;

	pthread_mutex_lock(&s->d->lock);
	seq = s->search;
	pthread_mutex_unlock(&s->d->lock);
	if (seq == 0 || stream_find(s->d->bus, s->stream, seq, &found, &err) != 0)
		return;
	if (found.presence == MESSAGE_FOUND)
		jetstream_msg_free(&found.msg);
	if (found.presence != MESSAGE_GONE)
		answer(s, 0, 0);
	else if (search_leader_steady(s, found.info.leader))
		answer(s, seq < found.info.first_seq ? 1 : seq, found.gone_to);
}
