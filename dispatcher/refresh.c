// SPDX-License-Identifier: Apache-2.0
#include "refresh.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "status.h"

enum {
	RETRY_INITIAL_MS = 1000,
	RETRY_MAX_MS = 30 * 1000,
	WAIT_MS = 100,        /* between checks of a helper program */
	WANTED_MIN_MS = 1000, /* between runs that failed deliveries requested */
};

struct refreshing {
	const struct refresh *def;
	void *self; /* what the functions of def are called with */
	struct refresher *refresher;
	bool done_once, running, wanted, failed;
	bool waiting; /* running, for a helper program: asked again when due */
	unsigned step;
	int64_t due_ms, done_ms;
	struct backoff backoff;
	struct err trouble; /* why it failed, or its warning; ERR_NONE: neither */
};

struct refresher {
	struct refresher_config config;
	struct refreshing refreshing[REFRESHES_MAX];
	size_t n;
};

struct refresher *
refresh_open(const struct refresher_config *config)
{
	struct refresher *refresher = mem_alloc(sizeof(*refresher));

	refresher->config = *config;
	return refresher;
}

void
refresh_close(struct refresher *refresher)
{
	free(refresher);
}

int
refresh_add(struct refresher *refresher, const struct refresh *refreshes, void *self,
	struct err *err)
{
	for (; refreshes != NULL && refreshes->name != NULL; refreshes++) {
		struct refreshing *r = &refresher->refreshing[refresher->n];

		if (refresher->n == REFRESHES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d refreshes", REFRESHES_MAX);
		*r = (struct refreshing){ .def = refreshes,
			.self = refresh_self(refreshes, self),
			.refresher = refresher };
		backoff_init(&r->backoff, RETRY_INITIAL_MS, RETRY_MAX_MS,
			(uint64_t)clock_monotonic_ms() + refresher->n);
		refresher->n++;
		/* Nothing is delivered before, so the dispatcher is not ready either. */
		if (refreshes->required)
			status_check(refreshes->name, false, "not read yet");
	}
	return 0;
}

bool
refresh_ready(const struct refresher *refresher)
{
	for (size_t i = 0; i < refresher->n; i++)
		if (refresher->refreshing[i].def->required &&
			!refresher->refreshing[i].done_once)
			return false;
	return true;
}

void
refresh_want(struct refresher *refresher)
{
	int64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < refresher->n; i++) {
		struct refreshing *r = &refresher->refreshing[i];

		if (!r->running && !r->failed && !r->wanted &&
			r->due_ms > now_ms + WANTED_MIN_MS) {
			r->wanted = true;
			r->due_ms = now_ms + WANTED_MIN_MS;
		}
	}
}

static void
succeeded(struct refreshing *r, const struct err *warning, int64_t now_ms)
{
	const struct refresh *def = r->def;
	int64_t interval = def->interval_ms(r->self);

	status_check(def->name, true, warning->code != ERR_NONE ? warning->text : "");
	if (r->failed)
		log_info("refresh works again", L_STR("refresh", def->name));
	r->running = r->failed = r->wanted = false;
	r->done_once = true;
	r->done_ms = now_ms;
	r->due_ms = interval > 0 ? now_ms + interval : INT64_MAX;
	backoff_reset(&r->backoff);
	if (warning->code != ERR_NONE && strcmp(warning->text, r->trouble.text) != 0)
		log_warn("refresh succeeded with a warning", L_STR("refresh", def->name),
			L_STR("warning", warning->text));
	r->trouble = *warning;
}

/* What was read before stays in use. */
static void
failed(struct refreshing *r, const struct err *err, int64_t now_ms)
{
	const struct refresh *def = r->def;

	status_check(def->name, false, err->text);
	if (!r->failed)
		log_error("refresh failed", L_STR("refresh", def->name), L_ERR(err));
	r->running = r->wanted = false;
	r->failed = true;
	r->trouble = *err;
	r->due_ms = now_ms + RETRY_INITIAL_MS / 2 + backoff_next(&r->backoff);
}

/* The answer may not be true yet. This is neither a success nor a failure. */
static void
doubted(struct refreshing *r, const struct err *err, int64_t now_ms)
{
	const struct refresh *def = r->def;

	status_check(def->name, false, err->text);
	if (strcmp(err->text, r->trouble.text) != 0)
		log_warn("refresh not believed yet", L_STR("refresh", def->name),
			L_STR("warning", err->text));
	r->running = r->failed = r->wanted = false;
	r->due_ms = now_ms + def->interval_ms(r->self);
	backoff_reset(&r->backoff);
	r->trouble = *err;
}

static void step(struct refreshing *r, int64_t now_ms);

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct refreshing *r = ctx;
	struct err err = { .code = ERR_NONE, .text = "" };
	int64_t now_ms = clock_monotonic_ms();
	struct refresh_time time = { .now_ms = now_ms,
		.empty_grace_ms = r->refresher->config.empty_grace_ms };

	switch (r->def->response(r->self, r->step, rsp, &time, &err)) {
	case REFRESH_DONE:
		succeeded(r, &err, now_ms);
		break;
	case REFRESH_MORE:
		r->step++;
		step(r, now_ms);
		break;
	case REFRESH_FAILED:
		failed(r, &err, now_ms);
		break;
	case REFRESH_UNCONFIRMED:
		doubted(r, &err, now_ms);
		break;
	}
}

static void
step(struct refreshing *r, int64_t now_ms)
{
	struct http *http = r->refresher->config.http;
	struct http_request *req = http_request_new(http);
	struct err err = { .code = ERR_NONE, .text = "" };
	enum refresh_step answer = r->def->request(r->self, r->step, req, &err);

	if (answer == REFRESH_SEND) {
		if (http_submit(http, req, on_done, r, &err) != 0)
			failed(r, &err, now_ms);
		return;
	}
	http_request_free(http, req);
	r->waiting = answer == REFRESH_WAIT;
	if (answer == REFRESH_FILES)
		on_done(r, NULL);
	else if (r->waiting)
		r->due_ms = now_ms + WAIT_MS;
	else if (answer == REFRESH_NOTHING)
		succeeded(r, &err, now_ms);
	else
		failed(r, &err, now_ms);
}

void
refresh_turn(struct refresher *refresher, int64_t now_ms)
{
	for (size_t i = 0; i < refresher->n; i++) {
		struct refreshing *r = &refresher->refreshing[i];

		if (r->done_once)
			dispatcher_metrics_refresh_age(
				refresher->config.metrics, r->def->name, now_ms - r->done_ms);
		if ((r->running && !r->waiting) || r->due_ms > now_ms)
			continue;
		if (!r->waiting)
			r->step = 0;
		r->running = true;
		step(r, now_ms);
	}
}

void
refresh_each_trouble(const struct refresher *refresher, refresh_trouble_fn *fn, void *ctx)
{
	for (size_t i = 0; i < refresher->n; i++) {
		const struct refreshing *r = &refresher->refreshing[i];

		if (r->trouble.code != ERR_NONE)
			fn(ctx, r->def->name, r->trouble.text);
	}
}
