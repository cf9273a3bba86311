// SPDX-License-Identifier: Apache-2.0
/*
 * Runs the refreshes of a backend (processor.h): what it read from outside, such as its
 * functions, address, rules or credentials, is read again at an interval. A refresh is one or
 * more HTTP requests. When one fails, what was read before stays in use, and the next try
 * comes after 0.5 to 30 s. All functions are for the thread of the event loop.
 */
#ifndef VCOURIER_REFRESH_H
#define VCOURIER_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher_metrics.h"
#include "err.h"
#include "http.h"
#include "processor.h"

struct refresher;

struct refresher_config {
	struct http *http; /* must live until its requests have ended: close it first */
	struct dispatcher_metrics *metrics;
	int64_t empty_grace_ms; /* an empty list is believed when it was seen this far apart */
};

struct refresher *refresh_open(const struct refresher_config *config);
void refresh_close(struct refresher *refresher); /* NULL is allowed */

/*
 * Adds the refreshes of a list that ends with a NULL name. Their functions are called with
 * self, which must live as long as the refresher. NULL is an empty list. Fails (ERR_LIMIT)
 * when there are more than REFRESHES_MAX.
 */
enum { REFRESHES_MAX = 6 };
int refresh_add(struct refresher *refresher, const struct refresh *refreshes, void *self,
	struct err *err);

/* Starts the refreshes that are due. now_ms: monotonic. */
void refresh_turn(struct refresher *refresher, int64_t now_ms);
/* A delivery failed in a way that a refresh may mend: all run within a second. */
void refresh_want(struct refresher *refresher);
/* True when each refresh that is required has succeeded once. */
bool refresh_ready(const struct refresher *refresher);

/* Calls fn for each refresh that failed, or succeeded with a warning. why: one line. */
typedef void refresh_trouble_fn(void *ctx, const char *name, const char *why);
void refresh_each_trouble(const struct refresher *refresher, refresh_trouble_fn *fn, void *ctx);

#endif
