// SPDX-License-Identifier: Apache-2.0
#include "connect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "certificate.h"
#include "event.h"
#include "exit_status.h"
#include "http.h"
#include "jetstream.h"
#include "session_open.h"
#include "stop.h"
#include "storage_check.h"
#include "subject.h"
#include "vcenter_options.h"
#include "vcenter_source.h"
#include "vim.h"
#include "webhook_check.h"
#include "webhook_source.h"

enum {
	WAIT_MS = 10 * 1000,
	STEPS_MAX = 100,
	LOOK_MS = 100,
	LOOKS_MAX = 600,
};

struct checklist {
	const struct deployment *deployment;
	struct http *http;
	int status; /* exit status: the highest of all failures */
	/* of the last request to a backend */
	struct buf url;
	const struct http_peer *peer;
};

static void say(struct checklist *list, bool ok, const char *what, const char *fmt, ...)
	ERR_PRINTF(4, 5);

static void
say(struct checklist *list, bool ok, const char *what, const char *fmt, ...)
{
	char text[1024]; /* some of it comes from the peer */
	va_list ap;

	if (!ok && list->status == 0)
		list->status = EXIT_RUNTIME;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("  %-6s ", ok ? "ok" : "FAILED");
	session_print_safe(stdout, what, 256);
	fputs(": ", stdout);
	session_print_safe(stdout, text, sizeof(text));
	putchar('\n');
	fflush(stdout);
}

static void
fail(struct checklist *list, const char *what, const struct err *err)
{
	int status = EXIT_RUNTIME;

	if (err->code == ERR_TLS) /* the configuration has to say whom to trust */
		status = EXIT_CONFIG;
	else if (err->code == ERR_AUTH || err->code == ERR_FORBIDDEN)
		status = EXIT_FORBIDDEN;
	else if (err->code == ERR_CONNECT || err->code == ERR_TIMEOUT)
		status = EXIT_UNREACHABLE;
	if (status > list->status)
		list->status = status;
	say(list, false, what, "%s", err->text);
}

static const char *
label(char out[160], const char *kind, const char *name)
{
	snprintf(out, 160, "%s %s", kind, name);
	return out;
}

/* ---- vCenter */

static void
check_vcenter(struct checklist *list, const char *name, const struct vcenter_options *o)
{
	struct vim_options options = { .url = o->address,
		.user = o->user,
		.password = &o->password,
		.timeout_ms = WAIT_MS };
	struct vim *vim;
	struct vim_access access = { .known = false };
	bool fresh;
	char what[160];
	struct err err;

	label(what, "vCenter", name);
	vcenter_options_peer(o, &options.peer);
	vim_open(&vim, list->http, &options);
	if (vim_connect(vim, &fresh, &err) != 0) {
		fail(list, what, &err);
		if (err.code == ERR_TLS)
			certificate_print(list->http, o->address, &options.peer,
				&(struct certificate_place){ "eventProvider.vcenter", true });
	} else if (vim_access(vim, &access, &err) == 0 && *access.missing) {
		list->status = list->status > EXIT_FORBIDDEN ? list->status : EXIT_FORBIDDEN;
		say(list, false, what,
			"the account lacks %s on the root folder: give it the role Read-only there, with propagation",
			access.missing);
	} else {
		say(list, true, what, "%s, logged in, %s", vim_about(vim)->name,
			access.known ? "may read" : "permissions unknown");
	}
	vim_close(vim);
}

/* ---- sources */

static void
check_webhook(struct checklist *list, const char *name, const struct webhook_options *o)
{
	struct buf found;
	char what[160];
	struct err err;

	label(what, "webhook", name);
	buf_init(&found, CONFIG_FILE_MAX);
	if (webhook_check(o, &found, &err) == 0)
		say(list, true, what, "%s", buf_str(&found));
	else
		fail(list, what, &err);
	buf_free(&found);
}

static void
check_source(struct checklist *list, const char *name, const struct source_choice *choice)
{
	if (choice->source == &vcenter_source)
		check_vcenter(list, name, choice->options);
	else if (choice->source == &webhook_source)
		check_webhook(list, name, choice->options);
}

/* ---- NATS */

/* True: the stream does not exist yet. */
static bool
check_stream(struct checklist *list, struct bus *bus, const struct router_entry *provider)
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
	label(what, "stream", buf_str(&stream));
	if (jetstream_stream_look(bus, buf_str(&stream), &info, &err) == 0)
		say(list, true, what, "%llu events", (unsigned long long)info.messages);
	else if ((missing = err.code == ERR_NOT_FOUND))
		say(list, true, what, "does not exist yet, the collector creates it");
	else
		fail(list, what, &err);
	buf_free(&stream);
	return missing;
}

static void
check_storage(struct checklist *list, struct bus *bus, size_t missing)
{
	struct buf found;
	bool fits;

	buf_init(&found, 1024);
	fits = storage_check(bus, &list->deployment->config.top.bus, missing, &found);
	if (found.len != 0)
		say(list, fits, "storage", "%s", buf_str(&found));
	buf_free(&found);
}

