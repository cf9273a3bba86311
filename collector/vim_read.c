// SPDX-License-Identifier: Apache-2.0
/*
 * Reading a collector page by page. While the caller publishes one page, the vCenter makes and
 * sends the next: there are two pages, and each full one sends for its successor.
 */
#include <stdio.h>
#include <string.h>

#include "vim_page.h"
#include "vim_session.h"

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

/* Sends for the current page. One that was broken off has to end first. */
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

	if (!vim_page_is_busy(vim->spare.page) && /* dropped, and its reply still arrives */
		submit(vim, &vim->spare, next_events, c, &err) == 0)
		snprintf(vim->ahead, sizeof(vim->ahead), "%s", c->ref);
}

/*
 * The next page of this collector has fewer events, because this one failed at a place of its
 * own: it was too large, or its reply broke off. The place is behind the last event that came.
 * False: a page of one event failed.
 */
static bool
shrink(struct vim_collector *c, int asked)
{
	if (asked == 1)
		return false;
	c->page_size = asked / 2;
	c->failed_us = c->last_us;
	return true;
}

/* A page came: behind the place where one failed, pages grow again. */
static void
grow(struct vim *vim, struct vim_collector *c, const struct normalize_page *page)
{
	if (page->n == 0)
		return;
	c->last_us = page->event[page->n - 1].created_us;
	if (c->page_size != 0 && c->last_us > c->failed_us)
		c->page_size *= 2;
	if (c->page_size >= vim->options.page_size)
		c->page_size = 0;
}

static int
receive(struct vim *vim, struct vim_collector *c, struct normalize_page *page, struct err *err)
{
	int status, failed;

	if (vim_page_wait(vim->current.page, vim->http, INT64_MAX, err) != 0) {
		vim_page_drop(vim->current.page);
		return -1;
	}
	failed = vim_page_end(vim->current.page, page, &status, err);
	if (failed && status == 200 && err->code == ERR_LIMIT && !shrink(c, vim->current.asked))
		err->code = ERR_PROTOCOL; /* see vim.h: there are no smaller pages */
	if (failed && status != 0 && status != 200 && status != 500)
		return vim_bad_status(status, err);
	if (!failed && page->fault != NULL)
		return vim_fault(vim, page->fault, err);
	if (!failed && status != 200)
		return vim_bad_status(status, err);
	return failed;
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
	if (receive(vim, c, page, err) != 0)
		return err_wrap(err, "%s", next_events);
	grow(vim, c, page);
	*full = page->n + page->n_left_out >= (size_t)vim->current.asked;
	if (*full)
		ask_ahead(vim, c);
	return 0;
}

int
vim_read_previous(
	struct vim *vim, struct vim_collector *c, struct normalize_page *page, struct err *err)
{
	if (ask(vim, previous_events, c, err) != 0)
		return -1;
	return receive(vim, c, page, err) != 0 ? err_wrap(err, "%s", previous_events) : 0;
}

bool
vim_receive(struct vim *vim)
{
	return *vim->ahead && vim_page_receive(vim->spare.page, vim->http);
}
