// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* pipe2 */
#include "bus_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"

enum { VERSION_WITH_TLS_LOCK = 0x030b00 };

struct bus_loop {
	pthread_t thread;
	pthread_mutex_t lock;
	int wake[2];
	bool running, stop;
	natsConnection *nc;
	int fd; /* -1: detached */
	bool read, write;
};

bool
bus_loop_needed(void)
{
	return nats_GetVersionNumber() < VERSION_WITH_TLS_LOCK;
}

static void
wake(struct bus_loop *l)
{
	if (write(l->wake[1], "!", 1) < 0) {
		/* the pipe is full, so it wakes the thread anyway */
	}
}

static void
turn(struct bus_loop *l)
{
	struct pollfd p[2] = { { .fd = l->wake[0], .events = POLLIN }, { .fd = -1 } };
	natsConnection *nc;
	char drain[64];

	pthread_mutex_lock(&l->lock);
	nc = l->nc;
	if (l->fd >= 0 && (l->read || l->write)) {
		p[1].fd = l->fd;
		p[1].events = (short)((l->read ? POLLIN : 0) | (l->write ? POLLOUT : 0));
	}
	pthread_mutex_unlock(&l->lock);
	if (poll(p, 2, -1) <= 0)
		return;
	if (p[0].revents != 0)
		while (read(l->wake[0], drain, sizeof(drain)) > 0)
			;
	/* the library checks whether the connection is still this one */
	if (p[1].revents & (POLLIN | POLLHUP | POLLERR))
		natsConnection_ProcessReadEvent(nc);
	if (p[1].revents & POLLOUT)
		natsConnection_ProcessWriteEvent(nc);
}

static void *
run(void *ctx)
{
	struct bus_loop *l = ctx;
	bool stop = false;

	while (!stop) {
		turn(l);
		pthread_mutex_lock(&l->lock);
		stop = l->stop;
		pthread_mutex_unlock(&l->lock);
	}
	return NULL;
}

static natsStatus
on_attach(void **data, void *loop, natsConnection *nc, natsSock fd)
{
	struct bus_loop *l = loop;
	natsStatus s = NATS_OK;

	pthread_mutex_lock(&l->lock);
	l->nc = nc;
	l->fd = fd;
	l->read = true;
	l->write = false;
	if (!l->running) {
		l->running = pthread_create(&l->thread, NULL, run, l) == 0;
		s = l->running ? NATS_OK : NATS_SYS_ERROR;
	}
	pthread_mutex_unlock(&l->lock);
	*data = l;
	wake(l);
	return s;
}

static natsStatus
on_read(void *data, bool add)
{
	struct bus_loop *l = data;

	pthread_mutex_lock(&l->lock);
	l->read = add;
	pthread_mutex_unlock(&l->lock);
	wake(l);
	return NATS_OK;
}

static natsStatus
on_write(void *data, bool add)
{
	struct bus_loop *l = data;

	pthread_mutex_lock(&l->lock);
	l->write = add;
	pthread_mutex_unlock(&l->lock);
	wake(l);
	return NATS_OK;
}

static natsStatus
on_detach(void *data)
{
	struct bus_loop *l = data;

	pthread_mutex_lock(&l->lock);
	l->fd = -1;
	pthread_mutex_unlock(&l->lock);
	wake(l);
	return NATS_OK;
}

struct bus_loop *
bus_loop_open(void)
{
	struct bus_loop *l = mem_alloc(sizeof(*l));

	l->fd = -1;
	if (pipe2(l->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
		free(l);
		return NULL;
	}
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
bus_loop_close(struct bus_loop *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_mutex_unlock(&l->lock);
	wake(l);
	if (l->running)
		pthread_join(l->thread, NULL);
	pthread_mutex_destroy(&l->lock);
	close(l->wake[0]);
	close(l->wake[1]);
	free(l);
}

natsStatus
bus_loop_use(struct bus_loop *l, natsOptions *opts)
{
	/*
	 * In this mode cnats 3.4.1 keeps a partly written message and sends the rest after the
	 * next CONNECT. The server cannot parse that and closes the connection, again and
	 * again. A new connection object has no such rest; bus.c creates it.
	 */
	natsStatus s = natsOptions_SetAllowReconnect(opts, false);

	return s == NATS_OK
		? natsOptions_SetEventLoop(opts, l, on_attach, on_read, on_write, on_detach)
		: s;
}
