// SPDX-License-Identifier: Apache-2.0
/*
 * The options that all dispatchers have, whatever their backend. They are in the
 * eventProcessor itself.
 */
#ifndef VCOURIER_DISPATCH_OPTIONS_H
#define VCOURIER_DISPATCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "addressable.h"
#include "config.h"
#include "processor_options.h"
#include "router_config.h"

enum backoff_policy { BACKOFF_EXPONENTIAL, BACKOFF_LINEAR };

enum ordering {
	ORDERING_NONE,   /* as fast as it goes */
	ORDERING_KEY,    /* events of one managed entity one after the other */
	ORDERING_STRICT, /* one event at a time */
};

struct dispatch_filter {
	char *subject; /* NATS wildcards; the server filters */
	/* EventBridge's language, over the whole CloudEvent; JSON text */
	char *pattern;
};

/* What replaces the dispatcher's own options for some vCenters. */
struct dispatch_per_vcenter {
	char **vcenters;               /* names or patterns */
	struct dispatch_filter filter; /* when one of its members is set */
	char *start_from;              /* NULL: not replaced */
};

struct dispatch_options {
	int64_t concurrency; /* requests in flight */
	/* 0: all, or a quarter where events fan out to several targets */
	int64_t concurrency_per_target;
	int64_t timeout_ms; /* of one request */
	/* the server redelivers an event when it was not acknowledged for this long */
	int64_t ack_wait_ms;
	int64_t buffer_bytes; /* of events in memory */
	/* between the two answers that events may be filtered for (absence.h) */
	int64_t empty_grace_ms;
	struct dispatch_retry {
		int64_t max_age_ms; /* since the event's first try; then it is a dead letter */
		int64_t initial_ms, max_ms;
		int64_t retry_after_max_ms;
		/* refused events are tried again for this long, see refusals.h */
		int64_t reject_grace_ms;
		/* an event delivered this often without a verdict is a dead letter, unread */
		int64_t max_deliveries;
		/* Knative's DeliverySpec: what it says goes before the above */
		int64_t count;      /* tries after the first; -1: no limit but age */
		int64_t delay_ms;   /* 0: initial_ms */
		int64_t timeout_ms; /* 0: that of all requests */
		int policy;         /* enum backoff_policy */
	} retry;
	struct dispatch_filter filter;
	bool discover;   /* also streams that no eventProvider of the file names */
	char **vcenters; /* names or patterns of those that it reads; NULL: all */
	struct config_list per_vcenter; /* of struct dispatch_per_vcenter; the first counts */
	struct destination dead_letter_sink;
	int ordering;     /* enum ordering */
	char *start_from; /* "earliest", "now" or a time; checked */
};

extern const struct config_field dispatcher_options_fields[];

/*
 * Where a new consumer begins: fills deliver policy and time (microseconds). False: no valid
 * start_from.
 */
enum dispatch_start { START_EARLIEST, START_NOW, START_TIME };
bool dispatcher_options_start_parse(
	const char *text, enum dispatch_start *start, int64_t *time_us);

/* An eventProcessor, whole: what all of them have, and the block of its type. */
struct dispatcher_options {
	struct dispatch_options common;
	struct processor_options processor;
};

/* Fits daemon_spec.bind and release. `vcourier check` and a start call the same. */
int dispatcher_options_bind(const struct router_config *config,
	const struct router_entry *entry, void *options, struct config_errors *errors);
void dispatcher_options_release(void *options);

#endif
