// SPDX-License-Identifier: Apache-2.0
/*
 * A page of Horizon's audit events, and each of them as a message for the stream. Pure.
 *
 * The reply is a JSON array of AuditEventSummary objects:
 * https://developer.broadcom.com/xapis/vmware-horizon-server-api/latest/external/v1/audit-events/get/
 * An event is not parsed into a tree: its text is the data of the CloudEvent, so that numbers
 * keep their digits and members of later versions are kept.
 */
#ifndef VCOURIER_HORIZON_EVENTS_H
#define VCOURIER_HORIZON_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum {
	HORIZON_EVENTS_MAX = 10000,    /* of a reply; Horizon returns no more than 1000 */
	HORIZON_VALUE_MAX = 64 * 1024, /* bytes of a member that is looked at */
	HORIZON_NAME_MAX = 256,        /* bytes of an id and of a type; longer ones are cut */
	/* bytes of a message beside the data: attributes and the headers of NATS */
	HORIZON_OVERHEAD = 16 * 1024,
};

struct horizon_event {
	int64_t key; /* `id`; of an id that is not an integer, or missing, a hash */
	/* `time`. An event without a readable one has 0 and `dated` is false */
	int64_t created_us;
	bool dated;
	const char *json; /* the object, in the page's text */
	size_t len;
};

struct horizon_page {
	struct horizon_event *event; /* in the order of time and key */
	size_t n, cap;
	size_t damaged; /* elements that are not objects: there is no event in them */
	bool repaired;  /* bytes were not UTF-8; each is U+FFFD now */
	struct buf text;
};

void horizon_page_init(struct horizon_page *page);
void horizon_page_free(struct horizon_page *page);

/*
 * Reads a reply. body is borrowed until the next call. ERR_PROTOCOL: it is not a JSON array;
 * ERR_LIMIT: it has more than HORIZON_EVENTS_MAX elements.
 */
int horizon_page_parse(
	struct horizon_page *page, const char *body, size_t len, struct err *err);

/*
 * A member of an event as text, control characters replaced: a string decoded, anything else as
 * it is. out is cleared first and takes HORIZON_VALUE_MAX bytes. False: it is missing, null,
 * empty or longer.
 */
bool horizon_member(const struct horizon_event *event, const char *name, struct buf *out);

/* Whose events they are. */
struct horizon_origin {
	const char *name, *address; /* of the eventProvider: in the subject; the source */
	size_t data_max;            /* bytes of data: larger data is trimmed */
};

/* One event as a message; the buffers keep their memory from one to the next. */
struct horizon_message {
	struct buf subject, msg_id, id, data;
	bool trimmed;
	struct buf type, name; /* room to work in */
};

void horizon_message_init(struct horizon_message *m);
void horizon_message_free(struct horizon_message *m);

/*
 * Nats-Msg-Id is horizon/<key>/<time ms>: what stream_tail.h reads back. The Connection Servers
 * of a pod share its events, so the address is not a part of it.
 */
#define HORIZON_IDENTITY "horizon"
void horizon_message_write(struct horizon_message *m, const struct horizon_origin *origin,
	const struct horizon_event *event);

#endif
