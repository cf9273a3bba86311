// SPDX-License-Identifier: Apache-2.0
/* One event of a page as the message that goes to the bus: CloudEvent, subject, Nats-Msg-Id. Pure. */
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

struct envelope {
	struct buf subject, msg_id, message, id; /* id: the CloudEvent's */
};

void envelope_init(struct envelope *e, size_t message_max);
void envelope_free(struct envelope *e);

/* Fills *e; severity is one of the four words. False: the message is larger than message_max. */
bool envelope_write(struct envelope *e, const struct envelope_source *source, const struct normalize_event *event,
	const char *severity);

/*
 * A record that events between two times are missing: they left the vCenter before they were read. Type
 * com.vcourier.gap, subject EventGap; data {"From","To","Reason"}.
 */
bool envelope_write_gap(struct envelope *e, const struct envelope_source *source, int64_t from_us, int64_t to_us,
	const char *reason);

#endif
