// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "connections.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>

struct connection {
	int fd;
	enum { FREE, OPEN, CLOSING } state;
	uint64_t number; /* of all connections, in the order of their arrival */
	int64_t since_ms;
};

static struct {
	pthread_mutex_t lock;
	struct connection slot[CONNECTIONS_MAX];
	uint64_t last;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/*
 * The oldest connection that is not shut down yet; NULL when fewer than CONNECTIONS_KEPT are
 * open.
 */
static struct connection *
surplus(void)
{
	struct connection *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &table.slot[i];

		if (c->state != OPEN)
			continue;
		n++;
		if (oldest == NULL || c->number < oldest->number)
			oldest = c;
	}
	return n > CONNECTIONS_KEPT ? oldest : NULL;
}

/*
 * The slot stays in use until the server has closed the connection: its fd may not be reused
 * before.
 */
static void
end(struct connection *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->state = CLOSING;
}

void
connections_add(int fd, int64_t now_ms)
{
	struct connection *oldest;

	pthread_mutex_lock(&table.lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (table.slot[i].state == FREE) {
			table.slot[i] = (struct connection){ fd, OPEN, ++table.last, now_ms };
			break;
		}
	if ((oldest = surplus()) != NULL)
		end(oldest);
	pthread_mutex_unlock(&table.lock);
}

void
connections_remove(int fd)
{
	pthread_mutex_lock(&table.lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (table.slot[i].state != FREE && table.slot[i].fd == fd)
			table.slot[i].state = FREE;
	pthread_mutex_unlock(&table.lock);
}

void
connections_expire(int64_t now_ms)
{
	pthread_mutex_lock(&table.lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (table.slot[i].state == OPEN &&
			now_ms - table.slot[i].since_ms > CONNECTIONS_MS_MAX)
			end(&table.slot[i]);
	pthread_mutex_unlock(&table.lock);
}
