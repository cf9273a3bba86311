// SPDX-License-Identifier: Apache-2.0
/*
 * A processor under test: options from YAML, requests looked at, replies made up. No network.
 */
#ifndef VCOURIER_TEST_BACKEND_H
#define VCOURIER_TEST_BACKEND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "http.h"
#include "mem.h"
#include "processor.h"

struct backend {
	const struct processor *p;
	struct config *file;
	void *options, *self;
	struct http *http;
	struct http_request *req; /* the last one asked for */
	/* of replies; without a grace every answer is believed at once */
	struct refresh_time time;
	struct err err;
};

/* Opens the processor with the options in `yaml`; what is wrong with them goes to `why`. */
static inline int
backend_try(struct backend *b, const struct processor *p, const char *yaml, struct buf *why)
{
	char path[] = "/tmp/backend.XXXXXX";
	int fd = mkstemp(path), result;
	struct config_errors errors;

	*b = (struct backend){ .p = p, .options = mem_alloc(p->config_size) };
	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	config_errors_init(&errors);
	result = config_load(&b->file, path, &errors);
	unlink(path);
	if (result == 0)
		result = config_bind(
			config_root(b->file), p->fields, b->options, p->config_size, &errors);
	if (result != 0)
		buf_add_str(why, buf_str(&errors.text));
	config_errors_free(&errors);
	if (result == 0 && (result = p->open(&b->self, b->options, &b->err)) != 0)
		buf_add_str(why, b->err.text);
	if (result == 0)
		assert_int_equal(http_open(&b->http, &b->err), 0);
	return result;
}

static inline void
backend_close(struct backend *b)
{
	if (b->req != NULL)
		http_request_free(b->http, b->req);
	if (b->http != NULL)
		http_close(b->http);
	if (b->self != NULL)
		b->p->close(b->self);
	config_release(b->p->fields, b->options);
	free(b->options);
	config_free(b->file);
}

/* The processor refuses the options in `yaml`, and the reason contains `why`. */
static inline void
backend_refuses(const struct processor *p, const char *yaml, const char *why)
{
	struct backend b;
	struct buf text;

	buf_init(&text, 10000);
	assert_int_equal(backend_try(&b, p, yaml, &text), -1);
	if (strstr(buf_str(&text), why) == NULL)
		fail_msg("%s: %s", yaml, buf_str(&text));
	buf_free(&text);
	backend_close(&b);
}

static inline void
backend_open(struct backend *b, const struct processor *p, const char *yaml)
{
	struct buf why;

	buf_init(&why, 10000);
	if (backend_try(b, p, yaml, &why) != 0)
		fail_msg("%s", buf_str(&why));
	buf_free(&why);
}

static inline struct http_request *
backend_request(struct backend *b)
{
	if (b->req != NULL)
		http_request_free(b->http, b->req);
	b->req = http_request_new(b->http);
	return b->req;
}

/* A refresh's request of this step: b->req; what `request` returned. */
static inline int
backend_ask(struct backend *b, const char *refresh, unsigned step)
{
	for (const struct refresh *r = b->p->refreshes; r->name != NULL; r++)
		if (strcmp(r->name, refresh) == 0)
			return r->request(
				refresh_self(r, b->self), step, backend_request(b), &b->err);
	fail_msg("no refresh %s", refresh);
	return -1;
}

static inline enum refresh_result
backend_reply(
	struct backend *b, const char *refresh, unsigned step, int status, const char *body)
{
	struct http_response rsp = { .status = status,
		.body = body,
		.body_len = strlen(body),
		.headers = "",
		.retry_after_ms = -1 };

	if (status == 0) {
		rsp.error = ERR_CONNECT;
		err_set(&rsp.why, ERR_CONNECT, "%s", body);
	}
	b->err.code = ERR_NONE;
	for (const struct refresh *r = b->p->refreshes; r->name != NULL; r++)
		if (strcmp(r->name, refresh) == 0)
			return r->response(
				refresh_self(r, b->self), step, &rsp, &b->time, &b->err);
	fail_msg("no refresh %s", refresh);
	return REFRESH_FAILED;
}

static inline void
backend_encode(struct backend *b, const char *target, const struct event *ev)
{
	struct target t = { .name = (char *)target };

	if (b->p->encode(b->self, &(struct batch){ &t, &ev, 1 }, backend_request(b), &b->err) !=
		0)
		fail_msg("%s", b->err.text);
}

static inline void
backend_judge(struct backend *b, const char *target, int status, struct outcome *out)
{
	struct http_response rsp = { .status = status,
		.body = "because",
		.body_len = 7,
		.headers = "",
		.retry_after_ms = -1 };
	struct target t = { .name = (char *)target };

	*out = (struct outcome){ .retry_after_ms = -1 };
	if (status == 0) {
		rsp.error = ERR_CONNECT;
		err_set(&rsp.why, ERR_CONNECT, "no route");
	}
	b->p->judge(b->self, &t, &rsp, 1, out);
}

/* Reads an event; event_free frees it. */
static inline void
backend_event(struct event *ev, const char *json)
{
	struct err err;

	event_init(ev);
	if (event_parse(ev, json, strlen(json), &err) != 0)
		fail_msg("%s", err.text);
}

/*
 * Where an event goes: the targets' names, each behind a blank; "" when filtered, "?" when that
 * is not settled.
 */
static inline const char *
backend_route(struct backend *b, const struct event *ev)
{
	static char names[2048];
	struct targets targets = { .target = NULL };

	int routed = processor_route(b->p, b->self, ev, &targets, &b->err);

	assert_true(routed >= 0);
	snprintf(names, sizeof(names), "%s",
		targets.n == 0 && routed == ROUTE_UNSETTLED ? "?" : "");
	for (size_t i = 0; i < targets.n; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s",
			targets.target[i].name);
	targets_free(&targets);
	return names;
}

#endif
