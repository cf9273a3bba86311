// SPDX-License-Identifier: Apache-2.0
/* vcourier-console: the events, what runs and what failed, in a browser. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bus.h"
#include "clock.h"
#include "command.h"
#include "config_print.h"
#include "bus_metrics.h"
#include "console.h"
#include "exit_status.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "notify.h"
#include "printable.h"
#include "process.h"
#include "status.h"
#include "stop.h"
#include "watched.h"

struct console_flags {
	const char *path, *level, *format;
	bool check, hash;
};

#define AT(member) .offset = offsetof(struct console_flags, member)

static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "logfmt", "json", NULL };

static const struct command_option flag_table[] = {
	{ "config", 'c', COMMAND_TEXT, AT(path), "FILE",
		.help = "configuration (default " CONSOLE_DEFAULT_PATH ")" },
	{ "log-level", 0, COMMAND_CHOICE, AT(level), "LEVEL", levels,
		.help = "debug, info, warn or error, instead of the file's" },
	{ "log-format", 0, COMMAND_CHOICE, AT(format), "FORM", formats,
		.help = "logfmt or json, instead of the file's" },
	{ "check", 0, COMMAND_FLAG, AT(check),
		.help = "check the configuration as at a start, print all errors and exit" },
	{ "hash", 0, COMMAND_FLAG, AT(hash),
		.help = "read a password from standard input and print its hash for the users "
			"file" },
	{ NULL },
};

static const struct command_exit exits[] = { { 0, "stopped" }, { EXIT_RUNTIME, "failed" },
	{ EXIT_USAGE, "wrong usage" }, { EXIT_CONFIG, "wrong configuration" }, { 0, NULL } };

static void
add_file_options(struct buf *out)
{
	buf_add_str(out, "\nThe options in the file:\n");
	config_help(console_fields, "", out);
}

static const struct command command = { .program = "vcourier-console",
	.summary = "the events, what runs and what failed, in a browser",
	.options = flag_table,
	.values_size = sizeof(struct console_flags),
	.about =
		"Serves the console: one page that shows events as they come, the state of "
		"collectors and dispatchers, and dead letters, which an operator sends again or "
		"drops.",
	.more = "SIGHUP or a changed file reloads the configuration.",
	.exits = exits,
	.add_help = { add_file_options } };

/* ---- one version of the configuration */

struct loaded_console {
	struct console_options options;
	struct watched config, users, tls;
};

/* A reload has begun, or the program ends. */
enum turn { TURN_ON, TURN_RELOAD, TURN_STOP };

static void
watch_files(struct loaded_console *l, const char *path)
{
	const struct console_options *o = &l->options;
	char *key[] = { o->tls.key_file, NULL };

	watched_set(&l->config, path, NULL);
	if (o->users_file != NULL)
		watched_set(&l->users, o->users_file, NULL);
	if (o->tls.cert_file != NULL)
		watched_set(&l->tls, o->tls.cert_file, key);
}

static void
free_loaded(struct loaded_console *l)
{
	if (l == NULL)
		return;
	console_options_release(&l->options);
	watched_free(&l->config);
	watched_free(&l->users);
	watched_free(&l->tls);
	free(l);
}

/* NULL: it is not valid; the errors are printed, or logged once there is a log. */
static struct loaded_console *
load(const char *path, bool logged)
{
	struct loaded_console *l = mem_alloc(sizeof(*l));
	struct config_errors errors;

	config_errors_init(&errors);
	if (console_options_load(path, &l->options, &errors) != 0) {
		if (logged)
			log_error("invalid configuration: the old one stays in use",
				L_STR("errors", buf_str(&errors.text)));
		else
			fputs(buf_str(&errors.text), stderr);
		free_loaded(l);
		l = NULL;
	} else {
		fputs(buf_str(&errors.warnings), stderr);
		watch_files(l, path);
	}
	config_errors_free(&errors);
	return l;
}

static void
tell_nats(const struct console *c, struct bus_metrics *metrics)
{
	bool connected = bus_connected(c->bus);
	struct err err;

	bus_metrics_update(metrics, c->bus);
	if (!connected) /* while it is, the error belongs to the request that was refused */
		bus_last_error(c->bus, &err);
	status_check("nats", connected, connected ? "connected" : err.text);
	metric_set(metric_gauge("vcourier_console_browsers", "",
			   "Browsers that watch events at the moment."),
		(double)live_clients(c->live));
}

/* Once a second: what has changed. */
static enum turn
look_around(struct loaded_console *l, struct loaded_console **next, const char *path,
	struct site *site)
{
	if (stop_requested())
		return TURN_STOP;
	if (watched_changed(&l->users))
		site_check_users(site);
	if (watched_changed(&l->tls)) {
		log_info("the certificate has changed: it is used from now on");
		*next = load(path, true);
		return *next != NULL ? TURN_RELOAD : TURN_ON;
	}
	if ((int)stop_take_reload() + (int)watched_changed(&l->config) == 0)
		return TURN_ON;
	notify_reloading();
	*next = load(path, true);
	notify("READY=1");
	return *next != NULL ? TURN_RELOAD : TURN_ON;
}

