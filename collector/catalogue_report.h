// SPDX-License-Identifier: Apache-2.0
/*
 * Replies to requests for the source's descriptions of events (`vcourier events`): the names
 * that it knows, with severity, category and text. The loop replies, because the descriptions
 * are the source's. A collector without any, as a standby, does not reply.
 */
#ifndef VCOURIER_CATALOGUE_REPORT_H
#define VCOURIER_CATALOGUE_REPORT_H

#include "bus.h"
#include "source.h"

struct catalogue_report;

/* name: of the source; requests go to CATALOGUE_PREFIX.<token>. bus is borrowed. */
int catalogue_report_open(
	struct catalogue_report **report, struct bus *bus, const char *name, struct err *err);
void catalogue_report_close(struct catalogue_report *report); /* after the bus; NULL is fine */

/*
 * Replies to what was asked since the last call: JSON objects {"more":true,"events":[{"name",
 * "severity","category","description"}]}, of CATALOGUE_REPLY_BYTES at most; the last one has
 * more: false.
 */
enum { CATALOGUE_REPLY_BYTES = 64 * 1024 };
void catalogue_report_answer(
	struct catalogue_report *report, const struct source *source, const void *self);

#endif
