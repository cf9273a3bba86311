// SPDX-License-Identifier: Apache-2.0
#include "search.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

struct search {
	struct bus *bus;
	const char *stream;

	pthread_mutex_t lock;        /* for the rest: loop and watch thread */
	uint64_t wanted;             /* the sequence in question; 0: none */
	uint64_t gone_from, gone_to; /* last answer: the stream has nothing in [from, to) */
};

struct search *
search_open(struct bus *bus, const char *stream)
{
	struct search *search = mem_alloc(sizeof(*search));

	search->bus = bus;
	search->stream = stream;
	pthread_mutex_init(&search->lock, NULL);
	return search;
}

void
search_close(struct search *search)
{
	if (search == NULL)
		return;
	pthread_mutex_destroy(&search->lock);
	free(search);
}

enum search_answer
search_is_gone(struct search *search, uint64_t seq)
{
	enum search_answer answer = SEARCH_WAITING;

	pthread_mutex_lock(&search->lock);
	if (seq >= search->gone_from && seq < search->gone_to) {
		answer = SEARCH_GONE;
	} else if (search->wanted == 0) {
		search->wanted = seq;
		answer = SEARCH_REQUESTED;
	}
	pthread_mutex_unlock(&search->lock);
	return answer;
}

void
search_forget(struct search *search)
{
	pthread_mutex_lock(&search->lock);
	search->wanted = search->gone_from = search->gone_to = 0;
	pthread_mutex_unlock(&search->lock);
}

/* to 0: the message is there. */
static void
set_answer(struct search *search, uint64_t from, uint64_t to)
{
	pthread_mutex_lock(&search->lock);
	search->wanted = 0;
	if (to != 0) {
		search->gone_from = from;
		search->gone_to = to;
	}
	pthread_mutex_unlock(&search->lock);
}

void
search_turn(struct search *search, struct steady *leader)
{
	struct message_search found;
	struct err err;
	uint64_t seq;

	pthread_mutex_lock(&search->lock);
	seq = search->wanted;
	pthread_mutex_unlock(&search->lock);
	if (seq == 0 || stream_find(search->bus, search->stream, seq, &found, &err) != 0)
		return;
	if (found.presence == MESSAGE_FOUND)
		jetstream_msg_free(&found.msg);
	if (found.presence != MESSAGE_GONE)
		set_answer(search, 0, 0);
	else if (stream_find_steady_for(leader, "leader", found.info.leader,
			 bus_reconnects(search->bus), clock_monotonic_ms()) >= STEADY_MS)
		set_answer(search, seq < found.info.first_seq ? 1 : seq, found.gone_to);
}
