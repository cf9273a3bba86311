// SPDX-License-Identifier: Apache-2.0
/* Looks at streams, collectors and dispatchers. status_text.c prints the result. */
#include "status_model.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "json_member.h"
#include "protocol.h"
#include "subject.h"
#include "text.h"

enum {
	STUCK_MS = 30 * 1000,  /* as /livez: status.h */
	BEHIND_MS = 10 * 1000, /* a collector that reads has a lag of less than a few seconds */
};

struct status_look {
	struct session *session;
	const struct peers *peers;
	bool refused; /* NATS has refused a status request */
	cJSON *model;
};

static cJSON *
add_entry(cJSON *model, const char *list)
{
	cJSON *entry = cJSON_CreateObject();

	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(model, list), entry);
	return entry;
}

static void
add_number(cJSON *entry, const char *name, uint64_t n)
{
	cJSON_AddNumberToObject(entry, name, (double)n);
}

/* state: for people. */
static void
set_state(cJSON *entry, const char *state, bool ok)
{
	cJSON_DeleteItemFromObjectCaseSensitive(entry, "state");
	cJSON_DeleteItemFromObjectCaseSensitive(entry, "ok");
	cJSON_AddStringToObject(entry, "state", state);
	cJSON_AddBoolToObject(entry, "ok", ok);
}

static void
set_failed(struct status_look *l, cJSON *entry, struct err *err, const char *not_found)
{
	session_explain(l->session, err);
	if (err->code == ERR_FORBIDDEN)
		set_state(entry, "not permitted", false);
	else if (err->code == ERR_NOT_FOUND)
		set_state(entry, not_found, false);
	else
		set_state(entry, err->code == ERR_TIMEOUT ? "no answer" : "failed", false);
	if (err->code != ERR_NOT_FOUND)
		cJSON_AddStringToObject(entry, "why", err->text);
}

/* ---- streams */

/* Milliseconds since the message was stored; -1 when there is no such message. */
static int64_t
age_of(struct session *s, const char *stream, uint64_t seq)
{
	struct stream_msg msg;
	struct err err;
	int64_t age;

	if (seq == 0 ||
		jetstream_stream_get(
			s->bus, &(struct message_query){ stream, seq, NULL }, &msg, &err) != 0)
		return -1;
	age = (clock_wall_us() - msg.time_us) / 1000;
	jetstream_msg_free(&msg);
	return age < 0 ? 0 : age;
}

static void
add_age(cJSON *entry, const char *name, int64_t ms)
{
	if (ms >= 0)
		cJSON_AddNumberToObject(entry, name, (double)ms);
}

static void
look_at_stream(struct status_look *l, const char *name, struct stream_info *info)
{
	cJSON *entry = add_entry(l->model, "streams");
	bool dead = strcmp(name, DEAD_STREAM) == 0;
	struct err err;

	*info = (struct stream_info){ .messages = 0 };
	cJSON_AddStringToObject(entry, "name", name);
	if (jetstream_stream_look(l->session->bus, name, info, &err) != 0) {
		set_failed(l, entry, &err, "does not exist");
		if (dead && err.code == ERR_NOT_FOUND) /* there were no dead letters yet */
			set_state(entry, "does not exist", true);
		return;
	}
	add_number(entry, "messages", info->messages);
	add_number(entry, "last_seq", info->last_seq);
	add_number(entry, "bytes", info->bytes);
	if (info->max_bytes > 0)
		add_number(entry, "max_bytes", (uint64_t)info->max_bytes);
	if (info->messages > 0) {
		add_age(entry, "oldest_ms", age_of(l->session, name, info->first_seq));
		add_age(entry, "newest_ms", age_of(l->session, name, info->last_seq));
	}
	set_state(entry, "", true);
}

/* ---- collectors */

/* The first check that fails, as "vcenter: why". */
static bool
failing(const cJSON *report, char *why, size_t size)
{
	const cJSON *check;

	cJSON_ArrayForEach(check, json_member(json_member(report, "state"), "checks"))
		if (!json_member_true(check, "ok")) {
			snprintf(why, size, "%s: %s",
				check->string != NULL ? check->string : "",
				json_member_text(check, "why"));
			return true;
		}
	snprintf(why, size, "it is not ready");
	return !json_member_true(json_member(report, "state"), "ready");
}

