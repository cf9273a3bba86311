// SPDX-License-Identifier: Apache-2.0
/*
 * One event of a page as the message that goes to the bus: CloudEvent, subject, Nats-Msg-Id.
 * Pure.
 */
#ifndef VCOURIER_ENVELOPE_H
#define VCOURIER_ENVELOPE_H

#include "buf.h"
#include "normalize.h"

struct envelope_source {
	const char *vcenter;     /* the configured name */
	const char *prefix;      /* first token of subjects */
	const char *url;         /* the SDK URL without user info: `source` */
	const char *api_version; /* About.apiVersion */
	const char *uuid;        /* About.instanceUuid */
};

enum {
	/*
	 * Bytes of all attributes as JSON: an escaped `subject` (6 x 1 KiB), `source` (2 KiB),
	 * the rest.
	 */
	ENVELOPE_ATTRIBUTES_MAX = 15 * 1024,
	ENVELOPE_HEADERS_MAX = 1024, /* bytes of the message's NATS headers, beside these */
};

struct envelope {
	/* id, name: the CloudEvent's `id` and `subject` */
	struct buf subject, msg_id, message, id, name;
	bool trimmed; /* the last event lost members, or its name was cut */
};

/* data_max: bytes of an event's data */
void envelope_init(struct envelope *e, size_t data_max);
void envelope_free(struct envelope *e);

/*
 * Fills *e; severity is one of the four words. A name of any length fits. False: the event's
 * data is larger than data_max.
 */
bool envelope_write(struct envelope *e, const struct envelope_source *source,
	const struct normalize_event *event, const char *severity);

/*
 * A record that events between two times may be missing: they left the vCenter before they were
 * read. Type com.vcourier.gap, subject EventGap; data {"From","To","Reason"}.
 */
bool envelope_write_gap(struct envelope *e, const struct envelope_source *source,
	int64_t from_us, int64_t to_us, const char *reason);

#endif
