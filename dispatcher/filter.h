// SPDX-License-Identifier: Apache-2.0
/* Which events a dispatcher delivers: by subject, and by their content. */
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
 * An event that cannot be judged passes. The subject's first token, the prefix, does not count:
 * replayed events have another.
 */
bool filter_passes(struct filter *filter, const char *subject, const struct event *ev);

/*
 * The filter of a consumer on the stream with this subject ("vc.lab.>"): the server accepts
 * only one that is part of the stream's subjects. Writes it to out, "" for all events. False:
 * no event of the stream matches.
 */
bool filter_narrow(const char *filter, const char *stream_subject, char *out, size_t size);

/* NATS subject matching: * is one token, > is all that follow (at least one). */
bool filter_subject_matches(const char *wildcard, const char *subject);

#endif
