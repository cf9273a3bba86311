// SPDX-License-Identifier: Apache-2.0
/*
 * The watch thread: checks the connection to NATS, the stream of dead letters and each watched
 * stream, where calls wait for the server. Once a second, and at once when it is woken. It sets
 * the checks "nats" and "consumer" of /readyz and the metrics of what is pending.
 */
#ifndef VCOURIER_WATCHER_H
#define VCOURIER_WATCHER_H

#include "bus.h"
#include "dead_letters.h"
#include "discovery.h"
#include "dispatcher_metrics.h"
#include "http.h"
#include "saved_list.h"
#include "stream_watch.h"

struct watcher;

struct watcher_config { /* all borrowed */
	struct bus *bus;
	struct http *http; /* its loop is woken after each turn */
	const struct stream_config *dead_stream;
	struct dead_letters *dead_letters; /* gets dead_letters_stream_ready */
	struct dispatcher_metrics *metrics;
	struct discovery *discovery;   /* gets its turns; NULL: nothing is to be found */
	struct saved_list *saved_list; /* the same; NULL: nothing is saved */
};

struct watcher *watcher_open(const struct watcher_config *config);
/*
 * The loop's, at any time. The stream_watch is the watcher's, which closes it, until it has
 * ended (stream_watch_end).
 */
struct stream_watch *watcher_add(
	struct watcher *watcher, const struct stream_check_config *config);
int watcher_start(struct watcher *watcher, struct err *err);
/* Ends the thread; waits for the call to the server that it is in. */
void watcher_stop(struct watcher *watcher);
void watcher_close(struct watcher *watcher); /* after the loop. NULL is fine for both */

#endif
