// SPDX-License-Identifier: Apache-2.0
/* The parts of a dispatcher: for the loop, the watchdog and the report. */
#ifndef VCOURIER_PARTS_H
#define VCOURIER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept.h"
#include "ack_flush.h"
#include "backlog.h"
#include "body_fetch.h"
#include "dead_letters.h"
#include "deliver.h"
#include "dispatcher_metrics.h"
#include "bus.h"
#include "http.h"
#include "inbox.h"
#include "jetstream.h"
#include "job.h"
#include "dispatch.h"
#include "dispatcher_options.h"
#include "outcome.h"
#include "processor.h"
#include "refresh.h"
#include "settle.h"
#include "sink.h"
#include "sources.h"
#include "stall.h"
#include "watcher.h"

struct dispatcher {
	const struct dispatcher_config *config;
	const struct dispatch_options *options;
	const struct processor *processor;
	void *self; /* the processor's */
	struct bus *bus;
	struct http *http;
	struct dispatcher_metrics metrics;
	char durable[96];
	bool stopping;
	int64_t ticked_ms;
	size_t largest; /* message seen */

	struct sources *sources;
	struct inbox *inbox;
	struct jobs jobs;
	struct ack_flush *ack_flush;
	struct dead_letters *dead_letters;
	struct sink *sink; /* NULL: none is configured */
	struct refresher *refresher;
	struct settle *settle;
	struct accept *accept;
	struct body_fetch *body_fetch;
	struct deliver *deliver;
	struct backlog *backlog;
	struct inbox_port report_port;

	struct stall stall;  /* watchdog.c */
	int64_t watchdog_ms; /* its last look */

	struct watcher *watcher;
};

/*
 * Opens all parts. d has config, options, processor, bus and durable. Call parts_close also when
 * it failed.
 */
int parts_open(struct dispatcher *d, struct err *err);
void parts_close(struct dispatcher *d); /* and the bus */

/* watchdog.c */
void watchdog_turn(struct dispatcher *d, int64_t now_ms);

/* report.c */
int report_open(struct dispatcher *d, struct err *err);

#endif
