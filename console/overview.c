// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE
#include "overview.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_member.h"
#include "mem.h"
#include "overview_history.h"
#include "peers.h"
#include "printable.h"
#include "session.h"
#include "status_model.h"

enum {
	WATCHED_MS = 15 * 1000, /* after the last request, somebody watches */
	BUSY_STEP_MS = 2000,    /* between two checks while somebody watches */
	FIRST_MS = 300,         /* until the first one succeeds */
	STATUS_MAX = 8 * 1024 * 1024,
};

struct overview {
	struct session session;
	struct peers *peers; /* lives as long as the connection */
	pthread_t thread;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t wake;
	bool stopping;
	int64_t asked_ms, looked_ms; /* 0: never */
	struct buf status;
	char why[320]; /* why the last look failed; "": it did not */
	struct overview_history history;
};

static void
note(struct overview_history *h, const char *kind, const cJSON *entry, const char *member)
{
	const cJSON *value = json_member(entry, member);
	const char *stream = json_member_text(entry, "stream");
	char name[256];

	if (!cJSON_IsNumber(value))
		return;
	snprintf(name, sizeof(name), "%s %s%s%s", kind, json_member_text(entry, "name"),
		*stream != '\0' ? " " : "", stream);
	overview_history_set(h, name, value->valuedouble);
}

static void
remember(struct overview *o, const cJSON *model)
{
	const cJSON *entry;

	overview_history_advance(&o->history, clock_monotonic_ms());
	cJSON_ArrayForEach(entry, json_member(model, "streams"))
		note(&o->history, "stream", entry, "last_seq");
	cJSON_ArrayForEach(entry, json_member(model, "dispatchers")) {
		note(&o->history, "waiting", entry, "waiting");
		note(&o->history, "settled", entry, "settled_seq");
	}
}

static int
look(struct overview *o, cJSON **model, struct err *err)
{
	struct session *s = &o->session;

	if (!bus_connected(s->bus)) {
		bus_last_error(s->bus, err);
		return err->code != ERR_NONE
			? -1
			: err_set(err, ERR_CONNECT, "NATS does not answer");
	}
	session_forget(s);
	if (session_sources(s, err) != 0 || session_dispatchers(s, err) != 0 ||
		(o->peers == NULL && peers_open(&o->peers, s, err) != 0) ||
		peers_ask(o->peers, err) != 0) {
		session_explain(s, err);
		return -1;
	}
	*model = status_model_look(s, o->peers);
	return 0;
}

static void
look_and_keep(struct overview *o)
{
	struct err err = { .code = ERR_NONE };
	cJSON *model = NULL;
	char *text = NULL;

	if (look(o, &model, &err) == 0) {
		text = cJSON_PrintUnformatted(model);
		err.text[0] = '\0'; /* of something that may be missing */
	}
	pthread_mutex_lock(&o->lock);
	snprintf(o->why, sizeof(o->why), "%s", err.text);
	if (text != NULL) {
		buf_clear(&o->status);
		if (!printable_add_json(&o->status, text, strlen(text)))
			buf_add_str(&o->status, "null");
		o->looked_ms = clock_monotonic_ms();
		remember(o, model);
	}
	pthread_mutex_unlock(&o->lock);
	cJSON_free(text);
	cJSON_Delete(model);
}

static void *
run(void *arg)
{
	struct overview *o = arg;
	bool stopping = false;

	while (!stopping) {
		int64_t now = clock_monotonic_ms(), wait;

		look_and_keep(o);
		pthread_mutex_lock(&o->lock);
		wait = HISTORY_STEP_MS - (clock_monotonic_ms() - now);
		if (o->looked_ms == 0)
			wait = FIRST_MS;
		else if (o->asked_ms != 0 && now - o->asked_ms < WATCHED_MS)
			wait = BUSY_STEP_MS;
		if (!o->stopping)
			clock_cond_wait(&o->wake, &o->lock, wait > 100 ? wait : 100);
		stopping = o->stopping;
		pthread_mutex_unlock(&o->lock);
	}
	return NULL;
}

int
overview_open(struct overview **overview, struct bus *bus, const struct bus_config *config,
	struct err *err)
{
	struct overview *o = mem_alloc(sizeof(*o));

	o->session.bus = bus;
	o->session.config = config;
	buf_init(&o->status, STATUS_MAX);
	pthread_mutex_init(&o->lock, NULL);
	clock_cond_init(&o->wake);
	if (pthread_create(&o->thread, NULL, run, o) != 0) {
		free(o);
		return err_set(err, ERR_SYSTEM, "cannot start the thread that asks for states");
	}
	*overview = o;
	return 0;
}

void
overview_stop(struct overview *o)
{
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
}

void
overview_close(struct overview *o)
{
	if (o == NULL)
		return;
	peers_free(o->peers);
	session_forget(&o->session);
	overview_history_free(&o->history);
	buf_free(&o->status);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void
overview_write(struct overview *o, struct buf *out)
{
	int64_t now = clock_monotonic_ms();
	bool idle;

	pthread_mutex_lock(&o->lock);
	idle = o->asked_ms == 0 || now - o->asked_ms >= WATCHED_MS;
	o->asked_ms = now;
	if (idle)
		pthread_cond_signal(&o->wake);
	buf_printf(out, "{\"connected\":%s,\"why\":",
		bus_connected(o->session.bus) && o->why[0] == '\0' ? "true" : "false");
	printable_add_json_string(out, o->why, strlen(o->why));
	buf_printf(out, ",\"looked_ms\":%lld,\"status\":%s,\"history\":",
		o->looked_ms != 0 ? (long long)(now - o->looked_ms) : -1LL,
		o->status.len > 0 ? buf_str(&o->status) : "null");
	overview_history_write(&o->history, out);
	buf_add_char(out, '}');
	pthread_mutex_unlock(&o->lock);
}
