// SPDX-License-Identifier: Apache-2.0
#include "vim_page.h"

#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "status.h"
#include "stop.h"

enum {
	STEP = 16 * 1024,         /* about ten events, which take 0.1 ms */
	ARRIVED_MAX = 512 * 1024, /* bytes that may wait; more are parsed at once */
};

struct vim_page {
	struct normalizer *normalizer;
	struct buf arrived;      /* received bytes of the reply */
	size_t parsed;           /* how many bytes of `arrived` were parsed */
	size_t received;         /* bytes of the whole reply */
	bool busy;               /* the reply is not complete */
	bool dropped;            /* the rest of the reply is discarded */
	int status;              /* of the reply; 0: there was no reply */
	struct err why, refused; /* why there was no reply, or why the normalizer refused it */
	bool ended;              /* vim_page_end has been called */
	struct normalize_page page;
	struct err failed; /* the error of vim_page_end. ERR_NONE: `page` is valid */
};

struct vim_page *
vim_page_open(const struct normalize_limits *limits)
{
	struct vim_page *p = mem_alloc(sizeof(*p));

	normalizer_open(&p->normalizer, limits);
	buf_init(&p->arrived, ARRIVED_MAX);
	return p;
}

void
vim_page_close(struct vim_page *p)
{
	if (p == NULL)
		return;
	normalizer_close(p->normalizer);
	buf_free(&p->arrived);
	free(p);
}

void
vim_page_limit_event(struct vim_page *p, size_t event_max)
{
	normalizer_limit_event(p->normalizer, event_max);
}

bool
vim_page_is_busy(const struct vim_page *p)
{
	return p->busy;
}

/* Passes at most max of the arrived bytes to the normalizer. False: there are none. */
static bool
parse(struct vim_page *p, size_t max)
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
	struct vim_page *p = ctx;

	if (len > ARRIVED_MAX - p->arrived.len)
		parse(p, SIZE_MAX);
	if (p->dropped || p->refused.code != ERR_NONE)
		return false;
	buf_add(&p->arrived, data, len);
	p->received += len;
	return buf_ok(&p->arrived);
}

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct vim_page *p = ctx;

	p->busy = false;
	p->status = rsp->error == ERR_NONE ? rsp->status : 0;
	p->why = rsp->why;
}

int
vim_page_submit(
	struct vim_page *p, struct http *http, struct http_request *req, struct err *err)
{
	/* a copy, because the caller may build other requests before this one is sent */
	buf_add(&req->own_body, req->body, req->body_len);
	req->body = req->own_body.data;
	req->once = true; /* a repeated request would move the collector twice */
	req->on_body = on_body;
	req->on_body_ctx = p;
	p->dropped = p->ended = false;
	p->refused.code = ERR_NONE;
	buf_reuse(&p->arrived, p->received);
	p->parsed = p->received = 0;
	normalizer_begin(p->normalizer);
	p->busy = http_submit(http, req, on_done, p, err) == 0;
	return p->busy ? 0 : -1;
}

void
vim_page_release(struct vim_page *p)
{
	if (p->busy)
		return;
	buf_free(&p->arrived);
	p->parsed = 0;
	normalizer_release(p->normalizer);
}

void
vim_page_pass_on(struct vim_page *from, struct vim_page *to)
{
	if (from->busy || to->busy || !from->ended || from->failed.code != ERR_NONE)
		return;
	buf_move(&to->arrived, &from->arrived);
	to->parsed = 0;
	to->received = from->received;
	normalizer_pass_on(from->normalizer, to->normalizer);
}

int
vim_page_wait(struct vim_page *p, struct http *http, int64_t max_ms, struct err *err)
{
	int64_t now = clock_monotonic_ms(),
		end = max_ms < INT64_MAX - now ? now + max_ms : INT64_MAX;

	for (;;) {
		parse(p, SIZE_MAX);
		if (!p->busy)
			return 0;
		if (stop_requested())
			return err_set(err, ERR_STOPPED, "asked to stop");
		if (now >= end)
			return err_set(err, ERR_TIMEOUT, "no reply yet");
		status_beat(); /* a page may take `timeout` to arrive */
		if (http_run(http, end - now < 1000 ? end - now : 1000, err) != 0)
			return -1;
		now = clock_monotonic_ms();
	}
}

bool
vim_page_receive(struct vim_page *p, struct http *http)
{
	struct err err;

	if (p->busy && p->arrived.len == 0)
		http_run(http, 0, &err);
	return parse(p, STEP);
}

void
vim_page_drop(struct vim_page *p)
{
	p->dropped = true;
}

int
vim_page_end(struct vim_page *p, struct normalize_page *page, int *status, struct err *err)
{
	if (!p->ended) {
		p->failed.code = ERR_NONE;
		normalizer_end(p->normalizer, &p->page, &p->failed);
		if (p->status == 0)
			p->failed = p->refused.code != ERR_NONE ? p->refused : p->why;
		p->ended = true;
	}
	*status = p->status;
	if (p->failed.code != ERR_NONE) {
		*err = p->failed;
		return -1;
	}
	*page = p->page;
	return 0;
}

bool
vim_page_is_events(const struct vim_page *p)
{
	return normalizer_has_begun(p->normalizer);
}

bool
vim_page_end_partial(struct vim_page *p, struct normalize_page *page)
{
	return normalizer_end_partial(p->normalizer, page);
}