static void
add_report(struct status_look *l, const char *source, const cJSON *report)
{
	cJSON *entry = add_entry(l->model, "collectors");
	bool leader = json_member_true(report, "leader");
	int64_t loop_ms = json_member_int(report, "loop_ms");
	char why[320], age[32];

	cJSON_AddStringToObject(entry, "source", source);
	cJSON_AddItemToObject(entry, "report", cJSON_Duplicate(report, true));
	if (loop_ms >= STUCK_MS) {
		snprintf(why, sizeof(why), "its main loop has not run for %s",
			text_duration_str(loop_ms / 1000 * 1000, age, sizeof(age)));
		set_state(entry, "stuck", false);
		cJSON_AddStringToObject(entry, "why", why);
	} else if (failing(report, why, sizeof(why))) {
		set_state(entry, "failing", false);
		cJSON_AddStringToObject(entry, "why", why);
	} else if (!leader) {
		set_state(entry, "ready", true);
	} else {
		set_state(entry,
			json_member_int(report, "lag_ms") > BEHIND_MS ? "catching up"
								      : "reading",
			true);
	}
}

/* Why a peer has not answered. */
static const char *
silence(const struct status_look *l, size_t peer)
{
	return l->refused && !peers_heard(l->peers, peer) ? "not permitted" : "no reply";
}

static void
look_at_collectors(struct status_look *l, size_t source)
{
	const char *name = l->session->source[source].name;
	size_t peer = l->session->n_dispatchers + source, n = 0, leaders = 0;
	const cJSON *report;

	for (; (report = peers_reply(l->peers, peer, n)) != NULL; n++)
		if (json_member_true(report, "leader")) {
			leaders++;
			add_report(l, name, report);
		}
	for (n = 0; (report = peers_reply(l->peers, peer, n)) != NULL; n++)
		if (!json_member_true(report, "leader"))
			add_report(l, name, report);
	if (n == 0 || leaders == 0) {
		bool orphaned = n == 0 && l->session->source[source].orphaned;
		cJSON *entry = add_entry(l->model, "collectors");

		cJSON_AddStringToObject(entry, "source", name);
		set_state(entry,
			orphaned         ? "orphaned"
				: n == 0 ? silence(l, peer)
					 : "no leader",
			orphaned);
	}
}

/* ---- dispatchers */

static void
set_paused(cJSON *entry, size_t paused, size_t replicas)
{
	char state[64] = "paused";

	if (replicas > 1)
		snprintf(state, sizeof(state), "paused %zu of %zu", paused, replicas);
	set_state(entry, state, false);
}

static void
set_progress(struct status_look *l, cJSON *entry, size_t d, const struct consumer_info *c,
	uint64_t last_seq)
{
	size_t paused, replicas = peers_count(l->peers, d, &paused);
	bool idle = c->pending + c->ack_pending == 0;

	add_number(entry, "replicas", replicas);
	add_number(entry, "paused", paused);
	if (c->delivered_stream_seq > last_seq)
		set_state(entry, "AHEAD of its stream", false);
	else if (paused > 0)
		set_paused(entry, paused, replicas);
	else if (c->pending > 0 && c->waiting == 0 && c->ack_pending == 0)
		set_state(entry, "not fetched", false);
	else if (replicas == 0)
		set_state(entry, silence(l, d), false);
	else if (c->pending > 0 && c->waiting == 0)
		set_state(entry, "busy", true);
	else
		set_state(entry, idle ? "up to date" : "delivering", true);
}

/* A dispatcher without a consumer on the stream. If it runs, it says what it waits for. */
static void
set_without_consumer(struct status_look *l, cJSON *entry, size_t d, struct err *err)
{
	const cJSON *report = peers_reply(l->peers, d, 0);
	char why[320];

	if (err->code != ERR_NOT_FOUND || report == NULL) {
		set_failed(l, entry, err, "has never run");
		return;
	}
	set_state(entry, "failing", false);
	failing(report, why, sizeof(why));
	cJSON_AddStringToObject(entry, "why", why);
	cJSON_AddItemToObject(entry, "report", cJSON_Duplicate(report, true));
}

static bool
has_text(const cJSON *list, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
			return true;
	return false;
}

/* The dispatcher runs, and no replica reads this stream: see its option `vcenters`. */
static bool
is_not_read(const struct status_look *l, size_t d, const char *stream)
{
	const cJSON *report, *streams;
	size_t k = 0;

	for (; (report = peers_reply(l->peers, d, k)) != NULL; k++) {
		streams = json_member(report, "streams");
		if (!cJSON_IsArray(streams) || has_text(streams, stream))
			return false;
	}
	return k > 0;
}

