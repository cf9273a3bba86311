// SPDX-License-Identifier: Apache-2.0
/* One event as the page's table shows it, and the choice of those that a browser wants. */
#ifndef VCOURIER_EVENT_ROW_H
#define VCOURIER_EVENT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "event.h"
#include "jetstream.h"
#include "pattern.h"

enum {
	ROW_TEXT_MAX = 300,        /* bytes of one column; longer text is cut */
	ROW_BODY_MAX = 256 * 1024, /* a larger event is kept without its body */
	FILTER_TEXT_MAX = 200,
};

struct event_row {  /* all of it is the row's own */
	char *json; /* {"s":stream,"n":sequence,"at":ms,"t":time,"src","sev","e","o","u","m"} */
	char *source, *severity, *name, *entity, *user;
	char *body; /* the CloudEvent in structured mode; NULL: it is too large */
	size_t body_len;
};

/*
 * Reads a message of a stream of events. A message that is no CloudEvent has a row, too: its
 * subject, and why. scratch was set up by event_init.
 */
struct event_origin {
	const char *stream, *source;
	const struct jetstream_meta *at;
};
void event_row_read(struct event_row *row, const struct event_origin *origin,
	const struct bus_msg *msg, struct event *scratch);
void event_row_free(struct event_row *row);
size_t event_row_bytes(const struct event_row *row); /* memory that it takes */

/* Texts are parts of a column in any case; severity and source are whole. "" is any. */
struct row_filter {
	char name[FILTER_TEXT_MAX], entity[FILTER_TEXT_MAX], user[FILTER_TEXT_MAX],
		text[FILTER_TEXT_MAX];
	char severity[64]; /* "error,warning": one of them */
	char source[FILTER_TEXT_MAX];
	struct pattern *pattern; /* NULL: any */
};

bool event_row_matches(struct row_filter *filter, const struct event_row *row);
void event_row_filter_free(struct row_filter *filter);

#endif
