// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a collector page by page. There are two pages. When a full page has arrived, the next
 * one is requested, so that vCenter sends it while the caller publishes the first.
 */
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "vim_page.h"
#include "vim_session.h"

enum {
	TIMES_FAILED = 3,     /* failures until an event counts as bad; the network fails too */
	SKIPPED_IN_A_ROW = 8, /* consecutive events that cannot be read */
};

static const char next_events[] = "ReadNextEvents", previous_events[] = "ReadPreviousEvents";

static int
submit(struct vim *vim, struct vim_page_slot *slot, const char *method,
	const struct vim_collector *c, struct err *err)
{
	struct http_request *req;
	char count[16];

	slot->asked = c->page_size == 0 ? vim->options.page_size : c->page_size;
	snprintf(count, sizeof(count), "%d", slot->asked);
	vim_begin(vim, method, "EventHistoryCollector", c->ref);
	vim_add(vim, "maxCount", count);
	if (vim_request(vim, method, &req, err) != 0)
		return -1;
	return vim_page_submit(slot->page, vim->http, req, err) == 0
		? 0
		: err_wrap(err, "%s", method);
}

/* Requests the current page. The reply of a discarded page must end first. */
static int
ask(struct vim *vim, const char *method, const struct vim_collector *c, struct err *err)
{
	vim_drop_ahead(vim);
	if (vim_page_wait(vim->current.page, vim->http, INT64_MAX, err) != 0) {
		vim_page_drop(vim->current.page);
		return -1;
	}
	return submit(vim, &vim->current, method, c, err);
}

static void
ask_ahead(struct vim *vim, const struct vim_collector *c)
{
	struct err err;

	if (vim_page_is_busy(vim->spare.page))
		return; /* it was discarded, and its reply is still arriving */
	vim_page_pass_on(vim->current.page, vim->spare.page);
	if (submit(vim, &vim->spare, next_events, c, &err) == 0)
		snprintf(vim->ahead, sizeof(vim->ahead), "%s", c->ref);
}

/*
 * A page failed at this position: it is too large, or its reply broke off. The next pages are
 * smaller until one has arrived from after this position.
 */
static void
shrink(struct vim_collector *c, int asked)
{
	c->page_size = asked / 2;
	c->failed_us = c->last_us;
}

/* A page has arrived. After the position of the failure, pages grow again. */
static void
grow(struct vim *vim, struct vim_collector *c, const struct normalize_page *page)
{
	if (page->n == 0)
		return;
	c->last_us = page->event[page->n - 1].created_us;
	if (c->last_us > c->failed_us) {
		c->page_size *= 2;
		c->failures = 0;
	}
	if (c->page_size >= vim->options.page_size)
		c->page_size = 0;
}

/* ---- an event that no reply brings */

/* The identity of the event in a page of one event: its key, otherwise a hash of its bytes. */
static uint64_t
bad_event_id(const struct vim_collector *c, const struct normalize_page *page)
{
	const struct normalize_event *e = page->event;
	uint64_t id = HASH_FNV1A;

	if (page->n == 0) /* the page includes the event before it */
		return hash_fnv1a(page->left_out[0], &c->last_us, sizeof(c->last_us));
	id = hash_fnv1a(id, &e->key, sizeof(e->key));
	return hash_fnv1a(id, &e->created_us, sizeof(e->created_us));
}

static struct vim_bad_event *
count_failure(struct vim *vim, uint64_t id)
{
	const size_t cap = sizeof(vim->bad) / sizeof(vim->bad[0]);
	size_t n = vim->n_bad < cap ? vim->n_bad : cap, i = 0;

	while (i < n && vim->bad[i].id != id)
		i++;
	if (i == n) {
		i = vim->n_bad++ % cap;
		vim->bad[i] = (struct vim_bad_event){ .id = id, .n_whole = vim->n_whole };
	}
	vim->bad[i].times++;
	return &vim->bad[i];
}

/* Whether the page after the failed one is complete and has an event. */
static bool
goes_on(struct vim *vim, const struct vim_collector *c)
{
	struct normalize_page page;
	struct err err;
	int status;

	if (vim_page_is_busy(vim->spare.page))
		return false;
	ask_ahead(vim, c);
	if (*vim->ahead && vim_page_wait(vim->spare.page, vim->http, INT64_MAX, &err) == 0 &&
		vim_page_end(vim->spare.page, &page, &status, &err) == 0 && status == 200 &&
		page.fault == NULL && page.n + page.n_left_out != 0)
		return true;
	vim_drop_ahead(vim);
	return false;
}

/*
 * The reply of a page failed although its status is 200. If a page of one event fails each time
 * while other pages arrive complete, the cause is the event, not the network or vCenter. The
 * part of the event that arrived is then used as its page, so that the events after it are
 * read.
 */
static int
take_partial(struct vim *vim, struct vim_collector *c, bool forward,
	struct normalize_page *page, struct err *err)
{
	const struct vim_bad_event *bad;

	if (vim->current.asked > 1) {
		shrink(c, vim->current.asked);
		err->code = ERR_LIMIT; /* see vim.h */
		return -1;
	}
	if (!vim_page_end_partial(vim->current.page, page) || page->n + page->n_left_out != 1)
		return -1;
	bad = count_failure(vim, bad_event_id(c, page));
	if (bad->times < TIMES_FAILED)
		return -1;
	return vim->n_whole > bad->n_whole || (forward && goes_on(vim, c)) ? 0 : -1;
}

