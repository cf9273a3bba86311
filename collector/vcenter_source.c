// SPDX-License-Identifier: Apache-2.0
#include "vcenter_source.h"

#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "log.h"
#include "mem.h"
#include "vcenter_access.h"
#include "vcenter_audit.h"
#include "vcenter_catalogue.h"
#include "vcenter_clock_watch.h"
#include "vcenter_cursor.h"
#include "vcenter_intake.h"
#include "vcenter_live.h"
#include "vcenter_login.h"
#include "vcenter_metrics.h"
#include "vcenter_newest.h"
#include "vcenter_options.h"
#include "vcenter_stall.h"
#include "vcenter_window.h"

enum {
	EVENT_MAX = 64 * 1024 * 1024, /* bytes of an event's data when no limit is configured */
	MESSAGE_OVERHEAD = ENVELOPE_ATTRIBUTES_MAX + ENVELOPE_HEADERS_MAX,
	DATA_MIN = 16 * 1024, /* a trimmed event of any class is smaller */
};

struct vcenter {
	const struct vcenter_options *options;
	struct source_checkpoint *checkpoint;
	struct vim *vim;
	struct vcenter_cursor cursor;
	struct vcenter_clock_watch *clock;
	struct vcenter_catalogue *catalogue;
	struct vcenter_intake *intake;
	struct vcenter_window_reader reader;
	struct vcenter_live live;
	struct vcenter_audit audit;
	struct vcenter_newest *newest;
	struct vcenter_stall *stall;
	struct vcenter_access *access;
	struct vcenter_login login;
	int64_t pause_ms; /* between polls, grows while no events come */
};

/* The parts that read again what the live collector did not show. */
static void
open_checks(struct vcenter *v, struct publisher *publisher)
{
	const struct vcenter_options *o = v->options;

	v->reader = (struct vcenter_window_reader){ .vim = v->vim,
		.checkpoint = v->checkpoint,
		.intake = v->intake,
		.clock = v->clock };
	vcenter_audit_init(&v->audit, &v->reader, o->audit_interval_ms);
	v->newest = vcenter_newest_open(&v->reader, &v->cursor);
	v->stall = vcenter_stall_open(&(struct vcenter_stall_options){ .reader = &v->reader,
		.publisher = publisher,
		.cursor = &v->cursor,
		.clock = v->clock,
		.newest = v->newest,
		.audit = &v->audit,
		.catalogue = v->catalogue });
	v->access = vcenter_access_open(&(struct vcenter_access_options){ .reader = &v->reader,
		.cursor = &v->cursor,
		.user = o->user,
		.interval_ms = o->audit_interval_ms,
		.grace_ms = o->empty_grace_ms });
}

static void
open_source(void **self, const void *options, const struct source_context *context)
{
	const struct vcenter_options *o = options;
	size_t event_max = (size_t)o->event_max_bytes;
	struct vcenter *v = mem_alloc(sizeof(*v));
	struct vim_options vim;

	v->options = o;
	v->checkpoint = context->checkpoint;
	vcenter_metrics_init();
	vcenter_options_vim(o, &vim);
	vim_open(&v->vim, context->http, &vim);
	v->login.password = &o->password;
	v->catalogue = vcenter_catalogue_open(v->vim, o->empty_grace_ms);
	v->clock = vcenter_clock_watch_open(v->vim, v->checkpoint, &v->cursor, o->overlap_ms);
	v->intake = vcenter_intake_open(
		&(struct vcenter_intake_options){ .vcenter = context->name,
			.prefix = context->subject_prefix,
			.url = o->address,
			.event_max = event_max != 0 ? event_max : EVENT_MAX,
			.vim = v->vim,
			.publisher = context->publisher,
			.checkpoint = v->checkpoint,
			.clock = v->clock,
			.catalogue = v->catalogue });
	v->live = (struct vcenter_live){ .vim = v->vim,
		.cursor = &v->cursor,
		.checkpoint = v->checkpoint,
		.clock = v->clock,
		.intake = v->intake,
		.start = &o->start };
	open_checks(v, context->publisher);
	v->pause_ms = o->poll_min_ms;
	*self = v;
}

