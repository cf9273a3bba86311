// SPDX-License-Identifier: Apache-2.0
#include "collect.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "catalogue_report.h"
#include "collect_metrics.h"
#include "collect_report.h"
#include "collect_trouble.h"
#include "lease.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stop.h"
#include "stream_metrics.h"
#include "turn.h"

enum {
	ACK_TIMEOUT_MS = 5000,
	SHORT_WAIT_MS = 200,
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 60000,
	FORBIDDEN_MS = 10000, /* an administrator has to grant a privilege */
	/* vCenter locks an account after a few failures in some minutes: stay well below */
	LOGIN_MIN_MS = 60000,
	LOGIN_MAX_MS = 600000,
	DRAIN_MS = 10000,
	MEASURE_MS = 10000,
};

static const int64_t us_per_ms = 1000;

struct collect {
	const struct collect_options *options;
	const struct source *source;
	void *self; /* the open source */
	struct bus *bus;
	struct publisher *publisher;
	struct source_checkpoint *checkpoint;
	struct lease *lease; /* NULL: there is no other collector */
	struct backoff backoff, login_backoff;
	struct collect_trouble trouble;
	bool source_down; /* its last call failed; a session outlives that */
	struct collect_report *report;
	struct catalogue_report *catalogue;
	int64_t caught_up_ms; /* see struct collect_report_state */
	int64_t measure_ms;   /* when the stream is measured next */
};

static void
report_source(struct collect *c, const struct err *err)
{
	const struct source *s = c->source;

	collect_trouble_report(&c->trouble, s->name,
		err->code == ERR_AUTH                ? s->refused
			: err->code == ERR_FORBIDDEN ? s->forbidden
						     : s->failed,
		err);
}

static void
report_nats(struct collect *c, const char *peer, const struct err *err)
{
	collect_trouble_report(&c->trouble, peer, "NATS: cannot publish, trying again", err);
}

static bool
bus_ready(struct collect *c)
{
	struct err err;

	if (bus_connected(c->bus)) {
		status_check("nats", true, "");
		return true;
	}
	source_refuse(c->source, c->self);
	bus_last_error(c->bus, &err);
	if (err.code == ERR_NONE)
		err_set(&err, ERR_CONNECT, "connecting");
	else
		report_nats(c, "nats", &err);
	status_check("nats", false, err.text);
	bus_wait_connected(c->bus, SHORT_WAIT_MS, &err);
	return false;
}

static bool
is_leader(struct collect *c)
{
	if (c->lease == NULL || lease_held(c->lease))
		return true;
	c->caught_up_ms = clock_monotonic_ms(); /* the other one reads: nothing is behind */
	c->source->stand_by(c->self);
	source_checkpoint_invalidate(c->checkpoint);
	status_check(c->source->name, true, "standby: another collector reads");
	status_sleep(SHORT_WAIT_MS);
	return false;
}

static enum source_result
connect_source(struct collect *c, struct err *err)
{
	enum source_result result = c->source->connect(c->self, err);

	if (result == SOURCE_OK)
		backoff_reset(&c->login_backoff);
	return result;
}

/* Reads what the stream holds when that is not known, and passes it to the source. */
static enum source_result
follow_stream(struct collect *c, struct err *err)
{
	struct source_loaded loaded;
	struct source_identity id;

	if (source_checkpoint_is_current(c->checkpoint))
		return source_checkpoint_check(c->checkpoint, err) != 0 ? STREAM_FAILED
									: SOURCE_OK;
	c->source->identify(c->self, &id);
	if (source_checkpoint_load(c->checkpoint, &id, &loaded, err) != 0)
		return STREAM_FAILED;
	if (!c->trouble.refused)
		status_check("stream", true, "");
	return c->source->resume(c->self, &loaded, err);
}

