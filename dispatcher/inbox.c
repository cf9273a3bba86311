// SPDX-License-Identifier: Apache-2.0
#include "inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem.h"

struct item {
	struct bus_msg *msg;
	const struct inbox_port *port;
};

struct items {
	struct item *item;
	size_t n, cap;
};

struct inbox {
	struct http *http;
	struct items taken; /* the loop's */
	size_t taken_at;

	pthread_mutex_t lock; /* for the rest */
	struct items arrived;
	bool wake;
	bool stopped;
};

struct inbox *
inbox_open(struct http *http)
{
	struct inbox *inbox = mem_alloc(sizeof(*inbox));

	inbox->http = http;
	pthread_mutex_init(&inbox->lock, NULL);
	return inbox;
}

void
inbox_stop(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	while (inbox->taken_at < inbox->taken.n)
		bus_msg_free(inbox->taken.item[inbox->taken_at++].msg);
	pthread_mutex_lock(&inbox->lock);
	inbox->stopped = true;
	while (inbox->arrived.n > 0)
		bus_msg_free(inbox->arrived.item[--inbox->arrived.n].msg);
	pthread_mutex_unlock(&inbox->lock);
}

void
inbox_close(struct inbox *inbox)
{
	if (inbox == NULL)
		return;
	pthread_mutex_destroy(&inbox->lock);
	free(inbox->taken.item);
	free(inbox->arrived.item);
	free(inbox);
}

void
inbox_put(void *to, struct bus_msg *msg)
{
	const struct inbox_port *port = to;
	struct inbox *inbox = port->inbox;
	struct items *items = &inbox->arrived;

	pthread_mutex_lock(&inbox->lock);
	if (inbox->stopped) {
		bus_msg_free(msg);
	} else {
		items->item = mem_grow_for(
			items->item, items->n, &items->cap, sizeof(*items->item));
		items->item[items->n++] = (struct item){ .msg = msg, .port = port };
		if (items->n == 1 && inbox->wake)
			http_wakeup(inbox->http);
	}
	pthread_mutex_unlock(&inbox->lock);
}

/* Exchanges the used array for the one that the threads have filled. */
static void
take(struct inbox *inbox)
{
	struct items used_up = inbox->taken;

	used_up.n = 0;
	pthread_mutex_lock(&inbox->lock);
	inbox->taken = inbox->arrived;
	inbox->arrived = used_up;
	pthread_mutex_unlock(&inbox->lock);
	inbox->taken_at = 0;
}

bool
inbox_next(struct inbox *inbox, int64_t now_ms)
{
	const struct item *item;

	if (inbox->taken_at == inbox->taken.n)
		take(inbox);
	if (inbox->taken_at == inbox->taken.n)
		return false;
	item = &inbox->taken.item[inbox->taken_at++];
	item->port->handle(item->port->ctx, item->msg, now_ms);
	return true;
}

size_t
inbox_taken(const struct inbox *inbox)
{
	return inbox->taken.n - inbox->taken_at;
}

bool
inbox_empty(struct inbox *inbox)
{
	bool none;

	pthread_mutex_lock(&inbox->lock);
	none = inbox->arrived.n == 0;
	pthread_mutex_unlock(&inbox->lock);
	return none && inbox_taken(inbox) == 0;
}

static bool
has(const struct items *items, size_t from, const struct inbox_port *port)
{
	for (size_t i = from; i < items->n; i++)
		if (items->item[i].port == port)
			return true;
	return false;
}

bool
inbox_has(struct inbox *inbox, const struct inbox_port *port)
{
	bool found;

	pthread_mutex_lock(&inbox->lock);
	found = has(&inbox->arrived, 0, port);
	pthread_mutex_unlock(&inbox->lock);
	return found || has(&inbox->taken, inbox->taken_at, port);
}

bool
inbox_may_wait(struct inbox *inbox, bool wake)
{
	bool none;

	pthread_mutex_lock(&inbox->lock);
	inbox->wake = wake;
	none = inbox->arrived.n == 0;
	pthread_mutex_unlock(&inbox->lock);
	return none || !wake;
}
