// SPDX-License-Identifier: Apache-2.0
/*
 * Severity by event name, as the vCenter's EventDescription says it: static per build and
 * locale.
 */
#ifndef VCOURIER_SEVERITIES_H
#define VCOURIER_SEVERITIES_H

#include <stddef.h>

#include "table.h"

struct severity_entry {
	char *name;            /* the key */
	const char *severity;  /* one of the four words */
	char *category, *text; /* as the vCenter has them; at most SEVERITIES_TEXT_MAX bytes */
};

enum { SEVERITIES_TEXT_MAX = 200 };

struct severities {
	struct table by_name; /* of struct severity_entry */
};

void severities_init(struct severities *s);
void severities_free(struct severities *s);

/*
 * Notes that events of this name have this category, of which unknown words count as info, and
 * what they say.
 */
void severities_add(
	struct severities *s, const char *name, const char *category, const char *text);

/*
 * The severity of an event: its own (EventEx.severity) when it is one of the four words, else
 * by the event's name, else by its class, else "info". Never NULL, constant.
 */
const char *severities_of(
	const struct severities *s, const char *own, const char *name, const char *class_name);

#endif