/* Events may wait for a dispatcher that does not read this stream any more. */
static void
set_orphaned(cJSON *entry, const struct consumer_info *c)
{
	bool waits = c->pending + c->ack_pending > 0;

	set_state(entry, "orphaned", !waits);
	if (waits)
		cJSON_AddStringToObject(entry, "why",
			"events wait in a stream that this dispatcher does not read any more: "
			"its vCenter is not in the configuration, or not among `vcenters`");
}

/*
 * The last sequence of the stream; looked at again when the consumer has got more: of a stream
 * that grows this is so because the consumer was looked at later.
 */
static uint64_t
last_seq_now(struct status_look *l, const char *stream, const struct consumer_info *c,
	uint64_t last_seq)
{
	struct stream_info now;
	struct err err;

	if (c->delivered_stream_seq <= last_seq ||
		jetstream_stream_look(l->session->bus, stream, &now, &err) != 0)
		return last_seq;
	return now.last_seq;
}

static void
look_at_consumer(struct status_look *l, size_t d, const char *stream, uint64_t last_seq)
{
	const struct session_dispatcher *dispatcher = &l->session->dispatcher[d];
	bool not_read = is_not_read(l, d, stream);
	struct consumer_info c;
	struct err err;
	cJSON *entry;
	int failed = jetstream_consumer_look(
		l->session->bus, stream, dispatcher->token, &c, &err);

	if (failed && not_read && err.code == ERR_NOT_FOUND)
		return;
	entry = add_entry(l->model, "dispatchers");
	cJSON_AddStringToObject(entry, "name", dispatcher->name);
	cJSON_AddStringToObject(entry, "stream", stream);
	if (failed) {
		set_without_consumer(l, entry, d, &err);
		return;
	}
	add_number(entry, "waiting", c.pending);
	add_number(entry, "ack_pending", c.ack_pending);
	add_number(entry, "settled_seq", c.ack_floor_stream_seq);
	if (c.pending + c.ack_pending > 0)
		add_age(entry, "oldest_ms",
			age_of(l->session, stream, c.ack_floor_stream_seq + 1));
	if (not_read)
		set_orphaned(entry, &c);
	else
		set_progress(l, entry, d, &c, last_seq_now(l, stream, &c, last_seq));
}

/* What the replicas say of themselves. */
static void
add_replicas(struct status_look *l, size_t d)
{
	const cJSON *report;

	for (size_t k = 0; (report = peers_reply(l->peers, d, k)) != NULL; k++) {
		cJSON *entry = add_entry(l->model, "replicas");

		cJSON_AddStringToObject(entry, "name", l->session->dispatcher[d].name);
		cJSON_AddItemToObject(entry, "report", cJSON_Duplicate(report, true));
	}
}

/* ---- all */

static bool
was_refused(struct session *s)
{
	struct err err = { .code = ERR_TIMEOUT };

	session_explain(s, &err);
	return err.code == ERR_FORBIDDEN;
}

cJSON *
status_model_look(struct session *s, const struct peers *peers)
{
	static const char *const lists[] = { "streams", "collectors", "dispatchers",
		"replicas" };
	struct status_look l = { s, peers, was_refused(s), cJSON_CreateObject() };
	struct stream_info info;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		cJSON_AddItemToObject(l.model, lists[i], cJSON_CreateArray());
	for (size_t i = 0; i < s->n_sources; i++) {
		look_at_stream(&l, s->source[i].stream, &info);
		look_at_collectors(&l, i);
		for (size_t d = 0; d < s->n_dispatchers; d++)
			look_at_consumer(&l, d, s->source[i].stream, info.last_seq);
	}
	look_at_stream(&l, DEAD_STREAM, &info);
	for (size_t d = 0; d < s->n_dispatchers; d++)
		add_replicas(&l, d);
	cJSON_AddBoolToObject(l.model, "ok", status_model_is_well(l.model));
	return l.model;
}

bool
status_model_is_well(const cJSON *model)
{
	static const char *const lists[] = { "streams", "collectors", "dispatchers" };
	const cJSON *entry;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		cJSON_ArrayForEach(entry, json_member(model, lists[i]))
			if (!json_member_true(entry, "ok"))
				return false;
	return true;
}
