// SPDX-License-Identifier: Apache-2.0
#include "horizon_source.h"

#include <stdlib.h>

#include "clock.h"
#include "horizon_api.h"
#include "horizon_clock.h"
#include "horizon_intake.h"
#include "horizon_left_out.h"
#include "horizon_metrics.h"
#include "horizon_options.h"
#include "horizon_window.h"
#include "log.h"
#include "mem.h"
#include "refused_secret.h"

enum {
	MESSAGE_MIN = 32 * 1024,
	DAY_MS = 24 * 60 * 60 * 1000,
	LEFT_OUT_MAX = 32, /* events in a row that are too large: more is no page of events */
};

static const int64_t us_per_ms = 1000;

/* A page of one millisecond, to notice that the next one is the same. */
struct page_mark {
	int64_t page, first_key, last_key;
};

struct horizon {
	const struct horizon_options *options;
	struct source_checkpoint *checkpoint;
	struct position *position;
	struct horizon_api *api;
	struct refused_secret refused;
	struct horizon_clock clock;
	struct horizon_intake intake;
	struct horizon_page page;
	struct horizon_window window;
	struct horizon_left_out left_out;
	size_t left_out_in_row; /* since a page could be read */
	struct page_mark last_page;
	bool probing;     /* this request: whether a known millisecond has more events */
	bool audit;       /* this pass is one */
	int64_t audit_ms; /* monotonic: when the next one is due */
};

static void
open_source(void **self, const void *options, const struct source_context *context)
{
	const struct horizon_options *o = options;
	struct horizon *h = mem_alloc(sizeof(*h));
	const struct horizon_origin origin = { .name = context->name, .address = o->address };

	h->options = o;
	h->checkpoint = context->checkpoint;
	h->position = source_checkpoint_position(h->checkpoint);
	horizon_metrics_init();
	horizon_api_open(&h->api, context->http, o);
	horizon_clock_init(&h->clock, h->position, o->overlap_ms);
	horizon_intake_init(&h->intake, &origin, &h->clock, context);
	horizon_page_init(&h->page);
	*self = h;
}

static void
close_source(void *self)
{
	struct horizon *h = self;

	if (h == NULL)
		return;
	horizon_api_close(h->api);
	horizon_intake_free(&h->intake);
	horizon_page_free(&h->page);
	refused_secret_forget(&h->refused);
	free(h);
}

/* After each reply. What is being read is of no use after a step back. */
static void
take_clock(struct horizon *h)
{
	if (horizon_clock_take(&h->clock, horizon_api_clock(h->api)))
		h->window.open = false;
}

static enum source_result
connect_source(void *self, struct err *err)
{
	struct horizon *h = self;
	bool fresh;

	if (horizon_api_connect(h->api, &fresh, err) != 0) {
		if (err->code == ERR_AUTH)
			refused_secret_remember(&h->refused, &h->options->password);
		return SOURCE_FAILED;
	}
	if (!fresh)
		return SOURCE_OK;
	refused_secret_forget(&h->refused);
	take_clock(h);
	log_info("logged in", L_STR("horizon", h->options->address));
	return SOURCE_OK;
}

static bool
credentials_changed(void *self)
{
	struct horizon *h = self;

	return refused_secret_changed(&h->refused, &h->options->password);
}

static void
identify(void *self, struct source_identity *id)
{
	struct horizon *h = self;

	*id = (struct source_identity){ .uuid = HORIZON_IDENTITY,
		.now_us = horizon_clock_now(&h->clock) };
}

static enum source_result
resume(void *self, const struct source_loaded *loaded, struct err *err)
{
	struct horizon *h = self;

	(void)err;
	h->intake.origin.data_max = loaded->message_max - HORIZON_OVERHEAD;
	if (loaded->whole)
		horizon_clock_compare(&h->clock, &loaded->tail);
	h->window.open = false;
	return SOURCE_OK;
}

/* ---- reading */

