// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of the events of a page: those that are not stored are written as CloudEvents
 * and sent to the publisher. Counts all of them.
 */
#ifndef VCOURIER_VCENTER_INTAKE_H
#define VCOURIER_VCENTER_INTAKE_H

#include "source_checkpoint.h"
#include "publisher.h"
#include "source.h"
#include "vcenter_catalogue.h"
#include "vcenter_clock_watch.h"
#include "vim.h"

struct vcenter_intake;

struct vcenter_intake_options {
	const char *vcenter, *prefix, *url; /* see struct envelope_source */
	size_t event_max;                   /* bytes of an event's data */
	struct vim *vim; /* parses the next page while the publisher is full */
	struct publisher *publisher;
	struct source_checkpoint *checkpoint;
	const struct vcenter_clock_watch *clock;
	const struct vcenter_catalogue *catalogue;
};

/* The options are copied; what they point to is borrowed. */
struct vcenter_intake *vcenter_intake_open(const struct vcenter_intake_options *options);
void vcenter_intake_close(struct vcenter_intake *in); /* NULL is fine */

/* At each login: about, borrowed until the next one, becomes part of each event. */
void vcenter_intake_set_about(struct vcenter_intake *in, const struct vim_about *about);

/*
 * Takes a page. after_key: only events with later keys; NULL: all. *fresh: is increased by the
 * number of events that were not stored.
 */
enum source_result vcenter_intake_page(struct vcenter_intake *in,
	const struct normalize_page *page, const int32_t *after_key, size_t *fresh,
	struct err *err);

/* Sends a record that events between two createdTimes are missing. reason: for people. */
enum source_result vcenter_intake_gap(struct vcenter_intake *in, int64_t from_us, int64_t to_us,
	const char *reason, struct err *err);

/* Keys start over with this one: another database. */
void vcenter_intake_begin_epoch(struct vcenter_intake *in, int64_t key);

/* The counts only grow. */
struct vcenter_intake_counts {
	uint64_t read, suppressed, rejected;
	uint64_t sent;   /* events */
	uint64_t epochs; /* times that keys started over */
};
const struct vcenter_intake_counts *vcenter_intake_counts(const struct vcenter_intake *in);

#endif
