// SPDX-License-Identifier: Apache-2.0
#include "http_internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "stop.h"
#include "text.h"

enum {
	RESPONSE_MAX = 64 * 1024,
	OWN_BODY_MAX = 64 * 1024 * 1024,
	CONNECTIONS_KEPT = 1024,
};

static CURLcode global_result;

static void
global_init(void)
{
	/* libcurl copies headers and bodies, with passwords in them, and wipes nothing */
	global_result = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, mem_wiping_free,
		mem_wiping_realloc, mem_strdup, calloc);
}

int
http_open(struct http **http, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h;

	pthread_once(&once, global_init);
	if (global_result != CURLE_OK)
		return err_set(
			err, ERR_SYSTEM, "libcurl: %s", curl_easy_strerror(global_result));
	h = mem_alloc(sizeof(*h));
	h->multi = curl_multi_init();
	if (h->multi == NULL) {
		free(h);
		return err_set(err, ERR_SYSTEM, "libcurl gave no multi handle");
	}
	http_tls_open(h);
	http_environment_read(&h->environment);
	if (http_loop_open(h, err) != 0) {
		http_close(h);
		return -1;
	}
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	*http = h;
	return 0;
}

/* ---- transfers */

static CURL *
new_handle(void)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		abort(); /* out of memory, libcurl's way */
	return easy;
}

static struct transfer *
transfer_new(struct http *http)
{
	struct transfer *t = mem_alloc(sizeof(*t));

	t->http = http;
	t->easy = new_handle();
	buf_init(&t->req.url, HTTP_URL_MAX);
	buf_init(&t->url_text, HTTP_URL_MAX);
	buf_init(&t->env_proxy_url, HTTP_URL_MAX);
	buf_init(&t->req.headers, HTTP_REQUEST_HEADERS_MAX);
	buf_init(&t->req.own_body, OWN_BODY_MAX);
	buf_init(&t->headers, HTTP_HEADERS_MAX);
	return t;
}

static void
transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	mem_wipe(t->req.headers.data, t->req.headers.len);
	buf_free(&t->req.url);
	buf_free(&t->req.headers);
	buf_free(&t->req.own_body);
	buf_free(&t->headers);
	buf_free(&t->body);
	buf_free(&t->url_text);
	buf_free(&t->env_proxy_url);
	curl_url_cleanup(t->url);
	http_proxy_free(&t->own_proxy);
	mem_free_secret(t->own_proxy_text);
	free(t->line);
	free(t);
}

static void
transfer_recycle(struct transfer *t)
{
	struct http_request *req = &t->req;

	mem_wipe(req->headers.data, req->headers.len); /* credentials */
	buf_clear(&req->url);
	buf_clear(&req->headers);
	buf_clear(&req->own_body);
	if (req->own_body.cap > RESPONSE_MAX) /* do not keep the memory of one huge event */
		buf_free(&req->own_body);
	if (t->body.cap > RESPONSE_MAX)
		buf_free(&t->body);
	*req = (struct http_request){
		.url = req->url, .headers = req->headers, .own_body = req->own_body
	};
	t->bad_header = t->keep = false;
	LIST_INSERT_HEAD(&t->http->idle, t, link);
}

static void
transfer_unlink(struct transfer *t)
{
	struct http *http = t->http;

	LIST_REMOVE(t, link);
	curl_multi_remove_handle(http->multi, t->easy);
	http->in_flight--;
}

static void
transfer_link(struct transfer *t)
{
	struct http *http = t->http;

	LIST_INSERT_HEAD(&http->active, t, link);
	http->in_flight++;
}

static void
release_kept(struct http *http)
{
	if (http->kept != NULL)
		transfer_recycle(http->kept);
	http->kept = NULL;
}

