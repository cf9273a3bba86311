// SPDX-License-Identifier: Apache-2.0
/*
 * Input: letters for the calls to make, a NUL byte, then the replies (fuzz_response) to all
 * requests. Whatever Horizon answers: a failure has a reason, a request is valid JSON with one
 * header on each line, an event becomes a valid CloudEvent on a valid subject whose identity
 * the stream's tail reads back, and the pass over a span of time goes on.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fuzz.h"
#include "horizon_api.h"
#include "horizon_left_out.h"
#include "horizon_window.h"
#include "json.h"
#include "stream_tail.h"

enum { CALLS_MAX = 20, DATA_MAX = 2000, LAST_MS = 7 };

/* ---- a Horizon in place of HTTP */

static struct fuzz_parts parts;
static struct http *http;

int __wrap_http_perform(
	struct http *h, struct http_request *req, struct http_response *rsp, struct err *err);

static void
check_request(const struct http_request *req)
{
	const char *p = req->body;

	assert(req->body == NULL ||
		(json_skip_value(&p, req->body + req->body_len) &&
			p == req->body + req->body_len));
	for (size_t i = 0; i < req->url.len; i++)
		assert(req->url.data[i] > ' ' && req->url.data[i] < 0x7f);
	for (size_t i = 0; i < req->headers.len; i++)
		assert(req->headers.data[i] == '\n' || req->headers.data[i] >= ' ' ||
			req->headers.data[i] < 0);
}

int
__wrap_http_perform(
	struct http *h, struct http_request *req, struct http_response *rsp, struct err *err)
{
	check_request(req);
	fuzz_response(&parts, rsp);
	if (req->on_body != NULL) {
		size_t half = rsp->body_len / 2;

		if (!req->on_body(req->on_body_ctx, rsp->body, half) ||
			!req->on_body(req->on_body_ctx, rsp->body + half, rsp->body_len - half))
			rsp->body_cut = true;
		rsp->body = "";
		rsp->body_len = 0;
	}
	http_request_free(h, req);
	if (rsp->error != ERR_NONE && err != NULL)
		*err = rsp->why;
	return rsp->error == ERR_NONE ? 0 : -1;
}

/* ---- events */

/* "ce.pod.<tokens>": none is empty, none has a wildcard or a blank. */
static void
check_subject(const char *subject)
{
	assert(strncmp(subject, "ce.pod.", 7) == 0);
	assert(strstr(subject, "..") == NULL && subject[strlen(subject) - 1] != '.');
	for (const char *s = subject; *s != '\0'; s++)
		assert(*s > ' ' && *s < 0x7f && *s != '*' && *s != '>');
}

static void
check_event(struct horizon_message *m, const struct horizon_event *e)
{
	static const struct horizon_origin origin = { "pod", "https://h", DATA_MAX };
	int64_t key, created_us;
	struct event ev;
	struct err err;
	char uuid[64];

	horizon_message_write(m, &origin, e);
	assert(buf_ok(&m->data) && buf_ok(&m->subject) && buf_ok(&m->msg_id));
	assert(m->data.len < DATA_MAX + HORIZON_OVERHEAD);
	check_subject(buf_str(&m->subject));
	assert(stream_tail_parse_id(buf_str(&m->msg_id), uuid, &key, &created_us));
	assert(strcmp(uuid, HORIZON_IDENTITY) == 0 && key == e->key);
	assert(seen_ms(created_us) == seen_ms(e->created_us));
	event_init(&ev);
	/* as dispatchers read it, and as strangers do: the same */
	assert(event_parse(&ev, m->data.data, m->data.len, &err) == 0);
	assert(*ev.id != '\0' && *ev.subject != '\0' && (*ev.time != '\0') == e->dated);
	assert(event_parse_untrusted(&ev, m->data.data, m->data.len, &err) == 0);
	event_free(&ev);
}

static void
check_page(const struct horizon_page *page)
{
	struct horizon_message m;

	horizon_message_init(&m);
	for (size_t i = 0; i < page->n; i++) {
		assert(i == 0 || page->event[i - 1].created_us <= page->event[i].created_us);
		check_event(&m, &page->event[i]);
	}
	horizon_message_free(&m);
}