static void
close_source(void *self)
{
	struct vcenter *v = self;

	if (v == NULL)
		return;
	vim_close(v->vim);
	vcenter_access_close(v->access);
	vcenter_stall_close(v->stall);
	vcenter_newest_close(v->newest);
	vcenter_intake_close(v->intake);
	vcenter_clock_watch_close(v->clock);
	vcenter_catalogue_close(v->catalogue);
	vcenter_login_free(&v->login);
	free(v);
}

/* After each login. */
static int
on_login(struct vcenter *v, struct err *err)
{
	const struct vim_about *about = vim_about(v->vim);

	vcenter_metrics_session(false);
	log_info("logged in", L_STR("vcenter", about->name),
		L_STR("version", about->api_version), L_STR("build", about->build),
		L_STR("uuid", about->instance_uuid));
	vcenter_intake_set_about(v->intake, about);
	vcenter_catalogue_refresh(v->catalogue);
	vcenter_access_recheck(v->access);
	return vcenter_clock_watch_ask(v->clock, err);
}

static bool
credentials_changed(void *self)
{
	struct vcenter *v = self;

	return vcenter_login_changed(&v->login);
}

/* What a failure means for the next call; a cursor's position is not known after one. */
static enum source_result
failed(struct vcenter *v, const struct err *err)
{
	vcenter_cursor_abandon(&v->cursor);
	if (err->code == ERR_FULL)
		vim_logout(v->vim); /* 32 collectors in this session: a new one has none */
	if (err->code == ERR_FORBIDDEN)
		vcenter_access_refused(v->access);
	return SOURCE_FAILED;
}

static enum source_result
connect_source(void *self, struct err *err)
{
	struct vcenter *v = self;
	bool fresh = false;

	if (vcenter_login_connect(&v->login, v->vim, &fresh, err) != 0)
		return failed(v, err);
	return fresh && on_login(v, err) != 0 ? failed(v, err) : SOURCE_OK;
}

static void
identify(void *self, struct source_identity *id)
{
	struct vcenter *v = self;

	id->uuid = vim_about(v->vim)->instance_uuid;
	id->now_us = vcenter_clock_watch_now(v->clock);
}

/* The whole end of the stream was read. */
static void
adopt_tail(struct vcenter *v, const struct stream_tail *tail)
{
	const char *uuid = vim_about(v->vim)->instance_uuid;

	if (tail->any)
		vcenter_newest_set_key(v->newest, tail->newest.key);
	vcenter_clock_watch_compare(v->clock, tail);
	if (!tail->any || strcmp(tail->uuid, uuid) == 0)
		return;
	vcenter_intake_begin_epoch(v->intake, tail->newest.key);
	position_forget_first(source_checkpoint_position(v->checkpoint));
	log_error(
		"another vCenter answers under this name: going on from the time of the last stored event",
		L_STR("stored_uuid", tail->uuid), L_STR("uuid", uuid));
}

static enum source_result
resume(void *self, const struct source_loaded *loaded, struct err *err)
{
	struct vcenter *v = self;
	size_t wanted = (size_t)v->options->event_max_bytes;
	size_t data_max = loaded->message_max - MESSAGE_OVERHEAD;

	(void)err;
	vim_limit_event(v->vim, wanted != 0 && wanted < data_max ? wanted : data_max);
	if (loaded->whole)
		adopt_tail(v, &loaded->tail);
	if (loaded->taken_back)
		vcenter_newest_set_due(v->newest);
	vcenter_access_lower(v->access);
	vcenter_cursor_abandon(&v->cursor);
	return SOURCE_OK;
}

/* What has to be known before events are read. */
static enum source_result
prepare(struct vcenter *v, struct err *err)
{
	bool wait = false;

	if (vcenter_clock_watch_check(v->clock, err) != 0 ||
		vcenter_access_check(v->access, err) != 0 ||
		vcenter_catalogue_check(v->catalogue, &wait, err) != 0)
		return SOURCE_FAILED;
	return wait ? SOURCE_NOT_READY : SOURCE_OK;
}

static enum source_result
open_cursor(struct vcenter *v, struct err *err)
{
	enum source_result result;

	if (vcenter_cursor_is_open(&v->cursor))
		return SOURCE_OK;
	result = vcenter_live_open(&v->live, err);
	if (result == SOURCE_OK) {
		vcenter_newest_set_due(v->newest);
		vcenter_stall_distrust(v->stall);
		v->pause_ms = v->options->poll_min_ms;
	}
	return result;
}

