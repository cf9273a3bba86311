// SPDX-License-Identifier: Apache-2.0
#include "collect.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "collect_state.h"
#include "log.h"
#include "mem.h"
#include "status.h"
#include "stop.h"
#include "text.h"

enum {
	ACK_TIMEOUT_MS = 5000,
	BUS_WAIT_MS = 200,
	STANDBY_WAIT_MS = 200,
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 60000,
	/* the account may not: nothing is broken, somebody has to allow it */
	FORBIDDEN_MS = 10000,
	/* vCenter's lock-out is a handful of failures in some minutes: stay well below */
	LOGIN_MIN_MS = 60000,
	LOGIN_MAX_MS = 600000,
	DRAIN_MS = 10000,
	TROUBLE_REPEAT_MS = 60000,
	EVENT_MAX = 64 * 1024 * 1024, /* bytes of an event's data when no limit is configured */
};

/* Tells a failure: at once when it is a new one, each minute while it lasts. */
static void
report(struct collect *c, const char *peer, const struct err *err)
{
	int64_t now = clock_monotonic_ms();

	status_check(peer, false, err->text);
	if (strcmp(c->trouble, err->text) == 0 && now - c->trouble_ms < TROUBLE_REPEAT_MS)
		return;
	memcpy(c->trouble, err->text, sizeof(c->trouble));
	c->trouble_ms = now;
	log_error(strcmp(peer, "vcenter") != 0 ? "NATS: cannot publish, trying again"
			: err->code == ERR_AUTH
			? "vCenter: login refused: check user and password; accounts lock, so the next "
			  "try is minutes away, or when passwordFile changes"
			: err->code == ERR_FORBIDDEN
			? "vCenter: the account lacks a privilege: give it the role Read-only on the root "
			  "folder, with propagation; trying again"
			: "vCenter: cannot read events, trying again",
		L_STR("reason", err_name(err->code)), L_ERR(err));
}

/*
 * The live collector is of no more use; collect_open gives it back when it makes the next one.
 */
void
collect_abandon(struct collect *c)
{
	if (*c->live.ref)
		c->spent = c->live;
	c->live.ref[0] = '\0';
}

/* What a new session has to know. */
static int
greet(struct collect *c, struct err *err)
{
	const struct vim_about *about = vim_about(c->vim);

	collect_count_session("login");
	log_info("logged in", L_STR("vcenter", about->name),
		L_STR("version", about->api_version), L_STR("build", about->build),
		L_STR("uuid", about->instance_uuid));
	c->source.api_version = about->api_version;
	c->source.uuid = about->instance_uuid;
	if (collect_ask_clock(c, err) != 0)
		return -1;
	collect_want_catalogue(c);
	collect_recheck_access(c);
	return 0;
}

/*
 * A login that was refused is not tried again before its time, unless the password has changed.
 */
static void
wait_login(struct collect *c)
{
	int64_t end = clock_monotonic_ms() + LOGIN_MIN_MS + backoff_next(&c->login_backoff);
	char *tried = NULL, *now = NULL;
	struct err err;
	bool changed = false;

	collect_count_session("refused");
	if (secret_read(c->options->vim.password, &tried, &err) != 0)
		tried = NULL;
	while (!changed && clock_monotonic_ms() < end && !stop_sleep(1000)) {
		status_beat();
		if (tried != NULL && secret_read(c->options->vim.password, &now, &err) == 0)
			changed = strcmp(tried, now) != 0;
		mem_free_secret(now);
		now = NULL;
	}
	mem_free_secret(tried);
}

static void
vcenter_failed(struct collect *c, const struct err *err)
{
	report(c, "vcenter", err);
	collect_abandon(c); /* its position is unknown now */
	if (err->code == ERR_LIMIT)
		return; /* the next page is smaller: at once */
	if (err->code == ERR_FULL)
		vim_logout(c->vim); /* 32 collectors in this session: a new one has none */
	if (err->code == ERR_AUTH) {
		wait_login(c);
		return;
	}
	if (err->code == ERR_FORBIDDEN) {
		collect_set_lacking(true);
		collect_recheck_access(c);
		stop_sleep(FORBIDDEN_MS);
		return;
	}
	/* a lost session or collector is made anew at once, the first time */
	if (!(err->code == ERR_NOT_FOUND && c->backoff.attempts == 0))
		stop_sleep(RETRY_MIN_MS + backoff_next(&c->backoff));
	else
		c->backoff.attempts = 1;
}

/* The publisher is broken: find out what the stream holds and go on from there. */
static void
stream_failed(struct collect *c, const struct err *err)
{
	collect_count_publish_error(err->code);
	if (err->code == ERR_CONFLICT)
		log_warn("somebody else wrote to the stream: reading its tail again",
			L_ERR(err));
	else
		report(c, "stream", err);
	collect_abandon(c);
	c->reconnects = UINT64_MAX; /* prepare again */
	if (err->code != ERR_CONFLICT)
		stop_sleep(RETRY_MIN_MS + backoff_next(&c->backoff));
}

static bool
bus_ready(struct collect *c)
{
	struct err err;

	if (bus_connected(c->bus)) {
		status_check("nats", true, "");
		return true;
	}
	bus_last_error(c->bus, &err);
	if (err.code == ERR_NONE)
		err_set(&err, ERR_CONNECT, "connecting");
	else
		report(c, "nats", &err);
	status_check("nats", false, err.text);
	stop_sleep(BUS_WAIT_MS);
	return false;
}

