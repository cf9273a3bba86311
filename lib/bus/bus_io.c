// SPDX-License-Identifier: Apache-2.0
/* Uses the connection: publish, subscribe, request. */
#define _DEFAULT_SOURCE /* pthread_rwlock_t */
#include "bus_private.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

enum {
	SPENT_MAX = 64,
	SPENT_BYTES_MAX = 64 * 1024,
	/*
	 * bytes of subject and reply: max_control_line is 4 KiB, which includes lengths and
	 * inbox
	 */
	SUBJECT_MAX = 4096 - 256,
};

/*
 * natsMsg_Destroy passes a message to cnats' collector thread and wakes it. Per message that
 * costs more than the message itself; batches cost little, and the thread, which competes with
 * the publishing threads, lags less.
 */
static struct {
	pthread_mutex_t lock;
	natsMsg *msg[SPENT_MAX];
	size_t n, bytes;
} spent = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Call with the lock held. */
static void
destroy_spent(void)
{
	while (spent.n != 0)
		natsMsg_Destroy(spent.msg[--spent.n]);
	spent.bytes = 0;
}

static void
destroy_later(natsMsg *msg)
{
	if (msg == NULL)
		return;
	pthread_mutex_lock(&spent.lock);
	spent.msg[spent.n++] = msg;
	spent.bytes += (size_t)natsMsg_GetDataLength(msg);
	if (spent.n == SPENT_MAX || spent.bytes > SPENT_BYTES_MAX)
		destroy_spent();
	pthread_mutex_unlock(&spent.lock);
}

void
bus_destroy_messages(void)
{
	pthread_mutex_lock(&spent.lock);
	destroy_spent();
	pthread_mutex_unlock(&spent.lock);
}

static void
on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ctx)
{
	struct bus_subscription *s = ctx;
	struct bus_msg *m = mem_alloc(sizeof(*m));

	(void)nc;
	(void)sub;
	m->msg = msg;
	if (!atomic_load_explicit(&s->bus->heard, memory_order_relaxed))
		atomic_store(&s->bus->heard, true);
	s->on_msg(s->ctx, m);
}

natsStatus
bus_start_subscription(struct bus_subscription *sub, natsConnection *nc)
{
	natsStatus s;

	if (sub->ended)
		return NATS_OK;
	s = natsConnection_Subscribe(&sub->sub, nc, sub->subject, on_message, sub);
	/*
	 * the number of messages in transit is bounded by our requests; the library must not
	 * drop any
	 */
	if (s == NATS_OK)
		s = natsSubscription_SetPendingLimits(sub->sub, -1, -1);
	return s;
}

/* Takes the read lock if there is a connection; unlock nc_lock after use. */
static natsConnection *
hold(struct bus *bus, struct err *err)
{
	pthread_rwlock_rdlock(&bus->nc_lock);
	if (bus->nc != NULL)
		return bus->nc;
	pthread_rwlock_unlock(&bus->nc_lock);
	err_set(err, ERR_CONNECT, "not connected to NATS");
	return NULL;
}

int64_t
bus_max_payload(const struct bus *bus)
{
	natsConnection *nc = hold((struct bus *)bus, NULL);
	int64_t max;

	if (nc == NULL)
		return 0;
	max = natsConnection_GetMaxPayload(nc);
	pthread_rwlock_unlock(&((struct bus *)bus)->nc_lock);
	return max;
}

bool
bus_clustered(const struct bus *bus)
{
	natsConnection *nc = hold((struct bus *)bus, NULL);
	char **servers = NULL;
	int n = 0;

	if (nc == NULL)
		return true; /* unknown: assume a cluster, which needs more care */
	if (natsConnection_GetServers(nc, &servers, &n) == NATS_OK)
		for (int i = 0; i < n; i++)
			free(servers[i]);
	free(servers);
	pthread_rwlock_unlock(&((struct bus *)bus)->nc_lock);
	return n > 1;
}

static natsStatus
make_msg(natsMsg **msg, const struct bus_out *out)
{
	natsStatus s = natsMsg_Create(msg, out->subject, out->reply, out->data, (int)out->len);
	size_t i;

	/* the server's parser would take the next header as its value: bus_msg.c */
	for (i = 0; i < out->n_headers && s == NATS_OK; i++)
		if (out->headers[i].value[0] != '\0')
			s = natsMsgHeader_Add(
				*msg, out->headers[i].name, out->headers[i].value);
	return s;
}

/* The server closes the connection of a client that sends a longer line. */
static int
check_subject(const struct bus_out *out, struct err *err)
{
	if (strlen(out->subject) + (out->reply != NULL ? strlen(out->reply) : 0) <= SUBJECT_MAX)
		return 0;
	return err_set(err, ERR_LIMIT, "%.100s...: the subject is longer than NATS accepts",
		out->subject);
}