/* The source reads; then whether what it sent is being stored. */
static enum source_result
read_source(struct collect *c, int64_t *wait_ms, struct err *err)
{
	enum source_result result = c->source->next(c->self, wait_ms, err);

	if (result == SOURCE_OK && publisher_check(c->publisher, err) != 0)
		return STREAM_FAILED;
	return result;
}

/*
 * A login that was refused is not tried again before its time, unless the credentials change.
 */
static void
wait_login(struct collect *c)
{
	int64_t end_ms = clock_monotonic_ms() + LOGIN_MIN_MS + backoff_next(&c->login_backoff);

	while (clock_monotonic_ms() < end_ms && !stop_sleep(1000)) {
		status_beat();
		if (c->source->credentials_changed(c->self))
			return;
	}
}

static void
wait_after(struct collect *c, enum turn_wait wait)
{
	switch (wait) {
	case TURN_NO_WAIT:
		break;
	case TURN_WAIT_SHORT:
		status_sleep(SHORT_WAIT_MS);
		break;
	case TURN_WAIT_BACKOFF:
		status_sleep(RETRY_MIN_MS + backoff_next(&c->backoff));
		break;
	case TURN_WAIT_FORBIDDEN:
		status_sleep(FORBIDDEN_MS);
		break;
	case TURN_WAIT_LOGIN:
		wait_login(c);
		break;
	}
}

/* How full the stream is. */
static void
measure_stream(struct collect *c)
{
	const char *name = c->options->stream.name;
	struct stream_info info;
	struct err err;

	c->measure_ms = clock_monotonic_ms() + MEASURE_MS;
	if (jetstream_stream_look(c->bus, name, &info, &err) == 0)
		stream_metrics_set(name, &info);
}

static void
stream_failed(struct collect *c, const struct turn_plan *plan, const struct err *err)
{
	source_refuse(c->source, c->self);
	collect_metrics_publish_error(err->code);
	if (plan->stream_failed)
		report_nats(c, "stream", err);
	else
		log_warn("another writer wrote to the stream: reading its tail again",
			L_ERR(err));
	source_checkpoint_invalidate(c->checkpoint);
	collect_trouble_refused(&c->trouble, c->publisher, err->code);
	if (err->code == ERR_FULL) /* no turn may succeed, and only those measure it */
		measure_stream(c);
}

static void
succeeded(struct collect *c, int64_t wait_ms)
{
	c->source_down = false;
	backoff_reset(&c->backoff);
	status_check(c->source->name, true, "");
	if (collect_trouble_end(&c->trouble, c->publisher)) {
		status_check("stream", true, "");
		if (wait_ms > 0 || c->source->receives)
			c->caught_up_ms = clock_monotonic_ms();
	}
	if (clock_monotonic_ms() >= c->measure_ms)
		measure_stream(c);
	if (wait_ms > 0)
		status_sleep(wait_ms);
}

static void
failed(struct collect *c, enum source_result result, const struct err *err)
{
	struct turn_plan plan = turn_plan(result, err->code, c->backoff.attempts);

	c->source_down |= plan.source_failed;
	if (plan.source_failed)
		report_source(c, err);
	if (plan.load_stream)
		stream_failed(c, &plan, err);
	if (plan.first_attempt)
		c->backoff.attempts = 1;
	wait_after(c, plan.wait);
}

static void
turn(struct collect *c)
{
	struct err err = { .code = ERR_NONE };
	enum source_result result;
	int64_t wait_ms = 0;

	c->source->observe(c->self);
	if (!bus_ready(c) || !is_leader(c))
		return;
	result = connect_source(c, &err);
	if (result == SOURCE_OK)
		result = follow_stream(c, &err);
	if (result == SOURCE_OK)
		result = read_source(c, &wait_ms, &err);
	if (result == SOURCE_OK)
		succeeded(c, wait_ms);
	else
		failed(c, result, &err);
}