/* Serves until a stop or a reload; *next is what comes then. */
static int
serve(struct loaded_console *l, struct sessions *sessions, struct loaded_console **next,
	const char *path)
{
	const struct console_options *o = &l->options;
	struct server_options options = { .listen = o->listen,
		.cert_file = o->tls.cert_file,
		.key_file = o->tls.key_file,
		.handle = site_handle };
	struct server *server = NULL;
	enum turn turn = TURN_ON;
	struct console console;
	struct bus_metrics nats;
	struct site *site;
	struct err err;
	int code = EXIT_RUNTIME;

	if (console_open(&console, o, &err) != 0) {
		log_error("cannot start", L_ERR(&err));
		console_close(&console);
		return code;
	}
	options.ctx = site = site_open(&console, o, sessions);
	if (server_open(&server, &options, &err) != 0) {
		log_error("cannot start", L_ERR(&err));
		code = err.code == ERR_CONFIG ? EXIT_CONFIG : EXIT_RUNTIME;
		turn = TURN_STOP;
	} else {
		log_info("console serves", L_STR("listen", o->listen),
			L_INT("port", server_port(server)),
			L_BOOL("tls", o->tls.cert_file != NULL), L_STR("nats", o->bus.urls[0]),
			L_STR("version", VCOURIER_VERSION));
		code = 0;
	}
	bus_metrics_init(&nats);
	while (turn == TURN_ON) {
		tell_nats(&console, &nats);
		status_sleep(1000);
		server_expire(server, clock_monotonic_ms());
		log_sums(false);
		turn = look_around(l, next, path, site);
	}
	console_stop(&console);
	server_close(server);
	site_close(site);
	console_close(&console);
	return code;
}

/* ---- main */

static int
print_hash(void)
{
	char password[512] = "", hash[USER_HASH_MAX + 1];
	struct err err;
	int rc;

	if (isatty(STDIN_FILENO))
		fputs("Password (it is shown): ", stderr);
	if (fgets(password, sizeof(password), stdin) == NULL)
		password[0] = '\0';
	password[strcspn(password, "\n")] = '\0';
	rc = users_hash(password, hash, &err);
	mem_wipe(password, sizeof(password));
	if (rc == 0)
		puts(hash);
	else
		printable_line(stderr, "vcourier-console: %s", err.text);
	return rc == 0 ? 0 : EXIT_USAGE;
}

static void
start_log(const struct console_flags *f, const struct console_options *o)
{
	enum log_level level = (enum log_level)o->log.level;
	int format = o->log.format;

	if (f->level != NULL)
		log_parse_level(f->level, &level);
	if (f->format != NULL)
		format = strcmp(f->format, "json") == 0 ? LOG_JSON : LOG_LOGFMT;
	else if (format == LOG_LOGFMT && log_on_terminal())
		format = LOG_TERMINAL;
	log_init(level, (enum log_format)format, "console", NULL);
}

static int
run(const struct console_flags *f, struct loaded_console *l)
{
	struct status_options metrics = { .bind = l->options.metrics };
	struct sessions *sessions = sessions_open();
	struct loaded_console *next = NULL;
	struct status *status = NULL;
	struct err err;
	int code;

	stop_init();
	if (status_open(&status, &metrics, &err) != 0) {
		log_error("cannot start", L_ERR(&err));
		sessions_close(sessions);
		free_loaded(l);
		return EXIT_RUNTIME;
	}
	notify("READY=1");
	do {
		next = NULL;
		code = serve(l, sessions, &next, f->path);
		if (next != NULL) {
			free_loaded(l);
			l = next;
			start_log(f, &l->options);
			log_info("configuration changed: restarting with it");
		}
	} while (next != NULL);
	notify("STOPPING=1");
	status_close(status);
	sessions_close(sessions);
	log_sums(true);
	log_info("stopped");
	free_loaded(l);
	return code;
}

int
main(int argc, char **argv)
{
	struct console_flags flags;
	struct loaded_console *l;
	struct command_args args;
	int code;

	bus_init();
	process_prepare();
	/* NATS and dispatchers on the same machine get the processor first */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 10);
	code = command_parse(&command, argc, argv, &flags, &args);
	if (code != EXIT_NOT_YET)
		return code;
	if (flags.hash)
		return print_hash();
	if (flags.path == NULL)
		flags.path = CONSOLE_DEFAULT_PATH;
	l = load(flags.path, false);
	if (l == NULL)
		return EXIT_CONFIG;
	if (flags.check) {
		printf("%s: ok\n", flags.path);
		free_loaded(l);
		return 0;
	}
	start_log(&flags, &l->options);
	return run(&flags, l);
}
