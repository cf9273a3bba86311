// SPDX-License-Identifier: Apache-2.0
/*
 * NATS names made from vCenter names.
 *
 * One token: bytes [A-Za-z0-9_-] stay, every other byte becomes =HH (upper-case hex), an empty
 * name becomes "_" and the name "_" becomes "=5F". A token that would be longer than 64 bytes
 * is cut to its first 54, "~" and 8 hex digits of the FNV-1a hash of the whole name: the only
 * lossy case. So a token has a bound, and with it a whole subject, however long the names are.
 */
#ifndef VCOURIER_SUBJECT_H
#define VCOURIER_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum {
	/*
	 * Bytes of the CloudEvents attribute `subject`. vCenter's own event ids are shorter
	 * than 128 characters.
	 */
	SUBJECT_ATTRIBUTE_MAX = 1024,
	SUBJECT_TOKEN_MAX = 64, /* bytes of a token */
};

/* Appends name[0..len) as one token. */
void subject_add_token(struct buf *out, const char *name, size_t len);

/*
 * Appends an event name: the dots of an EventEx id stay dots, so each part is a token, at most
 * 7 (the rest joins the last one with =2E).
 */
void subject_add_name(struct buf *out, const char *name);

/*
 * Appends an event name as the CloudEvents attribute `subject`. A name of more than
 * SUBJECT_ATTRIBUTE_MAX bytes is cut between two characters, and ends in "~" and the 8 hex
 * digits that its token ends in, too. False: it was cut. The name is valid UTF-8.
 */
bool subject_add_attribute(struct buf *out, const char *name);

/*
 * The reverse of subject_add_token and subject_add_name: the name that tokens stand for, to be
 * freed by the caller. A name that was cut stays cut, and "_" stays "_".
 */
char *subject_decode(const char *tokens);

struct subject_parts { /* any may be NULL or "" */
	const char *prefix, *vcenter, *datacenter, *cluster;
	const char *severity;   /* info, warning, error, user */
	const char *eventclass; /* event, eventex, extendedevent */
	const char *name;
};

/*
 * <prefix>.<vcenter>.<datacenter>.<cluster>.<severity>.<class>.<EventName>; out is cleared
 * first.
 */
void subject_write(struct buf *out, const struct subject_parts *parts);

/*
 * The subject of an event of a source that is not a vCenter, ce.<source>.<type>: the dots of
 * the type stay dots, as in subject_add_name. out is cleared first.
 */
#define SOURCE_SUBJECT_PREFIX "ce"
void subject_write_source(struct buf *out, const char *source, const char *type);

/*
 * Streams of events: VC_<vCenter>, and CE_<source> of sources other than a vCenter. `vcourier
 * dead redrive` reads originals from streams with these prefixes only.
 */
#define VCENTER_STREAM_PREFIX "VC_"
#define SOURCE_STREAM_PREFIX "CE_"
enum { STREAM_PREFIX_LEN = 3 }; /* of both */

/* The name of a vCenter's stream, "VC_<vCenter token>". out is cleared first. */
void subject_stream(struct buf *out, const char *vcenter);

/* The same of another source, "CE_<source token>". */
void subject_stream_source(struct buf *out, const char *source);

/*
 * The part of a subject that names the event: after the class, "VmPoweredOnEvent"; of a subject
 * with the prefix ce the type. The whole subject when it has no such part.
 */
const char *subject_event(const char *subject);

#endif