/* The live collector; *full: more events wait. */
static enum source_result
read_live(struct vcenter *v, bool *full, struct err *err)
{
	const struct vcenter_options *o = v->options;
	enum source_result result = open_cursor(v, err);
	size_t fresh = 0;

	if (result == SOURCE_OK)
		result = vcenter_live_poll(&v->live, full, &fresh, err);
	if (result != SOURCE_OK)
		return result;
	if (fresh != 0) {
		v->pause_ms = o->poll_min_ms;
		vcenter_stall_progress(v->stall);
	} else if (!*full) {
		v->pause_ms = v->pause_ms * 2 < o->poll_max_ms ? v->pause_ms * 2
							       : o->poll_max_ms;
	}
	return SOURCE_OK;
}

/* The live collector is at its end: what did it not show? */
static enum source_result
read_missed(struct vcenter *v, struct err *err)
{
	enum source_result result = vcenter_audit_check(&v->audit, err);

	if (result == SOURCE_OK)
		result = vcenter_newest_check(v->newest, err);
	if (result == SOURCE_OK)
		result = vcenter_stall_check(
			v->stall, vcenter_access_is_limited(v->access), err);
	return result;
}

static enum source_result
read_events(struct vcenter *v, bool *full, struct err *err)
{
	bool regained = false;
	enum source_result result = vcenter_access_regain(v->access, &regained, err);

	if (regained)
		vcenter_stall_forget_hidden(v->stall);
	if (result == SOURCE_OK)
		result = read_live(v, full, err);
	if (result == SOURCE_OK && !*full)
		result = read_missed(v, err);
	return result;
}

static enum source_result
next(void *self, int64_t *wait_ms, struct err *err)
{
	struct vcenter *v = self;
	bool full = false;
	enum source_result result = prepare(v, err);

	if (result == SOURCE_FAILED)
		return failed(v, err);
	if (result == SOURCE_OK)
		result = read_events(v, &full, err);
	if (result == SOURCE_FAILED) {
		bool smaller = err->code == ERR_LIMIT; /* the next pages are */

		failed(v, err);
		return smaller ? SOURCE_RETRY : SOURCE_FAILED;
	}
	*wait_ms = full ? 0 : v->pause_ms;
	return result;
}

static void
observe(void *self)
{
	struct vcenter *v = self;

	vcenter_stall_measure_lag(v->stall);
}

static void
stand_by(void *self)
{
	struct vcenter *v = self;

	if (vim_has_session(v->vim)) {
		log_info("another collector reads now: standing by");
		vim_logout(v->vim);
	}
	vcenter_cursor_forget(&v->cursor);
	vcenter_access_stand_by();
}

static void
position(const void *self, struct source_status *status)
{
	const struct vcenter *v = self;
	const struct vcenter_intake_counts *counts = vcenter_intake_counts(v->intake);
	const struct position *p = source_checkpoint_position(v->checkpoint);

	*status = (struct source_status){ .connected = vim_has_session(v->vim),
		.read = counts->read,
		.suppressed = counts->suppressed,
		.rejected = counts->rejected,
		.any = p->any,
		.newest = p->newest };
}

static const char *const types[] = { "vcenter", "vcsim", NULL };

static void
describe(const void *self, source_description_fn *fn, void *ctx)
{
	const struct vcenter *v = self;

	vcenter_catalogue_describe(v->catalogue, fn, ctx);
}

const struct source vcenter_source = {
	.name = "vcenter",
	.types = types,
	.help = "The vCenter.",
	.fields = vcenter_fields,
	.options_size = sizeof(struct vcenter_options),
	.bind = vcenter_options_bind,
	.release = vcenter_options_release,
	.settings = vcenter_options_settings,
	.failed = "vCenter: cannot read events, trying again",
	.refused =
		"vCenter: login refused: check user and password; accounts lock, so the next "
		"try is minutes away, or when passwordFile changes",
	.forbidden =
		"vCenter: the account lacks a privilege: give it the role Read-only on the "
		"root folder, with propagation; trying again",
	.message_min = DATA_MIN + MESSAGE_OVERHEAD,
	.open = open_source,
	.connect = connect_source,
	.credentials_changed = credentials_changed,
	.identify = identify,
	.resume = resume,
	.next = next,
	.observe = observe,
	.describe = describe,
	.stand_by = stand_by,
	.position = position,
	.close = close_source,
};
