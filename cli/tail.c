// SPDX-License-Identifier: Apache-2.0
/* vcourier tail: events as they are stored, one line each. */
#define _DEFAULT_SOURCE
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "mem.h"
#include "session.h"
#include "stop.h"
#include "text.h"

int tail_main(int argc, char **argv);

static const char usage[] =
	"usage: vcourier tail [-c FILE] [--json] [--count N] [SUBJECT]\n"
	"\n"
	"Shows events as they come, until it is stopped. SUBJECT may have wildcards; default: every event.\n"
	"\n"
	"  -c, --config FILE  the configuration that names the NATS servers\n"
	"  -j, --json         the whole CloudEvents, one JSON text a line\n"
	"  -n, --count N      stop after N events\n";

struct tail {
	pthread_mutex_t lock; /* stdout, and what follows */
	bool json, colours;
	int64_t left; /* < 0: no end */
	struct event event;
};

static void
print(struct tail *t, const struct bus_msg *msg)
{
	struct err err;

	if (event_parse(&t->event, bus_msg_data(msg), bus_msg_len(msg), &err) != 0) {
		fprintf(stderr, "vcourier: a message that is no CloudEvent on %s: %s\n", bus_msg_subject(msg), err.text);
	} else if (t->json) {
		fwrite(bus_msg_data(msg), 1, bus_msg_len(msg), stdout);
		putchar('\n');
	} else {
		session_print_event(stdout, &t->event, t->colours);
	}
	if (fflush(stdout) != 0 || (t->left > 0 && --t->left == 0))
		stop_request();
}

static void
on_msg(void *ctx, struct bus_msg *msg)
{
	struct tail *t = ctx;

	pthread_mutex_lock(&t->lock);
	if (!stop_requested())
		print(t, msg);
	pthread_mutex_unlock(&t->lock);
	bus_msg_free(msg);
}

static int
run(struct tail *t, const char *path, const char *subject)
{
	struct session s;
	struct err err;
	char all[64];
	int rc = session_open(&s, path);

	if (rc >= 0)
		return rc;
	snprintf(all, sizeof(all), "%s.>", s.config->subject_prefix);
	rc = 0;
	if (bus_subscribe(s.bus, subject != NULL ? subject : all, on_msg, t, &err) != 0 ||
		bus_flush(s.bus, SESSION_TIMEOUT_MS, &err) != 0) {
		rc = session_fail(&err);
	} else {
		bus_last_error(s.bus, &err); /* a subject that this user may not read */
		if (err.code == ERR_FORBIDDEN || err.code == ERR_AUTH)
			rc = session_fail(&err);
	}
	while (rc == 0 && !stop_requested())
		stop_sleep(1000);
	session_close(&s);
	return rc;
}

int
tail_main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' }, { "count", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct tail t = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = -1, .colours = isatty(STDOUT_FILENO) != 0 };
	const char *path = NULL;
	int c, rc;

	while ((c = getopt_long(argc, argv, "c:jn:h", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'j') {
			t.json = true;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else if (c != 'n' || !text_int(optarg, 1, INT64_MAX, &t.left)) {
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	event_init(&t.event);
	rc = run(&t, path, argv[optind]);
	event_free(&t.event);
	return rc;
}
