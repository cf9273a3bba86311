// SPDX-License-Identifier: Apache-2.0
/*
 * One page of events: its reply is parsed as it arrives. A page knows no session and no
 * collector; the request is prepared by vim_read.c.
 */
#ifndef VCOURIER_VIM_PAGE_H
#define VCOURIER_VIM_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "http.h"
#include "normalize.h"

struct vim_page;

/* limits may be NULL: see normalizer_open. */
struct vim_page *vim_page_open(const struct normalize_limits *limits);
void vim_page_close(struct vim_page *p);                         /* NULL is fine */
void vim_page_limit_event(struct vim_page *p, size_t event_max); /* normalizer_limit_event */

/*
 * Sends the request and forgets the page read before. Takes req; req->body is copied. A page
 * whose reply is still arriving must not be submitted: wait for it first.
 */
int vim_page_submit(
	struct vim_page *p, struct http *http, struct http_request *req, struct err *err);
bool vim_page_is_busy(const struct vim_page *p); /* the reply is not complete */

/*
 * Waits until the reply is complete, and parses meanwhile. -1: it is not complete: ERR_TIMEOUT
 * after max_ms, ERR_STOPPED, or what http_run says.
 */
int vim_page_wait(struct vim_page *p, struct http *http, int64_t max_ms, struct err *err);

/* Parses a bounded part of what has arrived, below a millisecond's work; false: nothing. */
bool vim_page_receive(struct vim_page *p, struct http *http);

/* The page is not wanted any more: the rest of its reply is refused. */
void vim_page_drop(struct vim_page *p);

/*
 * After vim_page_wait, once or more. *status: the HTTP status of the reply, 0 when none came.
 * 0: *page is filled in, valid until the next vim_page_submit. -1: no reply, or it is no page.
 */
int vim_page_end(struct vim_page *p, struct normalize_page *page, int *status, struct err *err);

/* After vim_page_end has failed: whether the reply began as a page of events. */
bool vim_page_is_events(const struct vim_page *p);
/* The same, once: see normalizer_end_partial. */
bool vim_page_end_partial(struct vim_page *p, struct normalize_page *page);

#endif
