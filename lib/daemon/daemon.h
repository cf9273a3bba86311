// SPDX-License-Identifier: Apache-2.0
/*
 * What both daemons share: command line, configuration, log, metrics port, reload. Their
 * main():
 *
 *      if ((code = daemon_open(&d, &spec, argc, argv)) != EXIT_NOT_YET)
 *              return code;
 *      do
 *              code = run(daemon_options(d), ...);   (returns after a stop or a failure)
 *      while (daemon_again(d, code));
 *      daemon_close(d);
 *      return code;
 *
 * Reload: on SIGHUP, or when the file changes, a thread reads it. An invalid file is reported
 * and the old configuration stays in use. A valid one makes run() stop as after SIGTERM
 * (nothing is lost or repeated), and daemon_again starts it again with the new options, unless
 * only eventProviders changed and run() takes them (daemon_on_providers). Secrets in files need
 * no reload: they are read at each use.
 */
#ifndef VCOURIER_DAEMON_H
#define VCOURIER_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "exit_status.h"
#include "router_config.h"

struct daemon_spec {
	const char *component; /* "collector" */
	const char *summary;   /* a few words, for its manual page */
	const char *about;     /* what it does, for --help */
	bool provider;         /* runs an eventProvider, else an eventProcessor */
	size_t options_size;
	/*
	 * Fills the options of one entry, zeroed before; adds errors and returns -1. release
	 * frees them in either case.
	 */
	int (*bind)(const struct router_config *config, const struct router_entry *entry,
		void *options, struct config_errors *errors);
	void (*release)(void *options);
	/* adds the entry's options in the file, for `--help all`; may be NULL */
	void (*help)(struct buf *out);
};

struct daemon;

/*
 * EXIT_NOT_YET: call run(). Otherwise main returns this status at once: 0 after --help; after
 * an error message EXIT_USAGE, EXIT_CONFIG or EXIT_RUNTIME.
 */
int daemon_open(struct daemon **daemon, const struct daemon_spec *spec, int argc, char **argv);

/* Whether to call run() again: only when it returned 0 because of a reload. */
bool daemon_again(struct daemon *daemon, int code);
void daemon_close(struct daemon *daemon);

/*
 * While run() can do with other eventProviders: when a reload changed nothing else, take is
 * called, on a thread of its own, and run() goes on. ctx NULL: it cannot any more, and no call
 * of take is under way.
 */
typedef void daemon_take_fn(void *ctx, const struct router_config *config);
void daemon_on_providers(struct daemon *daemon, daemon_take_fn *take, void *ctx);

/* Valid until daemon_again. */
const void *daemon_options(const struct daemon *daemon);
const struct router_entry *daemon_entry(const struct daemon *daemon);
const struct router_config *daemon_config(const struct daemon *daemon);

#endif
