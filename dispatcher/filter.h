// SPDX-License-Identifier: Apache-2.0
/* Which events a dispatcher delivers: by subject, and by their content. */
#ifndef VCOURIER_FILTER_H
#define VCOURIER_FILTER_H

#include <stdbool.h>

#include "event.h"
#include "dispatcher_options.h"
#include "event_streams.h"
#include "pattern.h"

struct filter {
	const char *subject; /* NULL: every one */
	struct pattern *pattern;
	struct buf text; /* scratch */
};

/*
 * The filters of a dispatcher: one for all vCenters, and those of some vCenters.
 */
struct filters {
	struct filter common;
	struct vcenter_filter *own; /* sorted by token */
	size_t n_own;
	bool any_pattern; /* a filter looks into events */
};

struct vcenter_filter {
	char token[80]; /* of the vCenter in subjects */
	struct filter filter;
};

/* Options and streams are borrowed. */
int filters_open(struct filters *filters, const struct dispatch_filter *common,
	const struct event_streams *streams, struct err *err);
void filters_close(struct filters *filters);

/* filter_passes, with the filter of the event's vCenter, the second token of the subject. */
bool filters_pass(struct filters *filters, const char *subject, const struct event *ev);

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
