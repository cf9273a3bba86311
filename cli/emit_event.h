// SPDX-License-Identifier: Apache-2.0
/*
 * The CloudEvent of a sample: made by the collector's own code, marked as a test, with the
 * attributes and members that the user sets.
 */
#ifndef VCOURIER_EMIT_EVENT_H
#define VCOURIER_EMIT_EVENT_H

#include "event.h"
#include "sample.h"

/* The extension attribute that marks a test; its value is "true". docs/events.md */
#define EMIT_TEST_ATTRIBUTE "vcouriertest"

struct emit_event {
	/* borrowed */
	const char *vcenter, *prefix; /* of the subject on the bus */
	const char *const *setting;   /* "PATH=VALUE": data.Vm.Name=x, severity=error */
	size_t n_settings;
	enum event_type_style style;
	/* the result */
	struct event event; /* in binary mode; its data is in `xml`, `data` */
	struct buf type;    /* of the event, in the dialect */
	struct buf subject; /* on the bus, of a collector's message */
	struct buf soap, data;
};

/* Set vcenter, prefix, setting, n_settings and style afterwards. */
void emit_event_init(struct emit_event *e);
void emit_event_free(struct emit_event *e);

/*
 * Makes the event of this class or EventEx id, with this key and createdTime. ERR_USAGE: the
 * name or a setting is wrong; err says which.
 */
struct emit_identity {
	int32_t key;
	int64_t created_us;
};
int emit_event_make(struct emit_event *e, const char *name,
	const struct emit_identity *identity, struct err *err);

#endif
