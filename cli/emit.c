// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier emit: a made-up event, printed, posted to a URL or put before one dispatcher, so
 * that a function can be tried without waiting for its event.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command_list.h"
#include "emit_event.h"
#include "event_body.h"
#include "http.h"
#include "printable.h"
#include "protocol.h"
#include "session_open.h"
#include "stop.h"

enum { TIMEOUT_MS = 30 * 1000, ANSWER_SHOWN = 2000 };

struct emit_options {
	struct connection_flags connection;
	const char *to, *dispatcher, *vcenter, *style;
	struct command_texts set;
	int64_t count;
	bool structured, soap;
};

struct emit {
	const struct emit_options *options;
	const char *name;
	struct emit_event made;
	int64_t run_us; /* makes the message ids of this call unique */
	/* --to */
	struct http *http;
	/* --dispatcher */
	struct session session;
	char durable[96];
};

/* EXIT_NOT_YET, or the exit status after an error message. */
static int
fail(const struct err *err)
{
	fputs("vcourier: ", stderr);
	session_print_safe(stderr, err->text, sizeof(err->text));
	fputc('\n', stderr);
	switch (err->code) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_CONNECT:
	case ERR_TIMEOUT:
		return EXIT_UNREACHABLE;
	case ERR_TLS:
		return EXIT_CONFIG;
	default:
		return EXIT_RUNTIME;
	}
}

/* ---- the three ways out */

static int
print(struct emit *e)
{
	struct buf line;

	if (e->options->soap) {
		fputs(buf_str(&e->made.soap), stdout);
		return 0;
	}
	buf_init(&line, 2 * SAMPLE_XML_MAX);
	event_add_structured(&e->made.event, NULL, &line);
	puts(buf_str(&line));
	buf_free(&line);
	return 0;
}

/* What the receiver says, as far as a terminal can show it. */
static void
print_body(const char *body, size_t len)
{
	printable_lines(stdout, body, len < ANSWER_SHOWN ? len : ANSWER_SHOWN);
	putchar('\n');
}

static int
post(struct emit *e)
{
	struct http_request *req = http_request_new(e->http);
	struct http_response rsp;
	struct err err;
	int failed = 0;

	req->method = "POST";
	req->timeout_ms = TIMEOUT_MS;
	buf_add_str(&req->url, e->options->to);
	if (e->options->structured)
		event_body_structured(&e->made.event, NULL, req);
	else
		failed = event_body_binary(&e->made.event, NULL, req, &err);
	if (failed) {
		http_request_free(e->http, req);
		return fail(&err);
	}
	if (http_perform(e->http, req, &rsp, &err) != 0)
		return fail(&err);
	printf("%s: HTTP %d after %lld ms\n", e->made.event.id, rsp.status,
		(long long)rsp.duration_ms);
	if (rsp.body_len > 0) {
		print_body(rsp.body, rsp.body_len);
	}
	return rsp.status / 100 == 2 ? 0 : EXIT_RUNTIME;
}

/* As `vcourier replay`: into the stream of replays, for this dispatcher only. */
static int
put(struct emit *e, int64_t n)
{
	const char *tail = strchr(buf_str(&e->made.subject), '.');
	const struct bus_header header[] = { { HEADER_CONTENT_TYPE, EVENT_CONTENT_TYPE },
		{ HEADER_MSG_ID, NULL } };
	struct bus_header headers[2] = { header[0], header[1] };
	struct bus_out out = { .headers = headers, .n_headers = 2 };
	struct pub_ack ack;
	struct buf subject, body;
	struct err err;
	char id[96];
	int failed;

	snprintf(id, sizeof(id), "emit/%lld/%lld", (long long)e->run_us, (long long)n);
	headers[1].value = id;
	buf_init(&subject, 8192);
	buf_init(&body, 2 * SAMPLE_XML_MAX);
	buf_printf(&subject, REPLAY_PREFIX ".%s%s", e->durable, tail);
	event_add_structured(&e->made.event, NULL, &body);
	out.subject = buf_str(&subject);
	out.data = body.data;
	out.len = body.len;
	failed = jetstream_publish(e->session.bus, &out, SESSION_TIMEOUT_MS, &ack, &err);
	if (!failed)
		printf("%s: for %s, stored in " REPLAY_STREAM " as %llu\n", e->made.event.id,
			e->options->dispatcher, (unsigned long long)ack.seq);
	buf_free(&subject);
	buf_free(&body);
	return failed ? session_fail(&e->session, &err) : 0;
}

static int
send_event(struct emit *e, int64_t n)
{
	if (e->options->to != NULL)
		return post(e);
	return e->options->dispatcher != NULL ? put(e, n) : print(e);
}

/* ---- */

/* Milliseconds, so that the key is another one at the next call; within 31 bits. */
static int32_t
key_of(int64_t run_us, int64_t n)
{
	return (int32_t)((run_us / 1000 + n) & INT32_MAX);
}

static int
emit_all(struct emit *e)
{
	int64_t count = e->options->count > 0 ? e->options->count : 1;
	int rc = 0;

	for (int64_t n = 0; n < count && rc == 0 && !stop_requested(); n++) {
		const struct emit_identity identity = { key_of(e->run_us, n),
			e->run_us + n * 1000 };
		struct err err = { .code = ERR_NONE };

		if (emit_event_make(&e->made, e->name, &identity, &err) != 0)
			return fail(&err);
		rc = send_event(e, n);
	}
	return rc;
}

