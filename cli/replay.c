// SPDX-License-Identifier: Apache-2.0
/*
 * vcourier replay: sends stored events again to one dispatcher. It copies them to the stream of
 * replays, which every dispatcher reads beside the vCenters' streams. Other dispatchers do not
 * get them, and no position changes.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "copied_headers.h"
#include "daemon.h"
#include "filter.h"
#include "message.h"
#include "protocol.h"
#include "session.h"
#include "stop.h"
#include "text.h"

int replay_main(int argc, char **argv);

static const char usage[] =
	"usage: vcourier replay [-c FILE] --dispatcher NAME [OPTIONS]\n"
	"\n"
	"Sends events that are still in the streams again, to this dispatcher only; other dispatchers and all positions do\n"
	"not change. The dispatcher's own filter applies.\n"
	"\n"
	"  -c, --config FILE      the configuration that names the NATS servers\n"
	"  -d, --dispatcher NAME  the eventProcessor's name\n"
	"  -s, --since TIME       from this time on: RFC 3339, or a duration (2h); default: everything\n"
	"  -u, --until TIME       up to this time; default: now\n"
	"  -q, --from-seq N       from this sequence on; with one vCenter, or --vcenter\n"
	"  -v, --vcenter NAME     only this eventProvider's events\n"
	"  -f, --filter SUBJECT   only these: a subject with wildcards, for example vc.*.*.*.error.>\n"
	"  -p, --pattern JSON     only these: an event pattern, over the CloudEvent\n"
	"  -F, --function NAME    to this function only (OpenFaaS, NAME.NAMESPACE), events of its topics\n"
	"  -n, --dry-run          only count\n";

enum {
	TELL_MS = 500,
	REFUSED_TOLD_MAX = 10,
	OWN_BYTES = 1024, /* of our own headers: id and function */
};

struct replay {
	const char *path, *dispatcher, *vcenter, *subject, *pattern_text, *function;
	int64_t since_us, until_us, from_seq;
	bool dry_run, progress;
	char durable[96];
	int64_t run_us, told_ms; /* run_us: makes the message ids of this replay unique */
	struct filter filter;
	struct event event;
	unsigned long long seen, sent, total, refused;
};

static void
tell(struct replay *r, bool end)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!r->progress || (!end && now_ms - r->told_ms < TELL_MS))
		return;
	r->told_ms = now_ms;
	fprintf(stderr, "\r%llu of %llu read, %llu %s%s", r->seen, r->total, r->sent,
		r->dry_run ? "match" : "sent", end ? "\n" : "");
}

struct copy {
	struct replay *replay;
	struct session *session;
	const char *stream;
};

static int
send_again(const struct copy *copy, const struct bus_msg *msg, const struct jetstream_meta *d,
	struct err *err)
{
	const struct replay *r = copy->replay;
	const char *tail = strchr(bus_msg_subject(msg), '.');
	char id[256];
	int64_t max = bus_max_payload(copy->session->bus),
		room = max - (int64_t)bus_msg_len(msg) - OWN_BYTES;
	struct copied_headers copied;
	struct bus_header header[COPIED_HEADERS_MAX + 2];
	struct bus_out out = {
		.headers = header, .data = bus_msg_data(msg), .len = bus_msg_len(msg)
	};
	struct pub_ack ack;
	struct buf subject;
	int failed;

	copied_headers_of(&copied, msg, max <= 0 ? SIZE_MAX : room > 0 ? (size_t)room : 0);
	memcpy(header, copied.header, copied.n * sizeof(header[0]));
	out.n_headers = copied.n;
	buf_init(&subject, strlen(r->durable) + strlen(bus_msg_subject(msg)) + 16);
	buf_printf(&subject, REPLAY_PREFIX ".%s%s", r->durable, tail != NULL ? tail : "._");
	out.subject = buf_str(&subject);
	snprintf(id, sizeof(id), "replay/%lld/%s/%llu", (long long)r->run_us, copy->stream,
		(unsigned long long)d->stream_seq);
	header[out.n_headers++] = (struct bus_header){ HEADER_MSG_ID, id };
	if (r->function != NULL)
		header[out.n_headers++] = (struct bus_header){ HEADER_TARGET, r->function };
	failed = jetstream_publish(copy->session->bus, &out, SESSION_TIMEOUT_MS, &ack, err);
	buf_free(&subject);
	return failed;
}

static bool
wanted(struct replay *r, const struct bus_msg *msg)
{
	struct err err;

	if (r->filter.pattern == NULL)
		return true;
	return message_read_event(msg, &r->event, &err) == 0 &&
		filter_passes(&r->filter, bus_msg_subject(msg), &r->event);
}

/* NATS accepts such an event in no state, because of our headers; the others are sent. */
static void
refuse(struct replay *r, const char *stream, const struct jetstream_meta *d,
	const struct err *err)
{
	if (r->refused++ < REFUSED_TOLD_MAX)
		fprintf(stderr,
			"vcourier: event %llu of %s is too large to be sent again: %s\n",
			(unsigned long long)d->stream_seq, stream, err->text);
}

