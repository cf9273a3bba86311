// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "live.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "mem.h"
#include "printable.h"

struct live {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct event_row row[LIVE_ROWS]; /* number n is at n % LIVE_ROWS */
	uint64_t first, next; /* the numbers that the ring has: first to before next */
	size_t bytes, clients;
	uint64_t joined; /* clients since the start */
	bool connected, stopped;
	char why[200];
	uint64_t state;
};

struct live *
live_open(void)
{
	struct live *l = mem_alloc(sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	clock_cond_init(&l->changed);
	l->state = 1;
	snprintf(l->why, sizeof(l->why), "connecting");
	return l;
}

static void
drop_first(struct live *l)
{
	struct event_row *row = &l->row[l->first++ % LIVE_ROWS];

	l->bytes -= event_row_bytes(row);
	event_row_free(row);
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	while (l->first < l->next)
		drop_first(l);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
live_add(struct live *l, struct event_row *row)
{
	pthread_mutex_lock(&l->lock);
	if (l->next - l->first == LIVE_ROWS)
		drop_first(l);
	l->row[l->next++ % LIVE_ROWS] = *row;
	l->bytes += event_row_bytes(row);
	while (l->bytes > LIVE_BYTES_MAX)
		drop_first(l);
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

void
live_set_state(struct live *l, bool connected, const char *why)
{
	pthread_mutex_lock(&l->lock);
	if (connected != l->connected || strcmp(why, l->why) != 0) {
		l->connected = connected;
		snprintf(l->why, sizeof(l->why), "%s", why);
		l->state++;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
}

bool
live_join(struct live *l, struct live_client *client)
{
	bool joined;

	pthread_mutex_lock(&l->lock);
	joined = l->clients < LIVE_CLIENTS_MAX && !l->stopped;
	if (joined)
		l->clients++;
	client->next = l->next;
	client->state = 0;
	client->looked_ms = 0;
	/* so clients that join in a row are spread over the pause, however many they are */
	client->early_ms = (int64_t)(l->joined++ * 93 % LIVE_PAUSE_MS);
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return joined;
}

void
live_leave(struct live *l, struct live_client *client)
{
	pthread_mutex_lock(&l->lock);
	l->clients--;
	pthread_mutex_unlock(&l->lock);
	event_row_filter_free(&client->filter);
}

size_t
live_clients(struct live *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->clients;
	pthread_mutex_unlock(&l->lock);
	return n;
}

bool
live_wait_client(struct live *l, int64_t ms)
{
	bool any;

	pthread_mutex_lock(&l->lock);
	if (l->clients == 0 && !l->stopped)
		clock_cond_wait(&l->changed, &l->lock, ms);
	any = l->clients > 0;
	pthread_mutex_unlock(&l->lock);
	return any;
}

void
live_stop(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopped = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* Appends the rows that the client wants; of too many, the newest ones. */
static void
add_rows(struct live *l, struct live_client *c, struct buf *out)
{
	uint64_t wanted[LIVE_BATCH], lost = c->next < l->first ? l->first - c->next : 0;
	size_t n = 0;

	for (uint64_t i = c->next + lost; i < l->next; i++)
		if (event_row_matches(&c->filter, &l->row[i % LIVE_ROWS]))
			wanted[n++ % LIVE_BATCH] = i;
	c->next = l->next;
	if (n == 0 && lost == 0)
		return;
	lost += n > LIVE_BATCH ? n - LIVE_BATCH : 0;
	buf_printf(out, "event: rows\ndata: {\"left_out\":%llu,\"rows\":[",
		(unsigned long long)lost);
	for (size_t i = n > LIVE_BATCH ? n - LIVE_BATCH : 0, k = 0; i < n; i++, k++) {
		if (k > 0)
			buf_add_char(out, ',');
		buf_add_str(out, l->row[wanted[i % LIVE_BATCH] % LIVE_ROWS].json);
	}
	buf_add_str(out, "]}\n\n");
}

static void
add_state(struct live *l, struct live_client *c, struct buf *out)
{
	if (c->state == l->state)
		return;
	c->state = l->state;
	buf_printf(out, "event: state\ndata: {\"connected\":%s,\"why\":",
		l->connected ? "true" : "false");
	printable_add_json_string(out, l->why, strlen(l->why));
	buf_add_str(out, "}\n\n");
}

/* Not on the condition: each new row would wake all browsers. */
static void
pause_for(struct live *l, int64_t ms)
{
	const struct timespec pause = { 0, ms * 1000000 };

	pthread_mutex_unlock(&l->lock);
	nanosleep(&pause, NULL);
	pthread_mutex_lock(&l->lock);
}

/*
 * A first event after a while wakes all browsers at once. Those that were woken together get
 * their next messages at different times: so many messages in a row would delay a delivery on
 * the same machine.
 */
bool
live_next(struct live *l, struct live_client *c, struct buf *out)
{
	int64_t begin = clock_monotonic_ms();
	bool stopped, woken = c->looked_ms == 0;

	pthread_mutex_lock(&l->lock);
	while (!l->stopped && out->len == 0) {
		int64_t now = clock_monotonic_ms();

		if (now - c->looked_ms < LIVE_PAUSE_MS) {
			pause_for(l, c->looked_ms + LIVE_PAUSE_MS - now);
			woken = false;
			continue;
		}
		c->looked_ms = woken ? now - c->early_ms : now;
		add_state(l, c, out);
		add_rows(l, c, out);
		if (out->len == 0 && now - begin >= LIVE_HEARTBEAT_MS)
			buf_add_str(out, ":\n\n");
		if (out->len == 0) {
			clock_cond_wait(&l->changed, &l->lock, begin + LIVE_HEARTBEAT_MS - now);
			woken = true;
		}
	}
	stopped = l->stopped;
	pthread_mutex_unlock(&l->lock);
	return !stopped;
}
