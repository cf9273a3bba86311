// SPDX-License-Identifier: Apache-2.0
/*
 * One thread manages the connection: it connects, lets the other files use the connection, and
 * connects again when cnats gives up (two authentication errors in a row, an unknown -ERR).
 * During short interruptions cnats reconnects by itself and keeps the subscriptions. Secrets
 * are read again for each new connection. An open connection on which nothing is answered is
 * replaced (bus_silence.h).
 */
#define _GNU_SOURCE
#include "buf.h"
#include "bus_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "clock.h"
#include "mem.h"
#include "stop.h"

enum {
	/*
	 * a dead peer is detected after three missed pings; with cnats' default that takes
	 * minutes
	 */
	PING_INTERVAL_MS = 10000,
	CONNECT_TIMEOUT_MS = 5000,
	RECONNECT_MIN_MS = 250,
	RECONNECT_MAX_MS = 5000,
	CLOSE_MS = 2000,
};

static void
note_error(struct bus *bus, const struct err *err)
{
	pthread_mutex_lock(&bus->lock);
	bus->last_error = *err;
	pthread_mutex_unlock(&bus->lock);
}

static void
set_connected(struct bus *bus, bool connected, bool dead)
{
	pthread_mutex_lock(&bus->lock);
	bus->connected = connected;
	bus->dead |= dead;
	if (connected) {
		bus->last_error.code = ERR_NONE;
		bus_silence_connect(&bus->requests);
		bus_silence_connect(&bus->messages);
	}
	pthread_cond_broadcast(&bus->changed);
	pthread_mutex_unlock(&bus->lock);
}

static void
on_disconnected(natsConnection *nc, void *ctx)
{
	struct bus *bus = ctx;
	struct err err = { .code = ERR_NONE };
	const char *text = NULL;

	natsConnection_GetLastError(nc, &text);
	err_set(&err, ERR_CONNECT, "disconnected%s%s", text && *text ? ": " : "",
		text ? bus_error_text(text) : "");
	note_error(bus, &err);
	set_connected(bus, false, false);
}

static void
on_reconnected(natsConnection *nc, void *ctx)
{
	struct bus *bus = ctx;

	(void)nc;
	atomic_fetch_add(&bus->reconnects, 1);
	set_connected(bus, true, false);
}

/* Runs late on a busy machine: the next connection may be there already. */
static void
on_closed(natsConnection *nc, void *ctx)
{
	struct bus *bus = ctx;
	bool current;

	pthread_rwlock_rdlock(&bus->nc_lock);
	current = bus->nc == nc;
	pthread_rwlock_unlock(&bus->nc_lock);
	if (current)
		set_connected(bus, false, true);
}

/* The only place where cnats reports permission violations. */
static void
on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *ctx)
{
	struct err err = { .code = ERR_NONE };
	const char *text = NULL;

	(void)sub;
	natsConnection_GetLastError(nc, &text);
	err_set(&err, s == NATS_NOT_PERMITTED ? ERR_FORBIDDEN : ERR_CONNECT, "%s",
		text && *text ? bus_error_text(text) : natsStatus_GetText(s));
	note_error(ctx, &err);
}

static natsStatus
set_options(struct bus *bus, natsOptions *opts, struct bus_loop *loop, struct err *err)
{
	const struct bus_options *o = &bus->options;
	int n = 0;
	natsStatus s;

	while (o->urls[n] != NULL)
		n++;
	if ((s = natsOptions_SetServers(opts, (const char **)o->urls, n)) != NATS_OK ||
		(s = natsOptions_SetName(opts, o->name)) != NATS_OK ||
		(s = natsOptions_SetTimeout(opts, CONNECT_TIMEOUT_MS)) != NATS_OK ||
		(s = natsOptions_SetMaxReconnect(opts, -1)) != NATS_OK ||
		(s = natsOptions_SetReconnectWait(opts, RECONNECT_MIN_MS)) != NATS_OK ||
		(s = natsOptions_SetReconnectJitter(opts, 500, 500)) != NATS_OK ||
		(s = natsOptions_SetPingInterval(opts, PING_INTERVAL_MS)) != NATS_OK ||
		(s = natsOptions_SetMaxPingsOut(opts, 2)) != NATS_OK ||
		(s = natsOptions_SetCustomInboxPrefix(opts, o->inbox_prefix)) != NATS_OK ||
		(s = natsOptions_SetDisconnectedCB(opts, on_disconnected, bus)) != NATS_OK ||
		(s = natsOptions_SetReconnectedCB(opts, on_reconnected, bus)) != NATS_OK ||
		(s = natsOptions_SetClosedCB(opts, on_closed, bus)) != NATS_OK ||
		(s = natsOptions_SetErrorHandler(opts, on_error, bus)) != NATS_OK)
		return s;
	return bus_set_security(opts, o, loop, err);
}