static void
check_nats(struct checklist *list)
{
	const struct router_config *config = &list->deployment->config;
	struct bus_options options;
	struct bus *bus = NULL;
	struct buf texts;
	size_t i, missing = 0;
	struct err err;

	buf_init(&texts, 1024);
	bus_config_options(&config->top.bus, "cli", "check", &texts, &options);
	if (bus_open(&bus, &options, &err) != 0 ||
		bus_wait_connected(bus, WAIT_MS, &err) != 0) {
		fail(list, "NATS", &err);
	} else {
		say(list, true, "NATS", "connected to %s", options.urls[0]);
		for (i = 0; i < config->providers.n; i++)
			missing += check_stream(list, bus, &config->providers.entry[i]);
		check_storage(list, bus, missing);
	}
	bus_close(bus);
	buf_free(&texts);
}

/* ---- backends */

static int
perform(struct checklist *list, struct http_request *req, struct http_response *rsp,
	struct err *err)
{
	buf_clear(&list->url);
	buf_add_str(&list->url, buf_str(&req->url));
	list->peer = req->peer;
	return http_perform(list->http, req, rsp, err);
}

/* After a request to the backend has failed. */
static void
fail_backend(struct checklist *list, const struct processor *p, const char *what,
	const struct err *err)
{
	static const struct http_peer anyone;
	char block[80];

	fail(list, what, err);
	snprintf(block, sizeof(block), "eventProcessor.%s", p->block);
	if (err->code == ERR_TLS && list->url.len != 0)
		certificate_print(list->http, buf_str(&list->url),
			list->peer != NULL ? list->peer : &anyone,
			&(struct certificate_place){ block, false });
}

/*
 * Runs one refresh to its end. 1: it sent requests and succeeded (err is a warning, if its code
 * is set), 0: nothing to send, -1: failed. looks: how often a refresh that waits for a helper
 * program is called again.
 */
static int
run_refresh(struct checklist *list, void *self, const struct refresh *refresh, unsigned looks,
	struct err *err)
{
	/* no grace: one answer counts */
	static const struct refresh_time time = { .empty_grace_ms = 0 };
	unsigned step = 0;

	err->code = ERR_NONE;
	while (step < STEPS_MAX) {
		struct http_request *req = http_request_new(list->http);
		struct http_response rsp;
		enum refresh_result result;
		enum refresh_step asked = refresh->request(self, step, req, err);

		if (asked != REFRESH_SEND)
			http_request_free(list->http, req);
		if (asked == REFRESH_WAIT) {
			if (looks-- == 0 || stop_sleep(LOOK_MS))
				return err_set(err, ERR_TIMEOUT,
					"it waits for another refresh that failed");
			continue;
		}
		if (asked != REFRESH_SEND)
			return asked == REFRESH_ERROR ? -1 : step != 0;
		if (perform(list, req, &rsp, err) != 0)
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
 * If no refresh sent a request, the destination gets an OPTIONS request: no event is sent, and
 * any answer except a refusal shows that it exists and accepts our credentials.
 */
static void
probe(struct checklist *list, const char *what, const struct processor *p, void *self)
{
	struct http_request *req = http_request_new(list->http);
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
		http_request_free(list->http, req);
		say(list, true, what, "cannot be checked without an event");
	} else {
		req->method = "OPTIONS";
		req->body = NULL;
		req->body_len = 0;
		req->timeout_ms = WAIT_MS;
		if (perform(list, req, &rsp, &err) != 0) {
			fail_backend(list, p, what, &err);
		} else {
			if (rsp.status == 401 || rsp.status == 403)
				list->status = list->status > EXIT_FORBIDDEN ? list->status
									     : EXIT_FORBIDDEN;
			say(list, answers_well(rsp.status), what, "answers %d", rsp.status);
		}
	}
	targets_free(&targets);
	event_free(&ev);
}

static void
check_backend(struct checklist *list, const char *name, const struct processor_options *o)
{
	const struct processor *p = o->processor;
	const struct refresh *r;
	bool asked = false, failed = false;
	char what[160], step[300];
	struct err err;
	void *self;

	label(what, p->type, name);
	if (p->open(&self, o->config, &err) != 0) {
		say(list, false, what, "%s", err.text);
		return;
	}
	for (r = p->refreshes; r != NULL && r->name != NULL; r++) {
		int rc = run_refresh(
			list, refresh_self(r, self), r, failed ? 0 : LOOKS_MAX, &err);

		snprintf(step, sizeof(step), "%s, %s", what, r->name);
		if (rc < 0)
			fail_backend(list, p, step, &err);
		else if (rc > 0 && err.code != ERR_NONE)
			say(list, true, step, "read, but %s", err.text);
		else if (rc > 0)
			say(list, true, step, "read");
		asked = asked || rc != 0;
		failed = failed || rc < 0;
	}
	if (!asked)
		probe(list, what, p, self);
	p->close(self);
}

int
connect_check(const struct deployment *d)
{
	struct checklist list = { .deployment = d };
	struct err err;
	size_t i;

	buf_init(&list.url, 64 * 1024);
	stop_init(); /* Ctrl-C interrupts a wait */
	if (http_open(&list.http, &err) != 0) {
		fail(&list, "HTTP", &err);
		return list.status;
	}
	for (i = 0; i < d->config.providers.n; i++)
		check_source(&list, d->config.providers.entry[i].name, &d->source[i]);
	check_nats(&list);
	for (i = 0; i < d->config.processors.n; i++)
		check_backend(
			&list, d->config.processors.entry[i].name, &d->dispatcher[i].processor);
	http_close(list.http);
	buf_free(&list.url);
	return list.status;
}