static bool
may_lead(struct collect *c)
{
	if (c->lease == NULL || lease_held(c->lease))
		return true;
	if (vim_has_session(c->vim)) {
		log_info("another collector reads now: standing by");
		vim_logout(c->vim);
	}
	c->live.ref[0] = '\0';
	c->reconnects = UINT64_MAX;
	status_check("vcenter", true, "standby: another collector reads");
	collect_forget_access();
	stop_sleep(STANDBY_WAIT_MS);
	return false;
}

/* One round: whatever is missing first, then a page. */
static void
turn(struct collect *c)
{
	bool fresh = false, full = false, wait = false;
	struct err err = { .code = ERR_NONE };

	collect_measure_lag(c);
	if (!bus_ready(c) || !may_lead(c))
		return;
	if (vim_connect(c->vim, &fresh, &err) != 0 || (fresh && greet(c, &err) != 0)) {
		vcenter_failed(c, &err);
		return;
	}
	backoff_reset(&c->login_backoff);
	if (c->reconnects != bus_reconnects(c->bus)) {
		if (collect_prepare_stream(c, &err) != 0) {
			stream_failed(c, &err);
			return;
		}
		collect_abandon(c);
	} else if (collect_check_stream(c, &err) != 0) {
		stream_failed(c, &err);
		return;
	}
	if (collect_check_clock(c, &err) != 0 || collect_check_access(c, &err) != 0 ||
		collect_check_catalogue(c, &wait, &err) != 0) {
		vcenter_failed(c, &err);
		return;
	}
	if (wait) {
		stop_sleep(BUS_WAIT_MS);
		return;
	}
	if (collect_regain(c, &err) != 0 ||
		(*c->live.ref == '\0' && collect_open(c, &err) != 0) ||
		collect_poll(c, &full, &err) != 0 ||
		(!full && clock_monotonic_ms() - c->audit_ms >= c->options->audit_interval_ms &&
			collect_audit(c, &err) != 0) ||
		(!full &&
			(collect_check_recent(c, &err) != 0 ||
				collect_check_latest(c, &err) != 0)) ||
		publisher_check(c->publisher, &err) != 0) {
		struct err why;

		if (err.code == ERR_STOPPED)
			return;
		if (publisher_check(c->publisher, &why) != 0)
			stream_failed(c, &why);
		else
			vcenter_failed(c, &err);
		return;
	}
	if (c->trouble[0] != '\0') {
		log_info("reading events again");
		c->trouble[0] = '\0';
	}
	backoff_reset(&c->backoff);
	status_check("vcenter", true, "");
	status_check("stream", true, "");
	if (!full)
		stop_sleep(c->pause_ms);
}

static void
finish(struct collect *c)
{
	struct publisher_stats stats;
	struct err err;

	if (publisher_drain(c->publisher, DRAIN_MS, &err) != 0)
		log_warn(
			"stopping with events not acked: they are read again at the next start",
			L_ERR(&err));
	collect_metrics_update(c); /* while there still is what it counts */
	vim_close(c->vim);
	lease_close(c->lease);
	stream_reader_stop(c->reader);
	publisher_stats(c->publisher, &stats);
	log_info("stopped", L_INT("read", (int64_t)c->read),
		L_INT("published", (int64_t)stats.published),
		L_INT("suppressed", (int64_t)c->duplicates),
		L_INT("rejected", (int64_t)c->rejected));
}

static void
run(struct collect *c, struct http *http)
{
	size_t event_max = c->options->vim.limits.event_max;

	while (!stop_requested() && !bus_ready(c))
		status_beat();
	if (stop_requested())
		return;
	envelope_init(&c->envelope, event_max != 0 ? event_max : EVENT_MAX);
	vim_open(&c->vim, http, &c->options->vim);
	while (!stop_requested()) {
		status_beat();
		turn(c);
		collect_metrics_update(c);
	}
	finish(c);
	envelope_free(&c->envelope);
}

int
collect_run(struct bus *bus, struct http *http, const struct collect_options *options,
	struct err *err)
{
	struct collect *c = mem_alloc(sizeof(*c));
	int failed;

	*c = (struct collect){ .options = options,
		.bus = bus,
		.known_us = INT64_MAX,
		.reconnects = UINT64_MAX,
		.fresh_ms = clock_monotonic_ms(),
		.audit_ms = clock_monotonic_ms() };
	c->source = (struct envelope_source){ .vcenter = options->name,
		.prefix = options->subject_prefix,
		.url = options->vim.url,
		.api_version = "",
		.uuid = "" };
	seen_init(&c->seen);
	severities_init(&c->catalogue.names);
	position_init(&c->position, options->overlap_ms * 1000, options->audit_span_ms * 1000);
	visibility_init(&c->visibility, options->empty_grace_ms);
	backoff_init(&c->backoff, RETRY_MIN_MS, RETRY_MAX_MS, (uint64_t)clock_wall_us());
	backoff_init(&c->login_backoff, LOGIN_MIN_MS, LOGIN_MAX_MS, (uint64_t)clock_wall_us());
	collect_metrics_init();
	status_check("nats", false, "connecting");
	status_check("vcenter", false, "not connected yet");
	failed = publisher_open(
		&c->publisher, bus, (size_t)options->window, ACK_TIMEOUT_MS, err);
	if (!failed)
		failed = stream_reader_open(&c->reader, bus, err);
	if (!failed && options->lease)
		failed = lease_open(
			&c->lease, bus, options->name, options->stream.replicas, err);
	if (!failed)
		run(c, http);
	bus_close(bus);
	publisher_close(c->publisher);
	stream_reader_close(c->reader);
	seen_free(&c->seen);
	severities_free(&c->catalogue.names);
	free(c);
	return failed;
}
