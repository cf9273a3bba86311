// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "mem.h"

struct connection {
	int fd;
	enum { FREE, OPEN, CLOSING } state;
	bool busy;
	uint64_t number; /* of all connections, in the order in which they were touched last */
	int64_t since_ms;
};

struct connections {
	struct connections_limits limits;
	pthread_mutex_t lock;
	struct connection *slot; /* of limits.max */
	uint64_t last;
	size_t used; /* slots up to the last one that was ever used */
};

struct connections *
connections_open(const struct connections_limits *limits)
{
	struct connections *c = mem_alloc(sizeof(*c));

	c->limits = *limits;
	c->slot = mem_array(limits->max, sizeof(*c->slot));
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
connections_close(struct connections *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->slot);
	free(c);
}

/*
 * The oldest connection that is not shut down yet; NULL when no more than `kept` are open.
 */
static struct connection *
surplus(struct connections *c)
{
	struct connection *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->used; i++) {
		struct connection *s = &c->slot[i];

		if (s->state != OPEN)
			continue;
		n++;
		if (oldest == NULL || s->number < oldest->number)
			oldest = s;
	}
	return n > c->limits.kept ? oldest : NULL;
}

/*
 * The slot stays in use until the server has closed the connection: its fd may not be reused
 * before.
 */
static void
end(struct connection *s)
{
	shutdown(s->fd, SHUT_RDWR);
	s->state = CLOSING;
}

void
connections_add(struct connections *c, int fd, int64_t now_ms)
{
	struct connection *oldest;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->limits.max; i++)
		if (c->slot[i].state == FREE) {
			c->slot[i] = (struct connection){ fd, OPEN, false, ++c->last, now_ms };
			c->used = i >= c->used ? i + 1 : c->used;
			break;
		}
	if ((oldest = surplus(c)) != NULL)
		end(oldest);
	pthread_mutex_unlock(&c->lock);
}

/* NULL: it is not there, or was shut down. */
static struct connection *
find_open(struct connections *c, int fd)
{
	for (size_t i = 0; i < c->used; i++)
		if (c->slot[i].state == OPEN && c->slot[i].fd == fd)
			return &c->slot[i];
	return NULL;
}

void
connections_touch(struct connections *c, int fd, int64_t now_ms)
{
	connections_busy(c, fd, false, now_ms);
}

void
connections_busy(struct connections *c, int fd, bool busy, int64_t now_ms)
{
	struct connection *s;

	pthread_mutex_lock(&c->lock);
	s = find_open(c, fd);
	if (s != NULL) {
		s->busy = busy;
		s->number = ++c->last;
		s->since_ms = now_ms;
	}
	pthread_mutex_unlock(&c->lock);
}

void
connections_remove(struct connections *c, int fd)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->used; i++)
		if (c->slot[i].state != FREE && c->slot[i].fd == fd)
			c->slot[i].state = FREE;
	pthread_mutex_unlock(&c->lock);
}

void
connections_expire(struct connections *c, int64_t now_ms)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->used; i++)
		if (c->slot[i].state == OPEN && !c->slot[i].busy &&
			now_ms - c->slot[i].since_ms > c->limits.ms_max)
			end(&c->slot[i]);
	pthread_mutex_unlock(&c->lock);
}

size_t
connections_count(struct connections *c)
{
	size_t n = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->used; i++)
		n += c->slot[i].state == OPEN;
	pthread_mutex_unlock(&c->lock);
	return n;
}