void
http_close(struct http *http)
{
	struct transfer *t;

	if (http == NULL)
		return;
	release_kept(http);
	while ((t = LIST_FIRST(&http->active)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list moves on */
		transfer_unlink(t);
		transfer_free(t);
	}
	while ((t = LIST_FIRST(&http->idle)) != NULL) {
		LIST_REMOVE(t, link);
		transfer_free(t);
	}
	curl_multi_cleanup(http->multi);
	http_loop_close(http);
	http_environment_free(&http->environment);
	free(http);
}

/* ---- requests */

struct http_request *
http_request_new(struct http *http)
{
	struct transfer *t = LIST_FIRST(&http->idle);

	if (t == NULL)
		t = transfer_new(http);
	else
		LIST_REMOVE(t, link);
	return &t->req;
}

void
http_request_free(struct http *http, struct http_request *req)
{
	(void)http;
	if (req != NULL)
		transfer_recycle((struct transfer *)req);
}

/*
 * The settings that never change. A handle that was used for TLS is reset first, because TLS
 * leaves other settings behind. A plain request's settings are all set again by the next one;
 * that is cheaper than a reset.
 */
static void
make_ready(struct transfer *t)
{
	bool plain = text_starts(buf_str(&t->req.url), "http:"), same = t->plain && plain;
	CURL *easy;

	if (t->spoiled) {
		curl_easy_cleanup(t->easy);
		t->easy = new_handle();
		t->spoiled = same = false;
	}
	t->plain = plain;
	if (same)
		return;
	easy = t->easy;
	curl_easy_reset(easy);
	buf_clear(&t->url_text);
	t->gzip = false;
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_reply_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_reply_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	http_request_prepare(easy);
	http_loop_prepare(t->http, easy);
}

int
http_submit(struct http *http, struct http_request *req, http_on_done *done, void *ctx,
	struct err *err)
{
	struct transfer *t = (struct transfer *)req;
	CURLMcode code;

	if (http->kept != t)
		release_kept(http);
	t->done = done;
	t->ctx = ctx;
	t->error[0] = '\0';
	t->header_bytes = 0;
	t->final = t->headers_cut = t->body_cut = t->wrong_thumbprint = false;
	t->chain_problem = NULL;
	t->body.max = req->response_max > 0 ? req->response_max : RESPONSE_MAX;
	buf_clear(&t->body);
	buf_clear(&t->headers);
	t->started_ms = clock_monotonic_ms();
	make_ready(t);
	if (http_request_setup(t, err) != 0 || http_proxy_setup(t, err) != 0 ||
		http_tls_setup(t, err) != 0)
		goto fail;
	code = curl_multi_add_handle(http->multi, t->easy);
	if (code != CURLM_OK) {
		err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
		goto fail;
	}
	transfer_link(t);
	return 0;
fail:
	transfer_recycle(t);
	return -1;
}

/* ---- the loop */

/* Calls the callback of each finished transfer; returns their number. */
static size_t
collect(struct http *http)
{
	CURLMsg *msg;
	size_t n = 0;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left)) != NULL) {
		CURLcode result = msg->data.result;
		struct http_response rsp;
		char *private = NULL;
		struct transfer *t;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		t = (struct transfer *)(void *)private;
		t->spoiled = t->req.once && result != CURLE_OK; /* a reset does not help */
		http_reply_finish(t, result, &rsp);
		transfer_unlink(t);
		t->done(t->ctx, &rsp);
		if (t->keep)
			http->kept = t;
		else
			transfer_recycle(t);
		n++;
	}
	return n;
}

int
http_run(struct http *http, int64_t timeout_ms, struct err *err)
{
	/* submitted requests start first; if one has failed already, do not wait */
	CURLMcode code = http_loop_timers(http);

	if (code == CURLM_OK)
		code = http_loop_turn(http, collect(http) > 0 ? 0 : timeout_ms);
	collect(http);
	if (code != CURLM_OK)
		return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
	return 0;
}

size_t
http_in_flight(const struct http *http)
{
	return http->in_flight;
}

struct waited {
	struct http_response *rsp;
	bool done;
};

static void
on_waited(void *ctx, const struct http_response *rsp)
{
	struct waited *w = ctx;

	*w->rsp = *rsp;
	w->done = true;
}

void
http_while_waiting(struct http *http, void (*fn)(void))
{
	http->waiting = fn;
}

int
http_perform(
	struct http *http, struct http_request *req, struct http_response *rsp, struct err *err)
{
	struct transfer *t = (struct transfer *)req;
	struct waited w = { .rsp = rsp };
	bool stopping = stop_requested();

	t->keep = true;
	if (http_submit(http, req, on_waited, &w, err) != 0)
		return -1;
	while (!w.done && (stopping || !stop_requested())) {
		if (http->waiting != NULL)
			http->waiting();
		if (http_run(http, 1000, err) != 0)
			break;
	}
	if (!w.done) {
		transfer_unlink(t);
		transfer_recycle(t);
		return !stopping && stop_requested() ? err_set(err, ERR_STOPPED, "stopped")
						     : -1;
	}
	if (rsp->error == ERR_NONE)
		return 0;
	if (err != NULL)
		*err = rsp->why;
	return -1;
}

const char *
http_seen_thumbprint(const struct http *http)
{
	return http->seen_thumbprint;
}
