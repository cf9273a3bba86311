// SPDX-License-Identifier: Apache-2.0
/*
 * What the processor must re-read now and then, driven for it: request, HTTP, response, until
 * it is done.
 */
#include "dispatch.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "status.h"

enum {
	RETRY_INITIAL_MS = 1000,
	RETRY_MAX_MS = 30 * 1000,
	WAIT_MS = 100,        /* looks at a helper program */
	WANTED_MIN_MS = 1000, /* between runs that a failed delivery asked for */
};

int
refresh_add(struct dispatcher *d, const struct refresh *refreshes, void *self, struct err *err)
{
	for (; refreshes != NULL && refreshes->name != NULL; refreshes++) {
		if (d->n_refreshing == REFRESHES_MAX)
			return err_set(err, ERR_LIMIT, "more than %d refreshes", REFRESHES_MAX);
		d->refreshing[d->n_refreshing++] = (struct refreshing){ .def = refreshes,
			.self = self };
	}
	return 0;
}

bool
refresh_ready(const struct dispatcher *d)
{
	for (size_t i = 0; i < d->n_refreshing; i++)
		if (d->refreshing[i].def->required && !d->refreshing[i].done_once)
			return false;
	return true;
}

void
refresh_want(struct dispatcher *d)
{
	int64_t now_ms = clock_monotonic_ms();

	for (size_t i = 0; i < d->n_refreshing; i++) {
		struct refreshing *r = &d->refreshing[i];

		if (!r->running && !r->failed && !r->wanted &&
			r->due_ms > now_ms + WANTED_MIN_MS) {
			r->wanted = true;
			r->due_ms = now_ms + WANTED_MIN_MS;
		}
	}
}

static void
succeeded(struct dispatcher *d, size_t i, const struct err *warning, int64_t now_ms)
{
	const struct refresh *def = d->refreshing[i].def;
	struct refreshing *r = &d->refreshing[i];
	int64_t interval = def->interval_ms(r->self);

	if (r->failed)
		log_info("refresh works again", L_STR("refresh", def->name));
	r->running = r->failed = r->wanted = false;
	r->done_once = true;
	r->done_ms = now_ms;
	r->due_ms = interval > 0 ? now_ms + interval : INT64_MAX;
	backoff_reset(&r->backoff);
	if (warning->code != ERR_NONE && strcmp(warning->text, r->trouble.text) != 0)
		log_warn("refreshed, but", L_STR("refresh", def->name),
			L_STR("warning", warning->text));
	r->trouble = *warning;
	status_check(def->name, true, warning->code != ERR_NONE ? warning->text : "");
}

/* What was read last goes on being used. */
static void
failed(struct dispatcher *d, size_t i, const struct err *err, int64_t now_ms)
{
	const struct refresh *def = d->refreshing[i].def;
	struct refreshing *r = &d->refreshing[i];

	if (!r->failed)
		log_error("refresh failed", L_STR("refresh", def->name), L_ERR(err));
	r->running = r->wanted = false;
	r->failed = true;
	r->trouble = *err;
	r->due_ms = now_ms + RETRY_INITIAL_MS / 2 + backoff_next(&r->backoff);
	status_check(def->name, false, err->text);
}

/* The answer may not be true yet: neither a success nor a failure. */
static void
doubted(struct dispatcher *d, size_t i, const struct err *err, int64_t now_ms)
{
	const struct refresh *def = d->refreshing[i].def;
	struct refreshing *r = &d->refreshing[i];

	if (strcmp(err->text, r->trouble.text) != 0)
		log_warn("refreshed, but not believed yet", L_STR("refresh", def->name),
			L_STR("warning", err->text));
	r->running = r->failed = r->wanted = false;
	r->due_ms = now_ms + def->interval_ms(r->self);
	backoff_reset(&r->backoff);
	r->trouble = *err;
	status_check(def->name, false, err->text);
}

static void step(struct dispatcher *d, size_t i, int64_t now_ms);

static void
on_done(void *ctx, const struct http_response *rsp)
{
	struct refreshing *r = ctx;
	struct dispatcher *d = r->d;
	size_t i = (size_t)(r - d->refreshing);
	struct err err = { .code = ERR_NONE, .text = "" };
	int64_t now_ms = clock_monotonic_ms();
	struct refresh_time time = { .now_ms = now_ms,
		.empty_grace_ms = d->options->empty_grace_ms };

	switch (r->def->response(r->self, r->step, rsp, &time, &err)) {
	case REFRESH_DONE:
		succeeded(d, i, &err, now_ms);
		break;
	case REFRESH_MORE:
		r->step++;
		step(d, i, now_ms);
		break;
	case REFRESH_FAILED:
		failed(d, i, &err, now_ms);
		break;
	case REFRESH_UNCONFIRMED:
		doubted(d, i, &err, now_ms);
		break;
	}
}

static void
step(struct dispatcher *d, size_t i, int64_t now_ms)
{
	struct refreshing *r = &d->refreshing[i];
	struct http_request *req = http_request_new(d->http);
	struct err err = { .code = ERR_NONE, .text = "" };
	int answer = r->def->request(r->self, r->step, req, &err);

	if (answer == 0) {
		if (http_submit(d->http, req, on_done, r, &err) != 0)
			failed(d, i, &err, now_ms);
		return;
	}
	http_request_free(d->http, req);
	r->waiting = answer == 2;
	if (r->waiting)
		r->due_ms = now_ms + WAIT_MS;
	else if (answer > 0)
		succeeded(d, i, &err, now_ms);
	else
		failed(d, i, &err, now_ms);
}

void
refresh_turn(struct dispatcher *d, int64_t now_ms)
{
	for (size_t i = 0; i < d->n_refreshing; i++) {
		struct refreshing *r = &d->refreshing[i];

		if (r->done_once)
			dispatcher_metrics_refresh_age(
				&d->metrics, r->def->name, now_ms - r->done_ms);
		if ((r->running && !r->waiting) || r->due_ms > now_ms)
			continue;
		if (r->d == NULL)
			backoff_init(&r->backoff, RETRY_INITIAL_MS, RETRY_MAX_MS,
				(uint64_t)now_ms + i);
		r->d = d;
		if (!r->waiting)
			r->step = 0;
		r->running = true;
		step(d, i, now_ms);
	}
}