static natsStatus
resubscribe(struct bus *bus, natsConnection *nc)
{
	natsStatus s = NATS_OK;
	size_t i;

	for (i = 0; i < bus->n_subs && s == NATS_OK; i++)
		s = bus_start_subscription(bus->subs[i], nc);
	return s;
}

static int
connect_once(struct bus *bus, struct err *err)
{
	natsOptions *opts = NULL;
	natsConnection *nc = NULL;
	struct bus_loop *loop = bus_uses_tls(&bus->options) && bus_loop_needed()
		? bus_loop_open()
		: NULL;
	natsStatus s = natsOptions_Create(&opts);

	*err = (struct err){ .code = ERR_NONE };
	if (s == NATS_OK)
		s = set_options(bus, opts, loop, err);
	if (s == NATS_OK)
		s = natsConnection_Connect(&nc, opts);
	natsOptions_Destroy(opts);
	if (s != NATS_OK) {
		bus_loop_close(loop);
		if (s == NATS_TIMEOUT)
			return err_set(err, ERR_TIMEOUT, "%s: Timeout: is it a NATS server?",
				bus->options.urls[0]);
		return err->code != ERR_NONE ? -1 : bus_error(err, s, bus->options.urls[0]);
	}
	pthread_rwlock_wrlock(&bus->nc_lock);
	s = resubscribe(bus, nc);
	bus->nc = nc;
	bus->loop = loop;
	if (s == NATS_OK && natsConnection_IsClosed(nc)) /* on_closed did not know it yet */
		s = NATS_CONNECTION_CLOSED;
	pthread_rwlock_unlock(&bus->nc_lock);
	if (s != NATS_OK)
		return bus_error(err, s, "subscribe");
	return 0;
}

static void
drop_connection(struct bus *bus)
{
	natsConnection *nc;
	size_t i;

	pthread_rwlock_wrlock(&bus->nc_lock);
	nc = bus->nc;
	bus->nc = NULL;
	pthread_rwlock_unlock(&bus->nc_lock);
	if (nc == NULL)
		return;
	natsConnection_Close(nc);
	bus_loop_close(bus->loop);
	bus->loop = NULL;
	for (i = 0; i < bus->n_subs; i++) {
		natsSubscription_Destroy(bus->subs[i]->sub);
		bus->subs[i]->sub = NULL;
	}
	natsConnection_Destroy(nc);
}

/* Ends requests that wait for a reply, so that drop_connection does not wait for them. */
static void
close_silent(struct bus *bus)
{
	struct err err = { .code = ERR_NONE };

	err_set(&err, ERR_TIMEOUT, "no answer on an open connection");
	atomic_fetch_add(&bus->silent_reconnects, 1);
	pthread_rwlock_rdlock(&bus->nc_lock);
	natsConnection_Close(bus->nc);
	pthread_rwlock_unlock(&bus->nc_lock);
	note_error(bus, &err);
}

/* Until the connection ends or is of no use, or the bus is closed. */
static void
wait_for_end(struct bus *bus)
{
	bool silent;

	pthread_mutex_lock(&bus->lock);
	while (!bus->closing && !bus->dead && !bus->silent)
		pthread_cond_wait(&bus->changed, &bus->lock);
	silent = bus->silent && !bus->closing && !bus->dead;
	pthread_mutex_unlock(&bus->lock);
	if (silent)
		close_silent(bus);
}

