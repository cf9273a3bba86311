// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "peers.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "json_member.h"
#include "mem.h"
#include "protocol.h"
#include "subject.h"

enum {
	REPLIES_BESIDE = 256, /* of replicas and standbys, beside one for each peer */
	FIRST_MS = 1000,      /* a running dispatcher answers within its tick of 100 ms */
	OTHERS_MS = 300,      /* after the first ones; the number of replicas is unknown */
	POLL_MS = 10,
	FLUSH_MS = 2000,
};

struct reply {
	size_t peer;
	cJSON *json; /* NULL: no such process runs */
};

struct peers {
	struct session *session;
	pthread_mutex_t lock; /* for the members below, while `open` is set */
	bool open;            /* replies are taken */
	size_t n_asked;       /* peers of the last request */
	struct reply *reply;
	size_t n, max;
};

static size_t
number_of(const struct session *s)
{
	return s->n_dispatchers + s->n_sources;
}

static void
on_reply(void *ctx, struct bus_msg *msg)
{
	struct peers *p = ctx;
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	struct reply reply = { .peer = dot != NULL ? strtoul(dot + 1, NULL, 10) : SIZE_MAX };

	reply.json = cJSON_ParseWithLength(bus_msg_data(msg), bus_msg_len(msg));
	pthread_mutex_lock(&p->lock);
	/* the replying program chose this number: it may be anything */
	if (p->open && reply.peer < p->n_asked && p->n < p->max)
		p->reply[p->n++] = reply;
	else
		cJSON_Delete(reply.json);
	pthread_mutex_unlock(&p->lock);
	bus_msg_free(msg);
}

bool
peers_heard(const struct peers *p, size_t peer)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->reply[i].peer == peer)
			return true;
	return false;
}

/* Every process has replied, or NATS has reported that none runs. */
static bool
all_heard(struct peers *p)
{
	size_t heard = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t peer = 0; peer < number_of(p->session); peer++)
		heard += peers_heard(p, peer);
	pthread_mutex_unlock(&p->lock);
	return heard == number_of(p->session);
}

static void
wait_for_replies(struct peers *p)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int64_t end = clock_monotonic_ms() + FIRST_MS;

	while (!all_heard(p) && clock_monotonic_ms() < end)
		nanosleep(&pause, NULL);
	end = clock_monotonic_ms() + OTHERS_MS;
	while (clock_monotonic_ms() < end)
		nanosleep(&pause, NULL);
}

/* The subject of requests to a peer. */
static void
subject_of(const struct session *s, size_t peer, char *subject, size_t size)
{
	if (peer < s->n_dispatchers)
		snprintf(subject, size, STATUS_PREFIX ".%s", s->dispatcher[peer].token);
	else
		snprintf(subject, size, STATUS_COLLECTOR_PREFIX ".%s",
			s->source[peer - s->n_dispatchers].stream + STREAM_PREFIX_LEN);
}

static int
ask(struct peers *p, struct err *err)
{
	struct session *s = p->session;
	char reply[288], subject[192];
	struct bus_out out = { .subject = subject, .reply = reply };

	for (size_t i = 0; i < number_of(s); i++) {
		subject_of(s, i, subject, sizeof(subject));
		snprintf(reply, sizeof(reply), "%s.status.%zu", bus_inbox(s->bus), i);
		if (bus_publish(s->bus, &out, err) != 0)
			return -1;
	}
	return bus_flush(s->bus, FLUSH_MS, err);
}

static void
forget(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		cJSON_Delete(p->reply[i].json);
	p->n = 0;
}

int
peers_open(struct peers **peers, struct session *s, struct err *err)
{
	struct peers *p = *peers = mem_alloc(sizeof(*p));
	char inbox[256];

	p->session = s;
	pthread_mutex_init(&p->lock, NULL);
	snprintf(inbox, sizeof(inbox), "%s.status.*", bus_inbox(s->bus));
	return bus_subscribe(s->bus, inbox, on_reply, p, err);
}

static void
set_open(struct peers *p, bool open)
{
	pthread_mutex_lock(&p->lock);
	if (open) {
		forget(p);
		p->n_asked = number_of(p->session);
		p->max = p->n_asked + REPLIES_BESIDE;
		p->reply = mem_grow(p->reply, p->max, sizeof(*p->reply));
	}
	p->open = open;
	pthread_mutex_unlock(&p->lock);
}

int
peers_ask(struct peers *p, struct err *err)
{
	int failed;

	set_open(p, true);
	failed = ask(p, err);
	if (!failed)
		wait_for_replies(p);
	set_open(p, false);
	return failed;
}

void
peers_free(struct peers *p)
{
	if (p == NULL)
		return;
	forget(p);
	pthread_mutex_destroy(&p->lock);
	free(p->reply);
	free(p);
}

/* ---- their replies */

bool
peers_is_paused(const cJSON *json)
{
	return json_member_true(json, "down") || json_member_true(json, "dead_letters_fail") ||
		json_member_int(json, "paused") > 0;
}

const cJSON *
peers_reply(const struct peers *p, size_t peer, size_t k)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->reply[i].peer == peer && p->reply[i].json != NULL && k-- == 0)
			return p->reply[i].json;
	return NULL;
}

size_t
peers_count(const struct peers *p, size_t peer, size_t *paused)
{
	const cJSON *json;
	size_t replicas = 0;

	for (*paused = 0; (json = peers_reply(p, peer, replicas)) != NULL; replicas++)
		*paused += peers_is_paused(json);
	return replicas;
}
