// SPDX-License-Identifier: Apache-2.0
/* What a row of a table says about an event. */
#ifndef VCOURIER_EVENT_SUMMARY_H
#define VCOURIER_EVENT_SUMMARY_H

#include <cjson/cJSON.h>

#include "event.h"

struct event_summary {    /* strings borrowed from the event and from data; never NULL */
	const char *name; /* the CloudEvents subject, else the type */
	const char *severity, *entity, *user, *message;
	cJSON *data;
};

/* Parses the event's data. Free it before the event changes. */
void event_summary_read(struct event_summary *summary, const struct event *ev);
void event_summary_free(struct event_summary *summary);

#endif
