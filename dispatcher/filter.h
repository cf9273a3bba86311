// SPDX-License-Identifier: Apache-2.0
/* Which events a dispatcher is for: by subject, by what is in them. */
#ifndef VCOURIER_FILTER_H
#define VCOURIER_FILTER_H

#include <stdbool.h>

#include "event.h"
#include "dispatcher_options.h"
#include "pattern.h"

struct filter {
	const char *subject; /* NULL: every one */
	struct pattern *pattern;
	struct buf text; /* scratch */
};

int filter_open(struct filter *filter, const struct dispatch_filter *options, struct err *err);
void filter_close(struct filter *filter);

/*
 * In doubt, it passes. The subject's first token, the prefix, does not count: replayed events
 * have another.
 */
bool filter_passes(struct filter *filter, const char *subject, const struct event *ev);

/*
 * What a consumer of the stream with this subject ("vc.lab.>") has to ask for: a server takes
 * only a filter that is part of the stream's subjects. Writes it to out, "" for everything.
 * False: the stream has nothing that matches.
 */
bool filter_narrow(const char *filter, const char *stream_subject, char *out, size_t size);

/* NATS subject matching: * is one token, > is all that follow (at least one). */
bool filter_subject_matches(const char *wildcard, const char *subject);

#endif