static void
update_metrics(struct collect *c)
{
	struct collect_report_state state = { .caught_up_ms = c->caught_up_ms };
	struct collect_metrics_view view = {
		.taken_back = source_checkpoint_taken_back(c->checkpoint),
		.bus = c->bus,
		.identities = source_checkpoint_seen(c->checkpoint)->events.n,
		.leader = c->lease == NULL || lease_held(c->lease),
	};

	c->source->position(c->self, &view.source);
	view.source.connected &= !c->source_down;
	publisher_stats(c->publisher, &view.publisher);
	collect_metrics_update(&view);
	state.now = view;
	collect_report_update(c->report, &state);
}

static void
finish(struct collect *c)
{
	struct source_status status;
	struct publisher_stats stats;
	struct err err;

	if (publisher_drain(c->publisher, DRAIN_MS, &err) != 0)
		log_warn(
			"stopping with events not acked: they are read again at the next start",
			L_ERR(&err));
	update_metrics(c);
	c->source->position(c->self, &status);
	c->source->close(c->self);
	lease_close(c->lease);
	source_checkpoint_stop(c->checkpoint);
	publisher_stats(c->publisher, &stats);
	log_info("reading ends", L_INT("read", (int64_t)status.read),
		L_INT("published", (int64_t)stats.published),
		L_INT("suppressed", (int64_t)status.suppressed),
		L_INT("rejected", (int64_t)status.rejected));
}

static void
run(struct collect *c, struct http *http)
{
	const struct source_context context = { .name = c->options->name,
		.subject_prefix = c->options->subject_prefix,
		.http = http,
		.publisher = c->publisher,
		.checkpoint = c->checkpoint };

	c->source->open(&c->self, c->options->source_options, &context);
	while (!stop_requested()) {
		status_beat();
		turn(c);
		update_metrics(c);
		catalogue_report_answer(c->catalogue, c->source, c->self);
	}
	finish(c);
}

static int
open_bus_parts(struct collect *c, struct err *err)
{
	const struct collect_options *o = c->options;
	struct source_checkpoint_options checkpoint = { .bus = c->bus,
		.stream = &o->stream,
		.overlap_us = o->settings.overlap_ms * us_per_ms,
		.audit_us = o->settings.audit_span_ms * us_per_ms,
		.message_min = o->source->message_min,
		.writes_only = o->source->receives };

	const struct collect_report_config report = { .bus = c->bus,
		.name = o->name,
		.kind = o->source->name,
		.address = o->settings.address };

	c->caught_up_ms = clock_monotonic_ms();
	if (collect_report_open(&c->report, &report, err) != 0 ||
		catalogue_report_open(&c->catalogue, c->bus, o->name, err) != 0)
		return -1;
	if (publisher_open(&c->publisher, c->bus, (size_t)o->settings.window, ACK_TIMEOUT_MS,
		    err) != 0)
		return -1;
	checkpoint.publisher = c->publisher;
	if (source_checkpoint_open(&c->checkpoint, &checkpoint, err) != 0)
		return -1;
	return o->settings.lease
		? lease_open(&c->lease, c->bus, o->name, o->stream.replicas, err)
		: 0;
}

int
collect_run(struct bus *bus, struct http *http, const struct collect_options *options,
	struct err *err)
{
	struct collect *c = mem_alloc(sizeof(*c));
	int failed;

	*c = (struct collect){ .options = options, .source = options->source, .bus = bus };
	backoff_init(&c->backoff, RETRY_MIN_MS, RETRY_MAX_MS, (uint64_t)clock_wall_us());
	backoff_init(&c->login_backoff, LOGIN_MIN_MS, LOGIN_MAX_MS, (uint64_t)clock_wall_us());
	collect_metrics_init(c->source->name);
	status_check("nats", false, "connecting");
	status_check(c->source->name, false, "not connected yet");
	failed = open_bus_parts(c, err);
	if (!failed)
		run(c, http);
	bus_close(bus);
	source_checkpoint_close(c->checkpoint);
	publisher_close(c->publisher);
	collect_report_close(c->report);
	catalogue_report_close(c->catalogue);
	free(c);
	return failed;
}
