// SPDX-License-Identifier: Apache-2.0
#include "connect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bus.h"
#include "certificate.h"
#include "checklist.h"
#include "connect_source.h"
#include "event.h"
#include "exit_status.h"
#include "http.h"
#include "jetstream.h"
#include "session_open.h"
#include "stop.h"
#include "storage_check.h"
#include "subject.h"

enum {
	STEPS_MAX = 100,
	LOOK_MS = 100,
	LOOKS_MAX = 600,
};

/* The list, and what this file needs of the deployment. */
struct connect {
	struct checklist list;
	const struct deployment *deployment;
	/* of the last request to a backend */
	struct buf url;
	const struct http_peer *peer;
};

/* ---- NATS */

/* True: the stream does not exist yet. */
static bool
check_stream(struct connect *c, struct bus *bus, const struct router_entry *provider)
{
	bool missing = false;
	struct stream_info info;
	struct buf stream;
	char what[160];
	struct err err;

	buf_init(&stream, 256);
	if (router_entry_is_vcenter(provider))
		subject_stream(&stream, provider->name);
	else
		subject_stream_source(&stream, provider->name);
	checklist_label(what, "stream", buf_str(&stream));
	if (jetstream_stream_look(bus, buf_str(&stream), &info, &err) == 0)
		checklist_say(
			&c->list, true, what, "%llu events", (unsigned long long)info.messages);
	else if ((missing = err.code == ERR_NOT_FOUND))
		checklist_say(
			&c->list, true, what, "does not exist yet, the collector creates it");
	else
		checklist_fail(&c->list, what, &err);
	buf_free(&stream);
	return missing;
}

static void
check_storage(struct connect *c, struct bus *bus, size_t missing)
{
	struct buf found;
	bool fits;

	buf_init(&found, 1024);
	fits = storage_check(bus, &c->deployment->config.top.bus, missing, &found);
	if (found.len != 0)
		checklist_say(&c->list, fits, "storage", "%s", buf_str(&found));
	buf_free(&found);
}

static void
check_nats(struct connect *c)
{
	const struct router_config *config = &c->deployment->config;
	struct bus_options options;
	struct bus *bus = NULL;
	struct buf texts;
	size_t i, missing = 0;
	struct err err;

	buf_init(&texts, 1024);
	bus_config_options(&config->top.bus, "cli", NULL, &texts, &options);
	if (bus_open(&bus, &options, &err) != 0 ||
		session_wait_connected(bus, options.credentials_file != NULL, &err) != 0) {
		if (err.code == ERR_AUTH)
			err_wrap(&err, "%s%s",
				options.user != NULL ? "user " : "no user is given",
				options.user != NULL ? options.user : "");
		checklist_fail(&c->list, "NATS", &err);
	} else {
		checklist_say(&c->list, true, "NATS", "connected to %s", options.urls[0]);
		for (i = 0; i < config->providers.n; i++)
			missing += check_stream(c, bus, &config->providers.entry[i]);
		check_storage(c, bus, missing);
	}
	bus_close(bus);
	buf_free(&texts);
}

/* ---- backends */

static int
perform(struct connect *c, struct http_request *req, struct http_response *rsp, struct err *err)
{
	buf_clear(&c->url);
	buf_add_str(&c->url, buf_str(&req->url));
	c->peer = req->peer;
	return http_perform(c->list.http, req, rsp, err);
}

/* After a request to the backend has failed. */
static void
fail_backend(
	struct connect *c, const struct processor *p, const char *what, const struct err *err)
{
	static const struct http_peer anyone;
	char block[80];

	checklist_fail(&c->list, what, err);
	snprintf(block, sizeof(block), "eventProcessor.%s", p->block);
	if (err->code == ERR_TLS && c->url.len != 0)
		certificate_print(c->list.http, buf_str(&c->url),
			c->peer != NULL ? c->peer : &anyone,
			&(struct certificate_place){ block, false });
}

/*
 * Runs one refresh to its end. 1: it sent requests and succeeded (err is a warning, if its code
 * is set), 0: nothing to send, -1: failed. looks: how often a refresh that waits for a helper
 * program is called again.
 */
static int
run_refresh(struct connect *c, void *self, const struct refresh *refresh, unsigned looks,
	struct err *err)
{
	/* no grace: one answer counts */
	static const struct refresh_time time = { .empty_grace_ms = 0 };
	unsigned step = 0;

	err->code = ERR_NONE;
	while (step < STEPS_MAX) {
		struct http_request *req = http_request_new(c->list.http);
		struct http_response rsp;
		enum refresh_result result;
		enum refresh_step asked = refresh->request(self, step, req, err);

		if (asked != REFRESH_SEND)
			http_request_free(c->list.http, req);
		if (asked == REFRESH_WAIT) {
			if (looks-- == 0 || stop_sleep(LOOK_MS))
				return err_set(err, ERR_TIMEOUT,
					"it waits for another refresh that failed");
			continue;
		}
		if (asked != REFRESH_SEND)
			return asked == REFRESH_ERROR ? -1 : step != 0;
		if (perform(c, req, &rsp, err) != 0)
			return -1;
		result = refresh->response(self, step, &rsp, &time, err);
		if (result != REFRESH_MORE)
			return result == REFRESH_DONE ? 1 : -1;
		step++;
	}
	return err_set(err, ERR_LIMIT, "more than %d steps", STEPS_MAX);
}