int
bus_publish(struct bus *bus, const struct bus_out *out, struct err *err)
{
	natsConnection *nc;
	natsMsg *msg = NULL;
	natsStatus s;

	if (check_subject(out, err) != 0 || (nc = hold(bus, err)) == NULL)
		return -1;
	if (out->n_headers == 0) {
		s = out->reply != NULL
			? natsConnection_PublishRequest(
				  nc, out->subject, out->reply, out->data, (int)out->len)
			: natsConnection_Publish(nc, out->subject, out->data, (int)out->len);
	} else {
		s = make_msg(&msg, out);
		if (s == NATS_OK)
			s = natsConnection_PublishMsg(nc, msg);
		destroy_later(msg);
	}
	pthread_rwlock_unlock(&bus->nc_lock);
	return s == NATS_OK ? 0 : bus_error(err, s, "publish");
}

int
bus_flush(struct bus *bus, int64_t timeout_ms, struct err *err)
{
	natsConnection *nc = hold(bus, err);
	natsStatus s;

	if (nc == NULL)
		return -1;
	s = natsConnection_FlushTimeout(nc, timeout_ms);
	pthread_rwlock_unlock(&bus->nc_lock);
	return s == NATS_OK ? 0 : bus_error(err, s, "flush");
}

int
bus_request(struct bus *bus, const struct bus_out *out, int64_t timeout_ms,
	struct bus_msg **reply, struct err *err)
{
	natsConnection *nc;
	natsMsg *msg = NULL, *got = NULL;
	natsStatus s;

	if (check_subject(out, err) != 0 || (nc = hold(bus, err)) == NULL)
		return -1;
	s = make_msg(&msg, out);
	if (s == NATS_OK)
		s = natsConnection_RequestMsg(&got, nc, msg, timeout_ms);
	natsMsg_Destroy(msg);
	pthread_rwlock_unlock(&bus->nc_lock);
	if (s == NATS_OK || s == NATS_NO_RESPONDERS || s == NATS_TIMEOUT)
		bus_note_reply(bus, s != NATS_TIMEOUT);
	if (s != NATS_OK)
		return bus_error(err, s, out->subject);
	*reply = mem_alloc(sizeof(**reply));
	(*reply)->msg = got;
	return 0;
}

int
bus_subscribe(
	struct bus *bus, const char *subject, bus_on_msg *on_msg, void *ctx, struct err *err)
{
	struct bus_subscription *sub = mem_alloc(sizeof(*sub));
	natsStatus s = NATS_OK;

	pthread_rwlock_wrlock(&bus->nc_lock);
	bus->subs = mem_grow(bus->subs, bus->n_subs + 1, sizeof(struct bus_subscription *));
	bus->subs[bus->n_subs++] = sub;
	*sub = (struct bus_subscription){
		.bus = bus, .subject = mem_strdup(subject), .on_msg = on_msg, .ctx = ctx
	};
	if (bus->nc != NULL)
		s = bus_start_subscription(sub, bus->nc);
	pthread_rwlock_unlock(&bus->nc_lock);
	return s == NATS_OK ? 0 : bus_error(err, s, subject);
}

static struct bus_subscription *
find_subscription(struct bus *bus, const char *subject)
{
	for (size_t i = 0; i < bus->n_subs; i++)
		if (!bus->subs[i]->ended && strcmp(bus->subs[i]->subject, subject) == 0)
			return bus->subs[i];
	return NULL;
}

int
bus_unsubscribe(struct bus *bus, const char *subject, int64_t timeout_ms, struct err *err)
{
	struct bus_subscription *sub;
	natsStatus s = NATS_OK;

	pthread_rwlock_wrlock(&bus->nc_lock);
	sub = find_subscription(bus, subject);
	if (sub != NULL)
		sub->ended = true;
	pthread_rwlock_unlock(&bus->nc_lock);
	if (sub == NULL)
		return err_set(err, ERR_NOT_FOUND, "%s: no such subscription", subject);
	pthread_rwlock_rdlock(&bus->nc_lock);
	if (sub->sub != NULL) {
		s = natsSubscription_DrainTimeout(sub->sub, timeout_ms);
		if (s == NATS_OK)
			s = natsSubscription_WaitForDrainCompletion(sub->sub, timeout_ms);
	}
	pthread_rwlock_unlock(&bus->nc_lock);
	return s == NATS_OK ? 0 : bus_error(err, s, subject);
}

void
bus_drain(struct bus *bus, int64_t timeout_ms)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;

	pthread_rwlock_rdlock(&bus->nc_lock);
	for (size_t i = 0; i < bus->n_subs; i++)
		natsSubscription_DrainTimeout(bus->subs[i]->sub, timeout_ms);
	for (size_t i = 0; i < bus->n_subs; i++) {
		int64_t left = deadline - clock_monotonic_ms();

		natsSubscription_WaitForDrainCompletion(bus->subs[i]->sub, left > 1 ? left : 1);
	}
	pthread_rwlock_unlock(&bus->nc_lock);
}

void
bus_msg_free(struct bus_msg *msg)
{
	if (msg == NULL)
		return;
	destroy_later(msg->msg);
	free(msg->header);
	free(msg->headers);
	free(msg);
}
