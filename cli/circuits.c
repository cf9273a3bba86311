// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "circuits.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "json_member.h"
#include "mem.h"
#include "protocol.h"

enum {
	REPLIES_MAX = 256,
	FIRST_MS = 1000, /* a running dispatcher answers within its tick of 100 ms */
	OTHERS_MS = 300, /* after the first ones; the number of replicas is unknown */
	POLL_MS = 10,
	FLUSH_MS = 2000,
	ERR_TEXT_SHOWN = 320, /* bytes: all of a struct err */
};

struct reply {
	size_t dispatcher;
	cJSON *json; /* NULL: no dispatcher runs */
};

struct circuits {
	const struct session *session;
	pthread_mutex_t lock; /* for the members below */
	struct reply reply[REPLIES_MAX];
	size_t n;
};

static void
on_reply(void *ctx, struct bus_msg *msg)
{
	struct circuits *c = ctx;
	const char *dot = strrchr(bus_msg_subject(msg), '.');
	struct reply reply = { .dispatcher = dot != NULL ? strtoul(dot + 1, NULL, 10)
							 : SIZE_MAX };

	/* the replying program chose this number: it may be anything */
	if (reply.dispatcher >= c->session->n_dispatchers) {
		bus_msg_free(msg);
		return;
	}
	reply.json = cJSON_ParseWithLength(bus_msg_data(msg), bus_msg_len(msg));
	pthread_mutex_lock(&c->lock);
	if (c->n < REPLIES_MAX)
		c->reply[c->n++] = reply;
	else
		cJSON_Delete(reply.json);
	pthread_mutex_unlock(&c->lock);
	bus_msg_free(msg);
}

/* Every dispatcher has replied, or NATS has reported that none runs. */
static bool
all_heard(struct circuits *c)
{
	size_t dispatchers = c->session->n_dispatchers, heard = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t d = 0; d < dispatchers; d++)
		for (size_t i = 0; i < c->n; i++)
			if (c->reply[i].dispatcher == d) {
				heard++;
				break;
			}
	pthread_mutex_unlock(&c->lock);
	return heard == dispatchers;
}

static void
wait_for_replies(struct circuits *c)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int64_t end = clock_monotonic_ms() + FIRST_MS;

	while (!all_heard(c) && clock_monotonic_ms() < end)
		nanosleep(&pause, NULL);
	end = clock_monotonic_ms() + OTHERS_MS;
	while (clock_monotonic_ms() < end)
		nanosleep(&pause, NULL);
}

static int
ask(struct circuits *c, struct session *s, struct err *err)
{
	char inbox[256], reply[288], subject[160];
	struct bus_out out = { .subject = subject, .reply = reply };

	snprintf(inbox, sizeof(inbox), "%s.status.*", bus_inbox(s->bus));
	if (bus_subscribe(s->bus, inbox, on_reply, c, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n_dispatchers; i++) {
		snprintf(subject, sizeof(subject), STATUS_PREFIX ".%s", s->dispatcher[i].token);
		snprintf(reply, sizeof(reply), "%s.status.%zu", bus_inbox(s->bus), i);
		if (bus_publish(s->bus, &out, err) != 0)
			return -1;
	}
	return bus_flush(s->bus, FLUSH_MS, err);
}

struct circuits *
circuits_ask(struct session *s)
{
	struct circuits *c = mem_alloc(sizeof(*c));
	struct err err;

	c->session = s;
	pthread_mutex_init(&c->lock, NULL);
	if (ask(c, s, &err) != 0)
		session_fail(s, &err);
	else
		wait_for_replies(c);
	return c;
}

void
circuits_free(struct circuits *c)
{
	for (size_t i = 0; i < c->n; i++)
		cJSON_Delete(c->reply[i].json);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- their replies */

static int64_t
paused_us(const cJSON *json)
{
	int64_t ms = json_member_int(json, "paused_ms");

	return ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : 0;
}

static bool
has_paused(const cJSON *json)
{
	return json_member_true(json, "down") || json_member_true(json, "dead_letters_fail") ||
		json_member_int(json, "paused") > 0;
}

static size_t
count(const struct circuits *c, size_t dispatcher, size_t *paused)
{
	size_t replicas = 0;

	*paused = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->reply[i].dispatcher == dispatcher && c->reply[i].json != NULL) {
			replicas++;
			*paused += has_paused(c->reply[i].json);
		}
	return replicas;
}

bool
circuits_open(const struct circuits *c, size_t i)
{
	size_t paused;

	count(c, i, &paused);
	return paused > 0;
}

const char *
circuits_text(const struct circuits *c, size_t i, char *buf, size_t size)
{
	size_t paused, replicas = count(c, i, &paused);

	if (replicas == 0)
		snprintf(buf, size, "no reply");
	else if (paused == 0)
		snprintf(buf, size, "closed");
	else if (replicas == 1)
		snprintf(buf, size, "OPEN");
	else
		snprintf(buf, size, "OPEN %zu of %zu", paused, replicas);
	return buf;
}

/*
 * The target that has been paused longest; a backend with one destination has no name for it.
 */
static void
print_target(const cJSON *json)
{
	printf("; ");
	session_print_safe(stdout, json_member_text(json, "target"), 64);
	if (json_member_text(json, "target")[0] != '\0')
		printf(": ");
	if (json_member_int(json, "status") > 0)
		printf("HTTP %" PRId64, json_member_int(json, "status"));
	else
		printf("no reply");
}

static void
print_replica(const struct circuits *c, const struct reply *reply)
{
	putchar('\n');
	session_print_safe(stdout, c->session->dispatcher[reply->dispatcher].name, 96);
	printf(" on ");
	session_print_safe(stdout, json_member_text(reply->json, "host"), 64);
	printf(" (pid %" PRId64 ") ", json_member_int(reply->json, "pid"));
}

static void
print_paused(const cJSON *json)
{
	char since[32];

	printf("has been paused for %s: ", session_age(paused_us(json), since, sizeof(since)));
	if (json_member_true(json, "dead_letters_fail"))
		printf("dead letters cannot be stored");
	else if (json_member_true(json, "down"))
		printf("the destination does not answer");
	else
		printf("%" PRId64 " of %" PRId64 " targets", json_member_int(json, "paused"),
			json_member_int(json, "targets"));
	if (json_member_int(json, "paused") > 0)
		print_target(json);
	putchar('\n');
}

/*
 * Lists, addresses and credentials that the backend could not read, and events that wait for
 * them.
 */
static void
print_refreshes(const struct circuits *c, const struct reply *reply)
{
	const cJSON *refresh;

	cJSON_ArrayForEach(refresh, json_member(reply->json, "refreshes"))
	{
		print_replica(c, reply);
		session_print_safe(stdout, json_member_text(refresh, "name"), 64);
		printf(": ");
		session_print_safe(stdout, json_member_text(refresh, "why"), ERR_TEXT_SHOWN);
		putchar('\n');
	}
	if (json_member_int(reply->json, "held") > 0) {
		print_replica(c, reply);
		printf("holds %" PRId64
		       " events that match no target yet, until emptyGrace is over\n",
			json_member_int(reply->json, "held"));
	}
}

void
circuits_print(const struct circuits *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct reply *reply = &c->reply[i];

		if (reply->json == NULL)
			continue;
		if (has_paused(reply->json)) {
			print_replica(c, reply);
			print_paused(reply->json);
		}
		print_refreshes(c, reply);
	}
}