static void
fill_probe(struct event *ev)
{
	static const char *const attributes[][2] = { { "specversion", "1.0" },
		{ "id", "vcourier-check" }, { "source", "/vcourier/check" },
		{ "type", "com.vmware.event.router/event" }, { "subject", "VcourierCheck" } };
	size_t i;

	event_init(ev);
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		event_set(
			ev, attributes[i][0], attributes[i][1], strlen(attributes[i][1]), NULL);
}

/* 405 and 501: the destination exists, and does not support OPTIONS. */
static bool
answers_well(int status)
{
	return (status < 500 || status == 501) && status != 401 && status != 403 &&
		status != 404;
}

/*
 * The request without the event: a receiver that does not look at the method would take the
 * headers of the binary mode for one.
 */
static void
remove_event(struct http_request *req)
{
	struct buf all = req->headers;
	const char *line = buf_str(&all), *end;

	buf_init(&req->headers, all.max);
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (strncasecmp(line, "ce-", 3) != 0 &&
			strncasecmp(line, "content-type:", 13) != 0)
			buf_add(&req->headers, line, (size_t)(end + 1 - line));
	buf_free(&all);
	req->body = NULL;
	req->body_len = 0;
}

/*
 * If no refresh sent a request, the destination gets an OPTIONS request: no event is sent, and
 * any answer except a refusal shows that it exists and accepts our credentials.
 */
static void
probe(struct connect *c, const char *what, const struct processor *p, void *self)
{
	struct http_request *req = http_request_new(c->list.http);
	const struct event *events[1];
	struct targets targets = { 0 };
	struct http_response rsp;
	struct event ev;
	struct err err;

	fill_probe(&ev);
	events[0] = &ev;
	if (processor_route(p, self, &ev, &targets, &err) != 0 || targets.n == 0 ||
		p->encode(self, &(struct batch){ &targets.target[0], events, 1 }, req, &err) !=
			0) {
		http_request_free(c->list.http, req);
		checklist_say(&c->list, true, what, "cannot be checked without an event");
	} else {
		req->method = "OPTIONS";
		remove_event(req);
		req->timeout_ms = CHECKLIST_WAIT_MS;
		if (perform(c, req, &rsp, &err) != 0) {
			fail_backend(c, p, what, &err);
		} else {
			if (rsp.status == 401 || rsp.status == 403)
				c->list.status = c->list.status > EXIT_FORBIDDEN
					? c->list.status
					: EXIT_FORBIDDEN;
			checklist_say(&c->list, answers_well(rsp.status), what, "answers %d",
				rsp.status);
		}
	}
	targets_free(&targets);
	event_free(&ev);
}

static void
check_backend(struct connect *c, const char *name, const struct processor_options *o)
{
	const struct processor *p = o->processor;
	const struct refresh *r;
	bool asked = false, failed = false;
	char what[160], step[300];
	struct err err;
	void *self;

	checklist_label(what, p->type, name);
	if (p->open(&self, o->config, &err) != 0) {
		checklist_say(&c->list, false, what, "%s", err.text);
		return;
	}
	for (r = p->refreshes; r != NULL && r->name != NULL; r++) {
		int rc = run_refresh(c, refresh_self(r, self), r, failed ? 0 : LOOKS_MAX, &err);

		snprintf(step, sizeof(step), "%s, %s", what, r->name);
		if (rc < 0)
			fail_backend(c, p, step, &err);
		else if (rc > 0 && err.code != ERR_NONE)
			checklist_say(&c->list, true, step, "read, but %s", err.text);
		else if (rc > 0)
			checklist_say(&c->list, true, step, "read");
		asked = asked || rc != 0;
		failed = failed || rc < 0;
	}
	if (!asked)
		probe(c, what, p, self);
	p->close(self);
}

int
connect_check(const struct deployment *d)
{
	struct connect c = { .deployment = d };
	struct err err;
	size_t i;

	buf_init(&c.url, 64 * 1024);
	stop_init(); /* Ctrl-C interrupts a wait */
	if (http_open(&c.list.http, &err) != 0) {
		checklist_fail(&c.list, "HTTP", &err);
		return c.list.status;
	}
	for (i = 0; i < d->config.providers.n; i++)
		connect_source(&c.list, d->config.providers.entry[i].name, &d->source[i]);
	check_nats(&c);
	for (i = 0; i < d->config.processors.n; i++)
		check_backend(
			&c, d->config.processors.entry[i].name, &d->dispatcher[i].processor);
	http_close(c.list.http);
	buf_free(&c.url);
	return c.list.status;
}
