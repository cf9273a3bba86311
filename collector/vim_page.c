// SPDX-License-Identifier: Apache-2.0
/* ReadNextEvents. While the caller publishes one page, the vCenter makes and sends the next. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "status.h"
#include "stop.h"
#include "vim_session.h"

static const char next_events[] = "ReadNextEvents", previous_events[] = "ReadPreviousEvents";

enum {
	STEP = 16 * 1024, /* some ten events: a tenth of a millisecond */
	AWAIT_MS = 5000,
	ARRIVED_MAX = 512 * 1024, /* not parsed yet: beyond, it is parsed as it arrives */
};

void
vim_pages_open(struct vim *vim)
{
	for (size_t i = 0; i < 2; i++) {
		normalizer_open(&vim->page[i].normalizer, &vim->options.limits);
		buf_init(&vim->page[i].arrived, ARRIVED_MAX);
	}
	vim->current = &vim->page[0];
}

void
vim_pages_close(struct vim *vim)
{
	for (size_t i = 0; i < 2; i++) {
		normalizer_close(vim->page[i].normalizer);
		buf_free(&vim->page[i].arrived);
	}
}

void
vim_limit_event(struct vim *vim, size_t event_max)
{
	for (size_t i = 0; i < 2; i++)
		normalizer_limit_event(vim->page[i].normalizer, event_max);
}

/*
 * Hands at most max bytes of what has arrived to the normalizer; false when there is nothing.
 */
static bool
parse(struct page_read *p, size_t max)
{
	size_t n = p->arrived.len - p->parsed;

	if (n == 0)
		return false;
	if (n > max)
		n = max;
	normalizer_feed(p->normalizer, p->arrived.data + p->parsed, n, &p->refused);
	p->parsed += n;
	if (p->parsed == p->arrived.len) {
		buf_clear(&p->arrived);
		p->parsed = 0;
	}
	return true;
}

static bool
on_body(void *ctx, const char *data, size_t len)
{
	struct page_read *p = ctx;

	if (len > ARRIVED_MAX - p->arrived.len)
		parse(p, SIZE_MAX);
	if (p->dropped || p->refused.code != ERR_NONE)
		return false;
	buf_add(&p->arrived, data, len);
	return buf_ok(&p->arrived);
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct page_read *p = ctx;

	p->busy = false;
	p->status = rsp->error == ERR_NONE ? rsp->status : 0;
	p->why = rsp->why;
}

static int
ask(struct vim *vim, struct page_read *p, const char *method, const char *ref, int max,
	struct err *err)
{
	struct http_request *req;
	char count[16];

	snprintf(p->ref, sizeof(p->ref), "%s", ref);
	p->method = method;
	snprintf(count, sizeof(count), "%d", max);
	vim_begin(vim, method, "EventHistoryCollector", ref);
	vim_add(vim, "maxCount", count);
	if (vim_request(vim, method, &req, err) != 0)
		return -1;
	/* other calls may be made before this one is sent */
	buf_add(&req->own_body, req->body, req->body_len);
	req->body = req->own_body.data;
	req->on_body = on_body;
	req->on_body_ctx = p;
	p->dropped = false;
	p->refused.code = ERR_NONE;
	buf_clear(&p->arrived);
	p->parsed = 0;
	normalizer_begin(p->normalizer);
	p->busy = http_submit(vim->http, req, on_done, p, err) == 0;
	return p->busy ? 0 : err_wrap(err, "%s", method);
}

static int
wait_reply(struct vim *vim, struct page_read *p, struct err *err)
{
	do {
		parse(p, SIZE_MAX);
		status_beat(); /* a page may take as long as `timeout` to arrive */
	} while (p->busy && !stop_requested() && http_run(vim->http, 1000, err) == 0);
	parse(p, SIZE_MAX);
	if (!p->busy)
		return 0;
	p->dropped = true;
	return stop_requested() ? err_set(err, ERR_STOPPED, "asked to stop") : -1;
}

/* What the reply of p says. */
static int
finish(struct vim *vim, struct page_read *p, struct normalize_page *page, struct err *err)
{
	int failed = normalizer_end(p->normalizer, page, err);

	if (p->status == 0) {
		*err = p->refused.code != ERR_NONE ? p->refused : p->why;
		failed = -1;
	} else if (failed && p->status != 200 && p->status != 500) {
		vim_bad_status(p->status, err);
	} else if (!failed && page->fault != NULL) {
		failed = vim_fault(vim, page->fault, err);
	} else if (!failed && p->status != 200) {
		failed = vim_bad_status(p->status, err);
	}
	return failed ? err_wrap(err, "%s", p->method) : 0;
}

void
vim_forget_page(struct vim *vim, const char *ref)
{
	if (vim->ahead == NULL || (ref != NULL && strcmp(vim->ahead->ref, ref) != 0))
		return;
	vim->ahead->dropped = true;
	vim->ahead = NULL;
}

int
vim_read_next(struct vim *vim, const struct vim_collector *c, int max,
	struct normalize_page *page, struct err *err)
{
	if (vim->ahead != NULL && strcmp(vim->ahead->ref, c->ref) == 0) {
		vim->current = vim->ahead;
		vim->ahead = NULL;
	} else {
		vim_forget_page(vim, NULL);
		/* one that was broken off has to end first */
		if (wait_reply(vim, vim->current, err) != 0 ||
			ask(vim, vim->current, next_events, c->ref, max, err) != 0)
			return -1;
	}
	return wait_reply(vim, vim->current, err) != 0 ? -1
						       : finish(vim, vim->current, page, err);
}

int
vim_read_previous(struct vim *vim, const struct vim_collector *c, int max,
	struct normalize_page *page, struct err *err)
{
	vim_forget_page(vim, NULL);
	if (wait_reply(vim, vim->current, err) != 0 ||
		ask(vim, vim->current, previous_events, c->ref, max, err) != 0)
		return -1;
	return wait_reply(vim, vim->current, err) != 0 ? -1
						       : finish(vim, vim->current, page, err);
}

void
vim_read_ahead(struct vim *vim, const struct vim_collector *c, int max)
{
	struct page_read *p = &vim->page[vim->current == &vim->page[0]];
	struct err err;

	if (p->busy) /* one that was dropped is still on its way */
		return;
	if (ask(vim, p, next_events, c->ref, max, &err) == 0)
		vim->ahead = p;
}

void
vim_await_page(struct vim *vim)
{
	int64_t end = clock_monotonic_ms() + AWAIT_MS;
	struct err err;

	while (vim->ahead != NULL && vim->ahead->busy && !stop_requested() &&
		clock_monotonic_ms() < end && http_run(vim->http, 100, &err) == 0)
		;
}

bool
vim_receive(struct vim *vim)
{
	struct page_read *p = vim->ahead;
	struct err err;

	if (p == NULL)
		return false;
	if (p->busy && p->arrived.len == 0)
		http_run(vim->http, 0, &err);
	return parse(p, STEP);
}
