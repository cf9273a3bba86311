// SPDX-License-Identifier: Apache-2.0
/* All parts of the console, for one version of its configuration. */
#ifndef VCOURIER_CONSOLE_H
#define VCOURIER_CONSOLE_H

#include "console_options.h"
#include "err.h"
#include "feed.h"
#include "jobs.h"
#include "live.h"
#include "overview.h"
#include "session_pool.h"
#include "sessions.h"
#include "site.h"
#include "catalogue_cache.h"

struct console {
	const struct console_options *options;
	struct bus *bus, *operator_bus; /* the second one is that of jobs */
	struct buf texts, operator_texts;
	struct bus_config operator_config; /* borrows from options */
	struct live *live;
	struct feed *feed;
	struct overview *overview;
	struct session_pool *pool;
	struct operator_jobs *jobs;
	struct catalogue_cache *catalogue;
};

/* Connects and starts the threads. The options are borrowed. Close it also after a failure. */
int console_open(
	struct console *console, const struct console_options *options, struct err *err);
/* Ends the streams of all browsers; before the server is closed. */
void console_stop(struct console *console);
void console_close(struct console *console); /* after the server */

#endif