static enum session_took
copy_message(
	void *ctx, const struct bus_msg *msg, const struct jetstream_meta *d, struct err *err)
{
	struct copy *copy = ctx;
	struct replay *r = copy->replay;

	if (d->time_us > r->until_us)
		return SESSION_STOP;
	r->seen++;
	r->total = r->seen + d->pending;
	if (wanted(r, msg)) {
		if (r->dry_run || send_again(copy, msg, d, err) == 0)
			r->sent++;
		else if (err->code == ERR_LIMIT)
			refuse(r, copy->stream, d, err);
		else
			return SESSION_FAILED;
	}
	tell(r, false);
	return SESSION_NEXT;
}

static int
replay_stream(struct replay *r, struct session *s, size_t i, struct err *err)
{
	struct session_stream stream;
	char filter[256] = "";
	struct consumer_config c = { .stream = stream.name, .deliver = DELIVER_ALL };
	struct copy copy = { r, s, stream.name };

	session_stream(s, i, &stream);
	if (r->subject != NULL &&
		!filter_narrow(r->subject, stream.subjects, filter, sizeof(filter)))
		return 0;
	c.filter_subject = filter[0] != '\0' ? filter : NULL;
	if (r->from_seq > 0) {
		c.deliver = DELIVER_FROM_SEQ;
		c.start_seq = (uint64_t)r->from_seq;
	} else if (r->since_us != 0) {
		c.deliver = DELIVER_FROM_TIME;
		c.start_time_us = r->since_us;
	}
	return session_read(s, &c, copy_message, &copy, err);
}

static int
replay_all(struct replay *r, struct session *s)
{
	const struct router_entries *vcenters = &s->deployment.config.providers;
	size_t chosen = 0;
	struct err err;
	int rc = 0;

	if (!session_dispatcher(s, r->dispatcher, r->durable))
		return EXIT_USAGE;
	for (size_t i = 0; i < vcenters->n; i++)
		chosen += r->vcenter == NULL ||
			strcmp(vcenters->entry[i].name, r->vcenter) == 0;
	if (chosen == 0 || (chosen > 1 && r->from_seq > 0)) {
		fprintf(stderr,
			chosen == 0 ? "vcourier: no eventProvider of that name\n"
				    : "vcourier: --from-seq needs --vcenter\n");
		return EXIT_USAGE;
	}
	if (!r->dry_run && session_replay_stream(s, &err) != 0)
		return session_fail(&err);
	for (size_t i = 0; i < vcenters->n && rc == 0; i++)
		if (r->vcenter == NULL || strcmp(vcenters->entry[i].name, r->vcenter) == 0)
			rc = replay_stream(r, s, i, &err);
	tell(r, true);
	if (rc != 0)
		session_fail(&err);
	printf("%llu of %llu events %s\n", r->sent, r->seen,
		r->dry_run ? "would be sent again" : "sent again");
	return rc != 0 || r->refused > 0 ? EXIT_RUNTIME : 0;
}

/* EXIT_NOT_YET, or the exit status. */
static int
read_options(struct replay *r, int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "dispatcher", required_argument, NULL, 'd' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "from-seq", required_argument, NULL, 'q' },
		{ "vcenter", required_argument, NULL, 'v' },
		{ "filter", required_argument, NULL, 'f' },
		{ "pattern", required_argument, NULL, 'p' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "function", required_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): before the first thread */
	while ((c = getopt_long(argc, argv, "c:d:s:u:q:v:f:p:F:nh", options, NULL)) != -1) {
		if (c == 'c')
			r->path = optarg;
		else if (c == 'd')
			r->dispatcher = optarg;
		else if (c == 'v')
			r->vcenter = optarg;
		else if (c == 'f')
			r->subject = optarg;
		else if (c == 'p')
			r->pattern_text = optarg;
		else if (c == 'F')
			r->function = optarg;
		else if (c == 'n')
			r->dry_run = true;
		else if (c == 'h')
			return fputs(usage, stdout) < 0;
		else if ((c == 's' && session_time("--since", optarg, &r->since_us)) ||
			(c == 'u' && session_time("--until", optarg, &r->until_us)) ||
			(c == 'q' && text_int(optarg, 1, INT64_MAX, &r->from_seq)))
			continue;
		else
			return EXIT_USAGE;
	}
	if (r->dispatcher != NULL && optind == argc && !(r->from_seq > 0 && r->since_us != 0))
		return EXIT_NOT_YET;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int
replay_main(int argc, char **argv)
{
	struct replay r = { .until_us = clock_wall_us(),
		.run_us = clock_wall_us(),
		.progress = isatty(STDERR_FILENO) != 0 };
	struct dispatch_filter filter = { .subject = NULL };
	struct session s;
	struct err err;
	int rc = read_options(&r, argc, argv);

	if (rc != EXIT_NOT_YET)
		return rc;
	filter.pattern = (char *)(uintptr_t)r.pattern_text;
	if (filter_open(&r.filter, &filter, &err) != 0) {
		session_fail(&err);
		return EXIT_USAGE;
	}
	event_init(&r.event);
	rc = session_open(&s, r.path);
	if (rc == EXIT_NOT_YET) {
		rc = replay_all(&r, &s);
		session_close(&s);
	}
	event_free(&r.event);
	filter_close(&r.filter);
	return rc;
}
