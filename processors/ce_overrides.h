// SPDX-License-Identifier: Apache-2.0
/*
 * ceOverrides of Knative's sources: extensions that are set on each event before it is sent.
 * https://knative.dev/docs/eventing/custom-event-source/sinkbinding/reference/#cloudevent-overrides
 */
#ifndef VCOURIER_CE_OVERRIDES_H
#define VCOURIER_CE_OVERRIDES_H

#include "config.h"
#include "event.h"

/* Of an event's EVENT_EXTENSIONS_MAX; a collector sets up to nine. */
enum { CE_OVERRIDES_MAX = 10, CE_OVERRIDES_BYTES_MAX = 4096 };

struct ce_overrides {
	char **extensions; /* names and values alternating, NULL-terminated; NULL: none */
};

extern const struct config_field ce_overrides_fields[];

/* ERR_CONFIG: a name is not that of an extension, or there are too many. */
int ce_overrides_check(const struct ce_overrides *o, struct err *err);

/*
 * The event with the extensions, in place of its own of the same names: *with, which borrows
 * from *ev and *o, or ev itself when there is none to set. NULL, ERR_LIMIT: the event has too
 * many extensions.
 */
const struct event *ce_overrides_apply(const struct ce_overrides *o, const struct event *ev,
	struct event *with, struct err *err);

#endif
