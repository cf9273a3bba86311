// SPDX-License-Identifier: Apache-2.0
/*
 * One page of events. Its reply is parsed while it arrives. vim_read.c prepares the request;
 * this file has no session and no collector.
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
 * Sends the request and discards the previous page. Takes over req; req->body is copied. Do not
 * submit a page whose reply is still arriving: call vim_page_wait first.
 */
int vim_page_submit(
	struct vim_page *p, struct http *http, struct http_request *req, struct err *err);
/*
 * Frees the memory that the last page took; its content is gone. No-op while a reply arrives.
 */
void vim_page_release(struct vim_page *p);
/*
 * Gives `to`, which is submitted next, the memory in which `from` has received its reply. The
 * page of `from` stays valid. No-op while one of them is busy, or without a page.
 */
void vim_page_pass_on(struct vim_page *from, struct vim_page *to);
bool vim_page_is_busy(const struct vim_page *p); /* the reply is not complete */

/*
 * Parses the reply until it is complete. -1: it is not complete: ERR_TIMEOUT after max_ms,
 * ERR_STOPPED, or the error of http_run.
 */
int vim_page_wait(struct vim_page *p, struct http *http, int64_t max_ms, struct err *err);

/* Parses a part of the reply, for less than a millisecond. False: nothing has arrived. */
bool vim_page_receive(struct vim_page *p, struct http *http);

/* Discards the page: the rest of its reply is not received. */
void vim_page_drop(struct vim_page *p);

/*
 * For use after vim_page_wait, also repeatedly. *status: the HTTP status; 0: no reply. Returns
 * 0: *page is filled in and valid until the next vim_page_submit. -1: there is no reply, or it
 * is not a page.
 */
int vim_page_end(struct vim_page *p, struct normalize_page *page, int *status, struct err *err);

/* After vim_page_end has failed: whether the reply began as a page of events. */
bool vim_page_is_events(const struct vim_page *p);
/* The same, once: see normalizer_end_partial. */
bool vim_page_end_partial(struct vim_page *p, struct normalize_page *page);

#endif