/* The time where the next pass begins: INT64_MIN, the earliest. */
static int64_t
begin_us(struct horizon *h)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t from_us = position_begin(
		h->position, source_start_us(&h->options->start, h->clock.clock.shown_us));
	int64_t audit_us;

	h->audit = h->position->any && now_ms >= h->audit_ms;
	if (!h->audit)
		return from_us;
	audit_us = position_audit_begin(h->position, now_ms);
	return audit_us < from_us ? audit_us : from_us;
}

/* A pass begins: from the reading position to a day ahead of Horizon's clock. */
static enum source_result
begin_pass(struct horizon *h, struct err *err)
{
	int64_t from_us = begin_us(h), now_us = horizon_clock_now(&h->clock);
	int64_t from_ms = from_us > 0 ? from_us / us_per_ms : 0;
	int64_t end_ms = now_us / us_per_ms + DAY_MS;

	if (source_checkpoint_know_since(h->checkpoint, from_us, now_us, err) != 0)
		return STREAM_FAILED;
	horizon_window_begin(&h->window, from_ms, end_ms > from_ms ? end_ms : from_ms,
		h->options->page_size);
	horizon_left_out_begin(&h->left_out);
	if (!h->position->any && h->position->begun_us == INT64_MAX && from_us != INT64_MIN)
		position_set_first(h->position,
			&(struct position_event){ .created_us = from_us, .key = INT64_MAX });
	position_begin_page(h->position, false);
	position_begun(h->position, from_us);
	return SOURCE_OK;
}

static void
end_pass(struct horizon *h)
{
	if (h->audit)
		h->audit_ms = clock_monotonic_ms() + h->options->audit_interval_ms;
	position_end_page(h->position, NULL, 0, horizon_clock_now(&h->clock));
	source_checkpoint_caught_up(h->checkpoint);
	source_checkpoint_prune(h->checkpoint);
}

/* The event before the page that is asked for next is too large. */
static void
leave_out(struct horizon *h, const struct err *err)
{
	int64_t ms = h->window.from_ms;
	char time[CLOCK_TEXT_SIZE];

	h->intake.read++;
	if (!horizon_left_out_add(&h->left_out, ms)) {
		h->intake.suppressed++;
		return;
	}
	h->intake.rejected++;
	log_error("an event of Horizon is too large to be read: it is left out",
		L_STR("time", clock_format(ms * us_per_ms, time)), L_ERR(err));
}

/*
 * A millisecond with an event that was left out is not read again: a search for missed events
 * asks whether it has more, any other pass goes round it.
 */
static void
avoid_left_out(struct horizon *h)
{
	struct horizon_window *w = &h->window;
	const struct horizon_left_out_time *t;

	h->probing = false;
	while ((t = horizon_left_out_find(&h->left_out, w->from_ms, w->to_ms)) != NULL) {
		if (h->audit && t->ms == w->from_ms) {
			h->probing = true;
			horizon_window_probe(w, t->end_page);
			return;
		}
		if (!horizon_window_go_round(w, t->ms))
			return;
	}
}

static enum source_result
read_known_again(struct horizon *h)
{
	horizon_left_out_changed(&h->left_out, h->window.from_ms);
	horizon_window_read(&h->window);
	return SOURCE_RETRY;
}

static enum source_result
read_failed(struct horizon *h, struct err *err)
{
	if (err->code != ERR_LIMIT) {
		h->window.open = false;
		return SOURCE_FAILED;
	}
	if (h->probing)
		return read_known_again(h);
	if (horizon_window_shrink(&h->window))
		return SOURCE_RETRY;
	if (++h->left_out_in_row > LEFT_OUT_MAX) {
		h->window.open = false;
		return SOURCE_FAILED;
	}
	leave_out(h, err);
	return SOURCE_RETRY;
}

/* Horizon returns the page before this one again: it would do so for ever. */
static bool
is_repeated(struct horizon *h)
{
	const struct horizon_page *page = &h->page;
	const struct page_mark last = h->last_page;

	h->last_page.page = h->window.page;
	h->last_page.first_key = page->n != 0 ? page->event[0].key : 0;
	h->last_page.last_key = page->n != 0 ? page->event[page->n - 1].key : 0;
	return h->window.page > 1 && last.page + 1 == h->window.page &&
		last.first_key == h->last_page.first_key &&
		last.last_key == h->last_page.last_key;
}