static int
wait_current(struct vim *vim, struct err *err)
{
	if (vim_page_wait(vim->current.page, vim->http, INT64_MAX, err) == 0)
		return 0;
	vim_page_drop(vim->current.page);
	return -1;
}

/* The current page. *partial: it is not complete, but its reply has events. */
static int
end_current(struct vim *vim, struct normalize_page *page, bool *partial, struct err *err)
{
	int status, failed = vim_page_end(vim->current.page, page, &status, err);

	if (failed && err->code == ERR_LIMIT)
		err->code = ERR_PROTOCOL;
	*partial = failed && status == 200 && vim_page_is_events(vim->current.page);
	if (failed && status != 0 && status != 200 && status != 500)
		return vim_bad_status(status, err);
	if (!failed && page->fault != NULL)
		return vim_fault(vim, page->fault, err);
	if (!failed && status != 200)
		return vim_bad_status(status, err);
	return failed;
}

/* The session and the collector work, but there is no page. */
static bool
may_be_the_event(const struct err *err)
{
	return err->code == ERR_PROTOCOL || err->code == ERR_CONNECT ||
		err->code == ERR_TIMEOUT;
}

/*
 * Requests, from the same collector, the page after the failed one. Its content shows whether
 * vCenter has moved the position past the failed page. An event between the two counts as not
 * stored, so a later collector that can read it stores it.
 */
static int
skip_event(struct vim *vim, const char *method, struct vim_collector *c,
	struct normalize_page *page)
{
	int64_t from_us = c->last_us, to_us;
	struct err err;

	for (int i = 0; i < SKIPPED_IN_A_ROW; i++) {
		bool partial;

		if (ask(vim, method, c, &err) != 0 || wait_current(vim, &err) != 0)
			return -1;
		if (end_current(vim, page, &partial, &err) == 0)
			break;
		if (partial || !may_be_the_event(&err) || i + 1 == SKIPPED_IN_A_ROW)
			return -1;
	}
	if (page->n == 0)
		return -1;
	/* also correct when the collector is read backwards */
	to_us = page->event[0].created_us;
	vim->skipped_id = hash_fnv1a(HASH_FNV1A, from_us < to_us ? &from_us : &to_us, 8);
	vim->skipped_id = hash_fnv1a(vim->skipped_id, from_us < to_us ? &to_us : &from_us, 8);
	page->skipped = true;
	page->skipped_after_us = from_us;
	page->left_out = &vim->skipped_id;
	page->n_left_out = 1;
	return 0;
}

/*
 * The reply has no part of the page. If this happens each time to the same page while others
 * arrive complete, an event in it is the cause.
 */
static int
page_failed(struct vim *vim, const char *method, struct vim_collector *c,
	struct normalize_page *page, struct err *err)
{
	if (!may_be_the_event(err))
		return -1;
	if (c->failed_us != c->last_us)
		c->failures = 0;
	c->failed_us = c->last_us;
	if (vim->current.asked > 1) {
		if (++c->failures < TIMES_FAILED && c->page_size == 0 && vim->skipped_id == 0)
			return -1;
		shrink(c, vim->current.asked);
		err->code = ERR_LIMIT; /* see vim.h */
		return -1;
	}
	if (count_failure(vim, hash_fnv1a(HASH_FNV1A, &c->last_us, sizeof(c->last_us)))->times <
		TIMES_FAILED)
		return -1;
	return skip_event(vim, method, c, page);
}

static int
receive(struct vim *vim, const char *method, struct vim_collector *c,
	struct normalize_page *page, struct err *err)
{
	bool forward = method == next_events, partial;

	if (wait_current(vim, err) != 0)
		return -1;
	if (end_current(vim, page, &partial, err) != 0 &&
		(partial ? take_partial(vim, c, forward, page, err)
			 : page_failed(vim, method, c, page, err)) != 0)
		return -1;
	vim->n_whole += forward && !partial && page->n != 0;
	return 0;
}

int
vim_read_next(struct vim *vim, struct vim_collector *c, struct normalize_page *page, bool *full,
	struct err *err)
{
	if (*c->ref && strcmp(vim->ahead, c->ref) == 0) {
		struct vim_page_slot slot = vim->current;

		vim->current = vim->spare;
		vim->spare = slot;
		vim->ahead[0] = '\0';
	} else if (ask(vim, next_events, c, err) != 0) {
		return -1;
	}
	if (receive(vim, next_events, c, page, err) != 0)
		return err_wrap(err, "%s", next_events);
	grow(vim, c, page);
	*full = page->n + page->n_left_out >= (size_t)vim->current.asked;
	if (*vim->ahead)
		return 0;
	if (*full)
		ask_ahead(vim, c);
	else
		vim_page_release(vim->spare.page); /* it is for backlogs */
	return 0;
}

int
vim_read_previous(
	struct vim *vim, struct vim_collector *c, struct normalize_page *page, struct err *err)
{
	if (ask(vim, previous_events, c, err) != 0)
		return -1;
	if (receive(vim, previous_events, c, page, err) != 0)
		return err_wrap(err, "%s", previous_events);
	if (page->n != 0)
		c->last_us = page->event[0].created_us;
	return 0;
}

bool
vim_receive(struct vim *vim)
{
	return *vim->ahead && vim_page_receive(vim->spare.page, vim->http);
}
