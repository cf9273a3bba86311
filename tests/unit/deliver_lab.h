// SPDX-License-Identifier: Apache-2.0
/*
 * Deliveries to a destination that a test plays: it sees each request and says when and how it
 * is answered. deliver.c is the product, http_submit is replaced (Makefile).
 */
#ifndef VCOURIER_TEST_DELIVER_LAB_H
#define VCOURIER_TEST_DELIVER_LAB_H

#include "settle_lab.h"

#include "deliver.h"

enum { REQUESTS_MAX = 64, STEP_MS = 10 };

/* ---- the destination: requests that are under way, and replies to them */

struct sent {
	struct http_request *req; /* to "http://<target>/<event>,<event>..." */
	http_on_done *done;
	void *ctx;
};

static struct {
	struct http *http;
	struct accept *accept;
	struct deliver *deliver;
	struct processor processor;
	struct sent sent[REQUESTS_MAX];
	size_t n;         /* under way */
	unsigned total;   /* since the start */
	const char *gone; /* a target that was removed */
	enum err_code
		unusable; /* encode fails so for the event 13, or for each if it is ERR_AUTH */
} world;

static inline int
route(void *self, const struct event *ev, struct targets *targets, struct err *err)
{
	(void)self;
	(void)ev;
	(void)err;
	if (world.gone == NULL)
		targets_add(targets, "a");
	targets_add(targets, "b");
	return 0;
}

static inline int
encode(void *self, const struct batch *batch, struct http_request *req, struct err *err)
{
	(void)self;
	buf_printf(&req->url, "http://%s/", batch->target->name);
	for (size_t i = 0; i < batch->n; i++) {
		buf_printf(&req->url, "%s%s", i > 0 ? "," : "", batch->event[i]->id);
		if (world.unusable == ERR_AUTH ||
			(world.unusable != ERR_NONE && strcmp(batch->event[i]->id, "13") == 0))
			return err_set(err, world.unusable, "no request");
	}
	return 0;
}

/* One reply for all; a batch that is too large is to be split. */
static inline void
judge(void *self, const struct target *target, const struct http_response *rsp, size_t n,
	struct outcome *out)
{
	(void)self;
	(void)target;
	for (size_t i = 0; i < n; i++) {
		http_outcome(rsp, &out[i]);
		if (n > 1 && rsp->status == 413) {
			out[i].verdict = VERDICT_RETRY;
			out[i].split = true;
		}
		out[i].refresh = rsp->status == 404;
	}
}

int __wrap_http_submit(struct http *http, struct http_request *req, http_on_done *done,
	void *ctx, struct err *err);

int
__wrap_http_submit(struct http *http, struct http_request *req, http_on_done *done, void *ctx,
	struct err *err)
{
	(void)http;
	(void)err;
	assert_true(world.n < REQUESTS_MAX);
	world.sent[world.n++] = (struct sent){ req, done, ctx };
	assert_true(++world.total < 100 * 1000); /* a test that does not end fails */
	return 0;
}

static inline int
open_world(void **state)
{
	static const struct event_streams no_streams;
	struct accept_config accept = { .streams = &no_streams };
	struct deliver_config deliver = { .processor = &world.processor };
	struct err err;

	lab_open(state);
	lab.options.ack_wait_ms = 100 * HOUR; /* settle_progress is not called */
	memset(&world, 0, sizeof(world));
	world.processor = (struct processor){
		.batch_max = 1, .route = route, .encode = encode, .judge = judge
	};
	assert_int_equal(http_open(&world.http, &err), 0);
	accept.jobs = deliver.jobs = &lab.jobs;
	accept.settle = deliver.settle = lab.settle;
	accept.options = deliver.options = &lab.options;
	accept.processor = &world.processor;
	assert_int_equal(accept_open(&world.accept, &accept, &err), 0);
	deliver.http = world.http;
	deliver.accept = world.accept;
	deliver.metrics = &lab.metrics;
	world.deliver = deliver_open(&deliver);
	return 0;
}

static inline void
reply_with(size_t i, const struct http_response *rsp)
{
	struct sent sent = world.sent[i];

	world.n--;
	for (; i < world.n; i++)
		world.sent[i] = world.sent[i + 1];
	sent.done(sent.ctx, rsp);
	http_request_free(world.http, sent.req);
}

/* Answers the i-th of the requests under way. Status 0: there is no connection. */
static inline void
reply(size_t i, int status)
{
	struct http_response rsp = { .error = status == 0 ? ERR_CONNECT : ERR_NONE,
		.why = { .code = status == 0 ? ERR_CONNECT : ERR_NONE },
		.status = status,
		.body = "",
		.headers = "",
		.retry_after_ms = -1 };

	reply_with(i, &rsp);
}

static inline int
close_world(void **state)
{
	while (world.n > 0)
		reply(0, 503);
	deliver_close(world.deliver);
	accept_close(world.accept);
	http_close(world.http);
	return lab_close(state);
}

static inline const char *
url(size_t i)
{
	assert_true(i < world.n);
	return buf_str(&world.sent[i].req->url);
}

static inline void
turn(void)
{
	deliver_turn(world.deliver, lab.now_ms);
}

/* Waits for a request, so long at most; how long it took, or -1. */
static inline int64_t
wait_for_request(int64_t most_ms)
{
	int64_t begin_ms = lab.now_ms;

	for (turn(); world.n == 0; turn()) {
		if (lab.now_ms - begin_ms >= most_ms)
			return -1;
		lab.now_ms += STEP_MS;
	}
	return lab.now_ms - begin_ms;
}

static inline void
add_events(uint64_t first, uint64_t last, const char *targets)
{
	for (uint64_t seq = first; seq <= last; seq++)
		lab_job(seq, targets);
}

/* Replies to all that is under way, and to what follows at once. */
static inline void
reply_to_all(int status)
{
	for (turn(); world.n > 0; turn())
		reply(0, status);
}

#endif