static void *
keep_connected(void *ctx)
{
	struct bus *bus = ctx;
	struct backoff backoff;
	struct err err;
	bool again = false;

	backoff_init(&backoff, RECONNECT_MIN_MS, RECONNECT_MAX_MS, (uint64_t)clock_wall_us());
	pthread_mutex_lock(&bus->lock);
	while (!bus->closing) {
		bus->dead = bus->silent = false;
		pthread_mutex_unlock(&bus->lock);
		if (connect_once(bus, &err) == 0) {
			backoff_reset(&backoff);
			if (again)
				atomic_fetch_add(&bus->reconnects, 1);
			again = true;
			set_connected(bus, true, false);
			wait_for_end(bus);
		} else {
			note_error(bus, &err);
		}
		pthread_mutex_lock(&bus->lock);
		if (bus->closing)
			break;
		bus->connected = false;
		pthread_mutex_unlock(&bus->lock);
		drop_connection(bus);
		pthread_mutex_lock(&bus->lock);
		if (!bus->closing)
			clock_cond_wait(&bus->changed, &bus->lock,
				RECONNECT_MIN_MS + backoff_next(&backoff));
	}
	pthread_mutex_unlock(&bus->lock);
	return NULL;
}

int
bus_open(struct bus **out, const struct bus_options *options, struct err *err)
{
	struct bus *bus = mem_alloc(sizeof(*bus));
	natsInbox *inbox = NULL;
	struct buf text;
	natsStatus s;

	bus->options = *options;
	/*
	 * A thread of the library frees messages. It inherits SCHED_BATCH (process.c): else it
	 * would preempt the publishing thread after each message that is to be freed.
	 */
	if ((s = nats_Open(-1)) != NATS_OK || (s = natsInbox_Create(&inbox)) != NATS_OK) {
		free(bus);
		return bus_error(err, s, "cnats");
	}
	buf_init(&text, 512);
	buf_printf(&text, "%s.%s", options->inbox_prefix, strrchr(inbox, '.') + 1);
	bus->inbox = buf_take(&text, NULL);
	natsInbox_Destroy(inbox);
	pthread_rwlock_init(&bus->nc_lock, NULL);
	pthread_mutex_init(&bus->lock, NULL);
	clock_cond_init(&bus->changed);
	bus_library_opened();
	if (pthread_create(&bus->thread, NULL, keep_connected, bus) != 0) {
		bus_close(bus);
		return err_set(err, ERR_SYSTEM, "cannot start a thread");
	}
	bus->started = true;
	*out = bus;
	return 0;
}

void
bus_close(struct bus *bus)
{
	struct err err;

	if (bus == NULL)
		return;
	if (bus->started) {
		if (bus_connected(bus) && bus_flush(bus, CLOSE_MS, &err) == 0)
			bus_drain(bus, CLOSE_MS);
		pthread_mutex_lock(&bus->lock);
		bus->closing = true;
		bus->connected = false;
		pthread_cond_broadcast(&bus->changed);
		pthread_mutex_unlock(&bus->lock);
		pthread_join(bus->thread, NULL);
		drop_connection(bus);
	}
	bus_library_closed(bus);
}

bool
bus_connected(const struct bus *bus)
{
	struct bus *b = (struct bus *)bus;
	bool connected;

	pthread_mutex_lock(&b->lock);
	connected = b->connected;
	pthread_mutex_unlock(&b->lock);
	return connected;
}

int
bus_wait_connected(struct bus *bus, int64_t timeout_ms, struct err *err)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;
	bool connected;

	pthread_mutex_lock(&bus->lock);
	while (!bus->connected && !stop_requested() && clock_monotonic_ms() < deadline)
		clock_cond_wait(&bus->changed, &bus->lock, 50);
	connected = bus->connected;
	if (!connected)
		*err = bus->last_error;
	pthread_mutex_unlock(&bus->lock);
	if (connected)
		return 0;
	if (stop_requested())
		return err_set(err, ERR_STOPPED, "stopped while connecting to NATS");
	if (err->code == ERR_NONE)
		err_set(err, ERR_CONNECT, "no connection to %s", bus->options.urls[0]);
	return -1;
}

void
bus_last_error(struct bus *bus, struct err *err)
{
	pthread_mutex_lock(&bus->lock);
	*err = bus->last_error;
	if (err->code == ERR_NONE)
		err->text[0] = '\0';
	if (bus->connected)
		bus->last_error.code = ERR_NONE;
	pthread_mutex_unlock(&bus->lock);
}

uint64_t
bus_reconnects(const struct bus *bus)
{
	return atomic_load(&((struct bus *)bus)->reconnects);
}

const char *
bus_api_prefix(const struct bus *bus)
{
	return bus->options.api_prefix != NULL ? bus->options.api_prefix : "$JS.API";
}

const char *
bus_inbox(const struct bus *bus)
{
	return bus->inbox;
}