static enum source_result
take_page(struct horizon *h, bool more, struct err *err)
{
	const struct horizon_page *page = &h->page;
	size_t n = page->n + page->damaged;
	enum source_result result;

	h->left_out_in_row = 0;
	if (h->probing && n != 0)
		return read_known_again(h);
	if (!h->probing && is_repeated(h)) {
		log_error(
			"Horizon returns the same page again: events of this time may be missing",
			L_INT("time_ms", h->window.from_ms), L_INT("page", h->window.page));
		horizon_window_next(&h->window, 0, false);
		return SOURCE_OK;
	}
	if (!horizon_window_fits(&h->window, n, more))
		return SOURCE_OK;
	if (page->repaired)
		log_warn("Horizon's reply is not UTF-8: the bytes are replaced by U+FFFD");
	if (page->damaged != 0)
		log_warn("Horizon's reply has elements that are not events",
			L_INT("elements", (int64_t)page->damaged));
	result = horizon_intake_page(&h->intake, page, err);
	if (n == 0 && h->window.size == 1)
		horizon_left_out_ended(&h->left_out, h->window.from_ms, h->window.page);
	if (result == SOURCE_OK)
		horizon_window_next(&h->window, n, more);
	else
		h->window.open = false;
	return result;
}

static enum source_result
next(void *self, int64_t *wait_ms, struct err *err)
{
	struct horizon *h = self;
	const struct horizon_window *w = &h->window;
	enum source_result result = w->open ? SOURCE_OK : begin_pass(h, err);
	struct horizon_query query;
	bool more = false;

	if (result != SOURCE_OK)
		return result;
	avoid_left_out(h);
	query = (struct horizon_query){
		.from_ms = w->from_ms, .to_ms = w->to_ms, .page = w->page, .size = w->size
	};
	if (horizon_api_read(h->api, &query, &h->page, &more, err) != 0)
		return read_failed(h, err);
	take_clock(h);
	if (!w->open) /* the clock was set back: the pass begins again */
		return SOURCE_OK;
	result = take_page(h, more, err);
	if (result == SOURCE_OK && !w->open) {
		end_pass(h);
		*wait_ms = h->options->poll_ms;
	}
	return result;
}

/* ---- the rest of the contract */

static void
observe(void *self)
{
	(void)self;
}

static void
stand_by(void *self)
{
	struct horizon *h = self;

	if (horizon_api_has_session(h->api)) {
		log_info("another collector reads now: standing by");
		horizon_api_logout(h->api);
	}
	h->window.open = false;
}

static void
position(const void *self, struct source_status *status)
{
	const struct horizon *h = self;

	*status = (struct source_status){ .connected = horizon_api_has_session(h->api),
		.read = h->intake.read,
		.suppressed = h->intake.suppressed,
		.rejected = h->intake.rejected,
		.any = h->position->any,
		.newest = h->position->newest };
}

static const char *const types[] = { "horizon", NULL };

const struct source horizon_source = {
	.name = "horizon",
	.types = types,
	.help = "VMware Horizon: its audit events.",
	.fields = horizon_fields,
	.options_size = sizeof(struct horizon_options),
	.bind = horizon_options_bind,
	.release = horizon_options_release,
	.settings = horizon_options_settings,
	.failed = "Horizon: cannot read events, trying again",
	.refused =
		"Horizon: login refused: check domain, user and password; accounts lock, so the "
		"next try is minutes away, or when passwordFile changes",
	.forbidden =
		"Horizon: the account may not read events: give it the role Administrators "
		"(Read only); trying again",
	.message_min = MESSAGE_MIN,
	.open = open_source,
	.connect = connect_source,
	.credentials_changed = credentials_changed,
	.identify = identify,
	.resume = resume,
	.next = next,
	.observe = observe,
	.stand_by = stand_by,
	.position = position,
	.close = close_source,
};
