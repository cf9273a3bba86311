// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "server_connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "mem.h"
#include "server.h"

struct server_connection {
	const void *key; /* NULL: free */
	int fd;
	bool busy;
	int64_t since_ms;
};

struct server_connections {
	pthread_mutex_t lock;
	struct server_connection entry[SERVER_CONNECTIONS_MAX];
};

struct server_connections *
server_connections_open(void)
{
	struct server_connections *c = mem_alloc(sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
server_connections_close(struct server_connections *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct server_connection *
find(struct server_connections *c, const void *key)
{
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		if (c->entry[i].key == key)
			return &c->entry[i];
	return NULL;
}

void
server_connections_add(struct server_connections *c, const void *key, int fd, int64_t now_ms)
{
	struct server_connection *e;

	pthread_mutex_lock(&c->lock);
	e = find(c, NULL);
	if (e != NULL)
		*e = (struct server_connection){ key, fd, false, now_ms };
	pthread_mutex_unlock(&c->lock);
}

void
server_connections_remove(struct server_connections *c, const void *key)
{
	struct server_connection *e;

	pthread_mutex_lock(&c->lock);
	e = find(c, key);
	if (e != NULL)
		e->key = NULL;
	pthread_mutex_unlock(&c->lock);
}

void
server_connections_busy(struct server_connections *c, const void *key, bool busy)
{
	struct server_connection *e;

	pthread_mutex_lock(&c->lock);
	e = find(c, key);
	if (e != NULL) {
		e->busy = busy;
		e->since_ms = clock_monotonic_ms();
	}
	pthread_mutex_unlock(&c->lock);
}

void
server_connections_expire(struct server_connections *c, int64_t now_ms)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		struct server_connection *e = &c->entry[i];

		if (e->key != NULL && !e->busy && now_ms - e->since_ms > SERVER_REQUEST_MS)
			shutdown(e->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&c->lock);
}
