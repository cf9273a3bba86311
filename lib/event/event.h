// SPDX-License-Identifier: Apache-2.0
/*
 * CloudEvents 1.0: how every process represents one event.
 *
 * On the bus an event is one JSON object in structured mode, attributes first and `data` last
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). The
 * scanner reads the attributes and stops where the data begins; the data is not parsed on this
 * path.
 */
#ifndef VCOURIER_EVENT_H
#define VCOURIER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum {
	EVENT_EXTENSIONS_MAX = 24,
	EVENT_ATTRIBUTES_BYTES_MAX = 16 * 1024, /* all attributes together */
};

#define EVENT_CONTENT_TYPE "application/cloudevents+json"

/*
 * com.vmware.event.router/<class> (the VMware Event Router), com.vmware.vsphere.<Name>.v0
 * (VSphereSource), and com.vmware.vsphere.<Name> (VSphereSource before September 2021)
 */
enum event_type_style { EVENT_TYPE_ROUTER, EVENT_TYPE_VSPHERE, EVENT_TYPE_VSPHERE_UNVERSIONED };

/*
 * What the types of Horizon's events begin with: com.vmware.event.router/horizon.<type>.v0, or
 * com.vmware.horizon.<type>.v0 (HorizonSource, in both of its dialects).
 */
#define EVENT_TYPE_HORIZON "com.vmware.event.router/horizon."

struct event_extension {
	const char *name;
	const char *value; /* decoded; a number or boolean as its JSON text */
	bool quoted;       /* it is a JSON string, in the input and in the output */
};

/* All strings are NUL-terminated, decoded, owned by the event, and "" when absent. */
struct event {
	const char *id, *source, *type, *subject, *time, *datacontenttype, *dataschema;
	struct event_extension extension[EVENT_EXTENSIONS_MAX];
	size_t n_extensions;

	const char *data; /* borrowed from the message; NULL: the event has none */
	size_t data_len;
	/* data is JSON text (one value); else raw bytes, as in binary mode */
	bool data_is_json;
	/* data is the text of `data_base64`, the bytes between the quotes */
	bool data_is_base64;
	bool is_1_0; /* the event has specversion 1.0 */

	/* the whole structured message, borrowed; NULL when it came in binary mode */
	const char *json;
	size_t json_len;
	size_t type_at, type_len; /* position of the type's string in json, quotes included */

	struct buf text; /* holds the strings */
};

void event_init(struct event *ev);
void event_clear(struct event *ev); /* keeps memory */
void event_free(struct event *ev);

/*
 * Parses a structured event. json is borrowed for as long as *ev is used. In the layout that
 * vcourier writes only the attributes are scanned; any other valid order is scanned completely.
 * Fails with ERR_PROTOCOL (err says why) when it is not a valid CloudEvent, and with ERR_LIMIT
 * when it is too large.
 */
int event_parse(struct event *ev, const char *json, size_t len, struct err *err);

/*
 * The same for an event from outside: all of it is scanned, wherever the data is. So the data
 * is valid JSON, and no other member is taken for a part of it.
 */
int event_parse_untrusted(struct event *ev, const char *json, size_t len, struct err *err);

/*
 * Sets one attribute of an event in binary mode; name in lower case. -1 also for a value that
 * is not UTF-8: U+FFFD in its place could make an event too large to be read again.
 */
int event_set(
	struct event *ev, const char *name, const char *value, size_t len, struct err *err);

/*
 * After the last event_set: sets the raw data of an event in binary mode, borrowed. The data is
 * JSON when datacontenttype says so or is missing and the data is one JSON value; otherwise it
 * is bytes. len 0: the event has no data.
 */
void event_set_data(struct event *ev, const char *data, size_t len);

/*
 * application/json, text/json, a suffix +json, or "", which means JSON; parameters and case are
 * ignored.
 */
bool event_is_json_type(const char *datacontenttype);

/* After the last event_set: all required attributes are set and all names are valid. */
int event_check(const struct event *ev, struct err *err);

/* An extension's value, or "" when the event does not have it. */
const char *event_extension(const struct event *ev, const char *name);

/*
 * The type in one of the dialects; out is cleared first. A type of another origin is
 * unchanged.
 */
void event_type(const struct event *ev, enum event_type_style style, struct buf *out);

/*
 * Appends the data as in binary mode: decoded from base64; a JSON string of a type that is not
 * JSON becomes its text. *bytes is the data: in out, or borrowed from the event when nothing
 * had to be decoded. -1: the data is not valid for its type.
 */
int event_raw_data(const struct event *ev, struct buf *out, const char **bytes, size_t *len,
	struct err *err);

/*
 * Appends the structured form; type_override replaces `type` unless it is NULL. Bytes become
 * `data` as a JSON string when they are UTF-8 text, else `data_base64`:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#31-handling-of-data
 * Without an override, and if ev->json is set, use ev->json instead and avoid the copy.
 */
void event_add_structured(const struct event *ev, const char *type_override, struct buf *out);

/*
 * The same in the member order of the VMware Event Router, data before the extensions, for
 * receivers that compare bytes.
 */
void event_add_structured_as_router(
	const struct event *ev, const char *type_override, struct buf *out);

/*
 * Parts of an event, for writers that build it: {"specversion":..., then attributes
 * `"name":"value"`, then "data":
 */
void event_begin(struct buf *out);
void event_add_attribute(struct buf *out, const char *name, const char *value);
void event_begin_data(struct buf *out); /* append the data, then a closing brace */

/*
 * Percent-encodes an attribute value for a `ce-` header: space, double quote, percent and
 * everything outside U+0021..U+007E, as upper-case hex of the UTF-8 bytes.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
 */
void event_add_header_value(struct buf *out, const char *value);

/*
 * The reverse, tolerant as section 3.1.3.2 requires: quoted strings, lower-case hex. False: the
 * value is not UTF-8.
 */
bool event_decode_header_value(const char *value, struct buf *out);

#endif