/* The event is checked before anything is opened. EXIT_NOT_YET, or the exit status. */
static int
check(struct emit *e)
{
	const struct emit_identity identity = { 1, e->run_us };
	const char *to = e->options->to;
	struct err err = { .code = ERR_NONE };
	struct buf host;
	bool ok;

	if (to != NULL && e->options->dispatcher != NULL)
		return command_usage_error(
			&emit_command, "--to and --dispatcher exclude each other");
	buf_init(&host, 1024);
	ok = to == NULL || (http_url_host(to, &host) && strchr(to, '@') == NULL);
	buf_free(&host);
	if (!ok)
		return command_usage_error(
			&emit_command, "--to: not an http or https URL without a user in it");
	return emit_event_make(&e->made, e->name, &identity, &err) != 0 ? fail(&err)
									: EXIT_NOT_YET;
}

/* Whose subjects the event gets: --vcenter, else the first one. */
static int
choose_source(struct emit *e)
{
	struct session *s = &e->session;
	struct err err;

	e->made.vcenter = e->options->vcenter;
	e->made.prefix = s->config->subject_prefix;
	if (e->made.vcenter != NULL)
		return EXIT_NOT_YET;
	if (session_sources(s, &err) != 0)
		return session_fail(s, &err);
	if (s->n_sources > 0)
		e->made.vcenter = s->source[0].name;
	return EXIT_NOT_YET;
}

static int
put_all(struct emit *e)
{
	struct err err;
	int rc = session_open(&e->session, &e->options->connection);

	if (rc != EXIT_NOT_YET)
		return rc;
	rc = session_dispatcher(&e->session, e->options->dispatcher, e->durable);
	if (rc == EXIT_NOT_YET)
		rc = choose_source(e);
	if (rc == EXIT_NOT_YET && session_replay_stream(&e->session, &err) != 0)
		rc = session_fail(&e->session, &err);
	if (rc == EXIT_NOT_YET)
		rc = emit_all(e);
	session_close(&e->session);
	return rc;
}

static int
run(void *values, char **args, size_t n_args)
{
	struct emit e = { .options = values, .name = args[0], .run_us = clock_wall_us() };
	const char *style = e.options->style;
	struct err err;
	int rc;

	(void)n_args;
	emit_event_init(&e.made);
	e.made.vcenter = e.options->vcenter;
	e.made.setting = e.options->set.text;
	e.made.n_settings = e.options->set.n;
	e.made.style = style != NULL && strcmp(style, "vsphere") == 0 ? EVENT_TYPE_VSPHERE
								      : EVENT_TYPE_ROUTER;
	rc = check(&e);
	if (rc == EXIT_NOT_YET && e.options->dispatcher != NULL) {
		rc = put_all(&e);
	} else if (rc == EXIT_NOT_YET && e.options->to != NULL) {
		stop_init();
		rc = http_open(&e.http, &err) != 0 ? fail(&err) : emit_all(&e);
		http_close(e.http);
	} else if (rc == EXIT_NOT_YET) {
		rc = emit_all(&e);
	}
	emit_event_free(&e.made);
	return rc;
}

#define AT(member) offsetof(struct emit_options, member)

static const char *const styles[] = { "router", "vsphere", NULL };

static const struct command_option options[] = {
	{ "set", 0, COMMAND_TEXTS, AT(set), "PATH=VALUE", NULL, 0,
		"set a member, data.Vm.Name=web-1, or an attribute, severity=error; may be repeated" },
	{ "to", 0, COMMAND_TEXT, AT(to), "URL", NULL, 0,
		"post it there as a CloudEvent, in binary mode" },
	{ "structured", 0, COMMAND_FLAG, AT(structured), NULL, NULL, 0,
		"with --to: in structured mode" },
	{ "dispatcher", 'd', COMMAND_TEXT, AT(dispatcher), "NAME", NULL, 0,
		"put it before this dispatcher only, which delivers it as any other event" },
	{ "vcenter", 'v', COMMAND_TEXT, AT(vcenter), "NAME", NULL, 0,
		"with --dispatcher: the source in its subject; default: the first one" },
	{ "count", 'n', COMMAND_COUNT, AT(count), "N", NULL, 0, "N events; default: 1" },
	{ "style", 0, COMMAND_CHOICE, AT(style), "STYLE", styles, 0,
		"the dialect of \"type\": router (default) or vsphere" },
	{ "soap", 0, COMMAND_FLAG, AT(soap), NULL, NULL, COMMAND_RARE,
		"print the reply of vCenter that the event was made of" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "sent, accepted or printed" },
	{ 1, "the receiver did not answer with 2xx" },
	{ EXIT_USAGE, "wrong usage, no such event, no such member, or a wrong value" },
	{ EXIT_UNREACHABLE, "the URL or NATS does not answer" },
	{ EXIT_FORBIDDEN, "not permitted" },
	{ EXIT_CONFIG, "wrong configuration, or a certificate that is not trusted" },
	{ 0, NULL } };

static const char *const examples[] = { "emit VmPoweredOnEvent",
	"emit VmPoweredOnEvent --set data.Vm.Name=web-1 --to http://localhost:8080/",
	"emit esx.problem.vmnic.down --set severity=error --dispatcher kn", NULL };

const struct command emit_command = {
	COMMAND_CONNECTS,
	.name = "emit",
	.summary = "a made-up event, to try a function or a trigger with",
	.arguments = "NAME",
	.args_min = 1,
	.args_max = 1,
	.options = options,
	.values_size = sizeof(struct emit_options),
	.about =
		"Makes a well-formed event of any event class, or of an EventEx id, which has a dot, "
		"and prints it. The attribute vcouriertest=true marks it.",
	.more = "A member of a list has a number: data.Arguments.0.Value=x. The value null unsets an "
		"object or a list. A MoRef takes Type:Value.\n\n"
		"With --dispatcher the event goes into the stream of replays, so filters, triggers, "
		"retries and dead letters work as for the events of a vCenter. Other dispatchers do "
		"not get it.",
	.examples = examples,
	.exits = exits,
	.run = run,
};
