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
	char *name;
	const char *severity; /* one of the four words */
};

struct severities {
	struct table by_name; /* of struct severity_entry */
};

void severities_init(struct severities *s);
void severities_free(struct severities *s);

/* Notes that events of this name have this category; unknown words count as info. */
void severities_add(struct severities *s, const char *name, const char *category);

/*
 * The severity of an event: its own (EventEx.severity) when it is one of the four words, else
 * by the event's name, else by its class, else "info". Never NULL, constant.
 */
const char *severities_of(
	const struct severities *s, const char *own, const char *name, const char *class_name);

#endif
