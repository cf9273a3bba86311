// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* strsep */
#include "daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "flags.h"
#include "loaded.h"
#include "notify.h"
#include "printable.h"
#include "process.h"
#include "stats.h"
#include "status.h"
#include "stop.h"
#include "watched.h"

enum {
	WATCH_MS = 1000,
	START_MS = 2000, /* a first connection, with one packet that is lost and sent again */
};

struct daemon {
	const struct daemon_spec *spec;
	struct flags flags;
	char *log_name;
	struct loaded *current; /* of run() */
	struct loaded *latest;  /* current, or the one of which run() took the eventProviders */
	struct status *status;

	pthread_t watcher;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct loaded *next; /* set by a reload, until daemon_again takes it */
	daemon_take_fn *take;
	void *take_ctx;         /* NULL: run() takes nothing */
	struct watched watched; /* the file and the CA files that it names */
	bool closing;
};

/* ---- what was loaded */

static void
log_lines(enum log_level level, const char *msg, const struct buf *text)
{
	char *copy = mem_strdup(buf_str(text)), *line, *rest = copy;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			log_at(level, .msg = msg, .field = { L_STR("at", line) });
	free(copy);
}

static void
tell_settings(const struct config_errors *errors, const struct loaded *l)
{
	log_lines(LOG_WARN, "configuration warning", &errors->warnings);
	metric_set(metric_gauge("vcourier_tls_insecure", "",
			   "Options in use that disable certificate checks."),
		(double)errors->n_insecure);
	metric_set(
		metric_gauge("vcourier_nats_cleartext", "",
			"1 when the connection to a NATS server on another host has no TLS."),
		bus_config_is_cleartext(&l->config.top.bus));
	metric_set(metric_gauge("vcourier_config_last_reload_successful", "",
			   "1 when the configuration in use is the one in the file."),
		1);
	metric_set(metric_gauge("vcourier_config_last_reload_timestamp_seconds", "",
			   "When the configuration in use was read."),
		(double)clock_wall_us() / 1e6);
}

/* ---- log and metrics port */

static void
start_log(const struct daemon *d)
{
	const struct router_top *top = &d->current->config.top;
	int format = d->flags.format;

	if (format < 0)
		format = top->log.format == LOG_LOGFMT && log_on_terminal() ? LOG_TERMINAL
									    : top->log.format;
	log_init((enum log_level)(d->flags.level >= 0 ? d->flags.level : top->log.level),
		(enum log_format)format, d->spec->component, d->log_name);
}

/*
 * The name of the entry, in log lines and metrics. It must outlive its file: it is logged until
 * the end.
 */
static void
set_name(struct daemon *d, const char *name)
{
	char *old = d->log_name;

	metrics_set_label(d->spec->provider ? "source" : "dispatcher", name);
	if (old == NULL || strcmp(old, name) != 0)
		d->log_name = mem_strdup(name);
	start_log(d);
	if (old != d->log_name)
		free(old);
}

static int
open_status(struct daemon *d, struct err *err)
{
	const struct router_top *top = &d->current->config.top;
	struct status_options options = { .bind = buf_str(&d->latest->bind),
		.user = top->metrics.user,
		.password = &top->metrics.password,
		.stats = stats_render,
		.start_ms = START_MS };

	set_name(d, d->current->entry->name);
	return status_open(&d->status, &options, err);
}

static void
free_current(struct daemon *d)
{
	if (d->latest != d->current)
		loaded_free(d->spec, d->latest);
	loaded_free(d->spec, d->current);
}

/* ---- reload; the caller of these two has the lock */

/* Run() goes on with its options and other eventProviders. */
static bool
take_providers(struct daemon *d, struct loaded *next)
{
	struct loaded *last = d->latest;
	struct err err;

	if (d->take_ctx == NULL || d->next != NULL || !loaded_differs_in_providers(last, next))
		return false;
	log_info("configuration changed: other eventProviders",
		L_INT("eventProviders", (int64_t)next->config.providers.n));
	d->take(d->take_ctx, &next->config);
	d->latest = next;
	if (strcmp(buf_str(&last->bind), buf_str(&next->bind)) != 0) {
		status_close(d->status);
		d->status = NULL;
		if (open_status(d, &err) != 0)
			log_error("cannot open the metrics port", L_ERR(&err));
	}
	if (last != d->current)
		loaded_free(d->spec, last);
	return true;
}

static void
restart(struct daemon *d, struct loaded *next)
{
	log_info("configuration changed: restarting with it");
	loaded_free(d->spec, d->next);
	d->next = next;
	stop_request();
}

static void
reload(struct daemon *d)
{
	struct config_errors errors;
	struct loaded *next;
	bool usage;

	notify_reloading();
	config_errors_init(&errors);
	next = loaded_open(d->spec, &d->flags, &errors, &usage);
	if (next != NULL) {
		tell_settings(&errors, next);
		loaded_watch(next, d->spec, d->flags.path, &d->watched);
		pthread_mutex_lock(&d->lock);
		if (!take_providers(d, next))
			restart(d, next);
		pthread_mutex_unlock(&d->lock);
	} else {
		log_lines(LOG_ERROR, "invalid configuration: the old one stays in use",
			&errors.text);
		metric_set(metric_gauge("vcourier_config_last_reload_successful", "", ""), 0);
	}
	config_errors_free(&errors);
	notify("READY=1");
}