/* ---- a pass */

struct reading {
	struct horizon_window window;
	struct horizon_left_out left_out;
	bool audit;
};

/* As the source does: it goes round what was left out, or asks whether there is more. */
static void
avoid_left_out(struct horizon_window *w, const struct horizon_left_out *l, bool audit)
{
	const struct horizon_left_out_time *t;

	while ((t = horizon_left_out_find(l, w->from_ms, w->to_ms)) != NULL) {
		if (audit && t->ms == w->from_ms) {
			horizon_window_probe(w, t->end_page);
			return;
		}
		if (!horizon_window_go_round(w, t->ms))
			return;
	}
}

static void
too_large(struct horizon_window *w, struct horizon_left_out *l)
{
	int64_t ms = w->from_ms;

	if (horizon_left_out_find(l, ms, ms) != NULL) {
		horizon_left_out_changed(l, ms);
		horizon_window_read(w);
	} else if (!horizon_window_shrink(w)) {
		horizon_left_out_add(l, ms);
		horizon_left_out_ended(l, ms, w->page);
	}
}

/* Whether the pass went on: not if a millisecond is read again that was known. */
static bool
take_page(struct horizon_window *w, struct horizon_left_out *l, size_t n, bool more)
{
	const struct horizon_window before = *w;

	if (n != 0 && w->to_ms == w->from_ms &&
		horizon_left_out_find(l, w->from_ms, w->from_ms) != NULL) {
		too_large(w, l);
		return false;
	}
	if (horizon_window_fits(w, n, more))
		horizon_window_next(w, n, more);
	else
		assert(w->to_ms < before.to_ms);
	return true;
}

static int
read_page(
	struct horizon_api *api, struct reading *r, struct horizon_page *page, struct err *err)
{
	struct horizon_window *w = &r->window, before;
	struct horizon_query query;
	bool more = false;

	avoid_left_out(w, &r->left_out, r->audit);
	before = *w;
	assert(w->from_ms >= 0 && w->to_ms >= w->from_ms && w->to_ms <= w->end_ms);
	query = (struct horizon_query){ w->from_ms, w->to_ms, w->page, w->size };
	if (horizon_api_read(api, &query, page, &more, err) != 0) {
		if (err->code == ERR_LIMIT)
			too_large(w, &r->left_out);
		return -1;
	}
	check_page(page);
	if (!take_page(w, &r->left_out, page->n, more))
		assert(w->page == 1);
	assert(w->from_ms >= before.from_ms && w->to_ms <= w->end_ms);
	assert(!w->open || w->to_ms >= w->from_ms);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char secret[] = "p\"\\\x01";
	static char address[] = "https://h.example.com/", domain[] = "d\n", user[] = "u\xff";
	const struct horizon_options options = { .address = address,
		.domain = domain,
		.user = user,
		.password = { .value = secret },
		.timeout_ms = 1000,
		.page_max_bytes = 4096 };
	struct reading r = { .audit = false };
	struct horizon_page page;
	struct horizon_api *api;
	const char *calls;
	struct err err;
	bool fresh;

	if (http == NULL && http_open(&http, &err) != 0)
		abort();
	fuzz_parts_init(&parts, data, size);
	horizon_page_init(&page);
	horizon_api_open(&api, http, &options);
	calls = fuzz_part(&parts);
	for (int i = 0; i < CALLS_MAX && calls[i] != '\0'; i++) {
		int failed;

		err = (struct err){ .code = ERR_NONE };
		r.audit = calls[i] == 'a';
		if (!r.window.open) {
			horizon_window_begin(&r.window, 0, LAST_MS, 3);
			horizon_left_out_begin(&r.left_out);
		}
		if (calls[i] == 'o')
			horizon_api_logout(api);
		failed = horizon_api_has_session(api) ? read_page(api, &r, &page, &err)
						      : horizon_api_connect(api, &fresh, &err);
		assert(!failed || (err.code != ERR_NONE && err.text[0] != '\0'));
	}
	horizon_api_close(api);
	horizon_page_free(&page);
	fuzz_parts_free(&parts);
	return 0;
}
