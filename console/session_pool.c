// SPDX-License-Identifier: Apache-2.0
#include "session_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

enum { LIST_MS = 5000 };

struct pooled {
	struct session session;
	bool lent;
	int64_t listed_ms; /* 0: not yet */
};

struct session_pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct pooled entry[POOL_SESSIONS];
};

int
session_pool_open(struct session_pool **pool, struct bus *bus, const struct bus_config *config,
	struct err *err)
{
	struct session_pool *p = *pool = mem_alloc(sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->returned);
	for (size_t i = 0; i < POOL_SESSIONS; i++) {
		struct session *s = &p->entry[i].session;

		s->bus = bus;
		s->config = config;
		if (stream_reader_open(&s->reader, bus, err) != 0)
			return -1;
	}
	return 0;
}

void
session_pool_stop(struct session_pool *p)
{
	for (size_t i = 0; i < POOL_SESSIONS; i++)
		if (p->entry[i].session.reader != NULL)
			stream_reader_stop(p->entry[i].session.reader);
}

void
session_pool_close(struct session_pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < POOL_SESSIONS; i++) {
		stream_reader_close(p->entry[i].session.reader);
		session_forget(&p->entry[i].session);
	}
	pthread_cond_destroy(&p->returned);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct pooled *
take(struct session_pool *p)
{
	int64_t end = clock_monotonic_ms() + POOL_WAIT_MS, left;
	struct pooled *found = NULL;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		for (size_t i = 0; i < POOL_SESSIONS && found == NULL; i++)
			if (!p->entry[i].lent)
				found = &p->entry[i];
		left = end - clock_monotonic_ms();
		if (found != NULL || left <= 0)
			break;
		clock_cond_wait(&p->returned, &p->lock, left);
	}
	if (found != NULL)
		found->lent = true;
	pthread_mutex_unlock(&p->lock);
	return found;
}

static int
list(struct pooled *e, struct err *err)
{
	int64_t now = clock_monotonic_ms();

	if (!bus_connected(e->session.bus))
		return err_set(err, ERR_CONNECT, "NATS does not answer");
	if (e->listed_ms != 0 && now - e->listed_ms < LIST_MS)
		return 0;
	session_forget(&e->session);
	e->listed_ms = 0;
	if (session_sources(&e->session, err) != 0 ||
		session_dispatchers(&e->session, err) != 0) {
		session_explain(&e->session, err);
		return -1;
	}
	e->listed_ms = now;
	return 0;
}

struct session *
session_pool_borrow(struct session_pool *p, struct err *err)
{
	struct pooled *e = take(p);

	if (e == NULL) {
		err_set(err, ERR_FULL, "too many requests read streams at the moment");
		return NULL;
	}
	if (list(e, err) == 0)
		return &e->session;
	session_pool_return(p, &e->session);
	return NULL;
}

void
session_pool_return(struct session_pool *p, struct session *session)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < POOL_SESSIONS; i++)
		if (&p->entry[i].session == session)
			p->entry[i].lent = false;
	pthread_cond_signal(&p->returned);
	pthread_mutex_unlock(&p->lock);
}