static void *
watch(void *arg)
{
	struct daemon *d = arg;
	bool closing = false, announced = false, stopping;

	while (!closing) {
		pthread_mutex_lock(&d->lock);
		if (!d->closing)
			clock_cond_wait(&d->wake, &d->lock, WATCH_MS);
		closing = d->closing;
		stopping = closing || (stop_requested() && d->next == NULL);
		pthread_mutex_unlock(&d->lock);
		if (stopping && !announced)
			notify("STOPPING=1");
		announced = announced || stopping;
		if (!closing &&
			(int)stop_take_reload() + (int)watched_changed(&d->watched) != 0)
			reload(d);
		log_sums(false);
	}
	return NULL;
}

/* ---- life */

/* Before there is a log. */
static void
print_errors(const char *text)
{
	for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		printable_line(stderr, "%s%.*s", log_priority(LOG_ERROR), (int)len, text);
	}
}

static int
first_load(struct daemon *d)
{
	struct config_errors errors;
	bool usage;

	config_errors_init(&errors);
	watched_set(&d->watched, d->flags.path, NULL);
	d->current = d->latest = loaded_open(d->spec, &d->flags, &errors, &usage);
	if (d->current == NULL) {
		print_errors(buf_str(&errors.text));
		if (errors.n > CONFIG_ERRORS_MAX)
			printable_line(stderr, "%s: and %zu more", d->flags.path,
				errors.n - CONFIG_ERRORS_MAX);
	} else {
		set_name(d, d->current->entry->name);
		tell_settings(&errors, d->current);
		loaded_watch(d->current, d->spec, d->flags.path, &d->watched);
	}
	config_errors_free(&errors);
	if (d->current != NULL && d->flags.check)
		printf("%s: ok\n", d->flags.path);
	return d->current == NULL ? (usage ? EXIT_USAGE : EXIT_CONFIG)
		: d->flags.check  ? 0
				  : EXIT_NOT_YET;
}

int
daemon_open(struct daemon **daemon, const struct daemon_spec *spec, int argc, char **argv)
{
	struct daemon *d = mem_alloc(sizeof(*d));
	struct err err;
	int code;

	bus_init();
	process_prepare();
	d->spec = spec;
	pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->wake);
	if ((code = flags_parse(&d->flags, spec, argc, argv)) != EXIT_NOT_YET ||
		(code = first_load(d)) != EXIT_NOT_YET)
		goto fail;
	stop_init();
	code = EXIT_RUNTIME;
	if (open_status(d, &err) != 0) {
		if (err.code == ERR_CONFIG)
			code = d->flags.metrics != NULL ? EXIT_USAGE : EXIT_CONFIG;
		log_error("cannot start", L_ERR(&err));
		goto fail;
	}
	if (pthread_create(&d->watcher, NULL, watch, d) != 0) {
		log_error("cannot start",
			L_STR("error",
				"cannot start the thread that watches the configuration"));
		goto fail;
	}
	log_info("started", L_STR("version", VCOURIER_VERSION), L_STR("config", d->flags.path),
		L_INT("metricsPort", status_port(d->status)));
	notify("READY=1");
	*daemon = d;
	return EXIT_NOT_YET;
fail:
	status_close(d->status);
	free_current(d);
	log_init(LOG_INFO, LOG_LOGFMT, d->spec->component, NULL);
	free(d->log_name);
	watched_free(&d->watched);
	free(d);
	return code;
}

bool
daemon_again(struct daemon *d, int code)
{
	struct loaded *next;
	struct err err;

	pthread_mutex_lock(&d->lock);
	next = d->next;
	d->next = NULL;
	if (next != NULL)
		stop_reset();
	pthread_mutex_unlock(&d->lock);
	if (next == NULL)
		return false;
	if (code != 0 || stop_requested()) {
		loaded_free(d->spec, next);
		return false;
	}
	status_close(d->status);
	d->status = NULL;
	free_current(d);
	d->current = d->latest = next;
	if (open_status(d, &err) != 0)
		log_error("cannot open the metrics port", L_ERR(&err));
	return true;
}

void
daemon_close(struct daemon *d)
{
	pthread_mutex_lock(&d->lock);
	d->closing = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->watcher, NULL);
	status_close(d->status);
	loaded_free(d->spec, d->next);
	free_current(d);
	log_sums(true);
	log_info("stopped");
	log_init(LOG_INFO, LOG_LOGFMT, d->spec->component, NULL);
	free(d->log_name);
	watched_free(&d->watched);
	free(d);
}

void
daemon_on_providers(struct daemon *d, daemon_take_fn *take, void *ctx)
{
	pthread_mutex_lock(&d->lock);
	d->take = take;
	d->take_ctx = ctx;
	pthread_mutex_unlock(&d->lock);
}

const void *
daemon_options(const struct daemon *d)
{
	return d->current->options;
}

const struct router_entry *
daemon_entry(const struct daemon *d)
{
	return d->current->entry;
}

const struct router_config *
daemon_config(const struct daemon *d)
{
	return &d->current->config;
}
