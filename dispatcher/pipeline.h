// SPDX-License-Identifier: Apache-2.0
/*
 * The way of an event from its message to its end: accept.h, deliver.h, settle.h and the parts
 * beside them. Opens them, and gives each its turn. All functions are for the thread of the
 * event loop; now_ms is monotonic.
 */
#ifndef VCOURIER_PIPELINE_H
#define VCOURIER_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "dead_letters.h"
#include "dispatcher_metrics.h"
#include "dispatcher_options.h"
#include "http.h"
#include "inbox.h"
#include "jetstream.h"
#include "job.h"
#include "processor.h"
#include "report.h"
#include "saved_list.h"
#include "sources.h"
#include "watchdog.h"

struct pipeline;

struct pipeline_config { /* all borrowed */
	struct bus *bus;
	struct http *http;
	struct inbox *inbox;
	struct dispatcher_metrics *metrics;
	const char *name;        /* of the eventProcessor */
	const char *durable;     /* its token */
	const char *prefix;      /* of the subjects of events: "vc" */
	const char *dead_stream; /* name of the stream of dead letters */
	const struct dispatch_options *options;
	const struct event_streams *streams; /* that are read now; sources.h changes them */
	const struct processor *processor;
	const void *processor_config;
	struct saved_list *saved_list; /* of the processor's targets; NULL: it saves none */
};

/* Opens the parts where events end. */
int pipeline_open(
	struct pipeline **pipeline, const struct pipeline_config *config, struct err *err);
/* Opens the rest. sources: where the events come from. Before the first message. */
int pipeline_start(struct pipeline *pipeline, struct sources *sources, struct err *err);
/* In this order: stop the acks, close http, free the jobs, close the bus, close. NULL: fine. */
void pipeline_stop_acks(struct pipeline *pipeline);
void pipeline_free_jobs(struct pipeline *pipeline);
void pipeline_close(struct pipeline *pipeline);

/* A new event, or one that is held and was redelivered; owns msg. */
void pipeline_message(struct pipeline *pipeline, const struct origin *origin,
	struct bus_msg *msg, const struct jetstream_meta *meta, int64_t now_ms);
/* The stream was recreated, or cut and grown again: see settle_recreated. */
void pipeline_recreated(struct pipeline *pipeline, const struct origin *origin);

/* ---- each turn */

void pipeline_tick(struct pipeline *pipeline, int64_t now_ms); /* ten times a second */
void pipeline_turn(struct pipeline *pipeline, int64_t now_ms); /* starts requests */
/* At the end, after the pulls: sends a PING after the acks and pulls of this turn. */
void pipeline_flush(struct pipeline *pipeline);

struct pipeline_room {
	size_t budget; /* messages to have requested; see window.h */
	size_t least;  /* by one pull */
};

/* messages: taken from the inbox, and no jobs yet. */
struct pipeline_room pipeline_room(struct pipeline *pipeline, size_t messages, int64_t now_ms);
/* A message that comes now can be delivered at once. */
bool pipeline_has_slot(const struct pipeline *pipeline);
/* When the next timer is due; at most until_ms. */
int64_t pipeline_due(struct pipeline *pipeline, int64_t now_ms, int64_t until_ms);

/* ---- what others report */

void pipeline_status(struct pipeline *pipeline, struct report_status *status);
void pipeline_view(const struct pipeline *pipeline, struct watchdog_view *view);
size_t pipeline_jobs(const struct pipeline *pipeline); /* events that are held */
struct dead_letters *pipeline_dead_letters(struct pipeline *pipeline);

/* ---- start again, and stop */

/* Gives all jobs back and resets the counters, when the watchdog has found a fault. */
void pipeline_restart(struct pipeline *pipeline);
/* From now on nothing is requested or sent, and each ack is confirmed by the server. */
void pipeline_stop(struct pipeline *pipeline);
/*
 * While it, or this stream, stops: gives back the jobs that have no request or dead letter
 * under way. origin: only those of this stream; NULL: of all. Returns how many of them are
 * left.
 */
size_t pipeline_give_back_idle(struct pipeline *pipeline, const struct origin *origin);
/* At the end: writes the log lines that were held back. */
void pipeline_end(struct pipeline *pipeline);

#endif
