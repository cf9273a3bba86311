// SPDX-License-Identifier: Apache-2.0
/*
 * CloudEvents 1.0: the view that every process has of one event.
 *
 * On the bus an event is one JSON object in structured mode, attributes first and `data` last
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). The
 * scanner reads the attributes and stops where the data begins; the data is never parsed on
 * this path.
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
 * com.vmware.event.router/<class> (the VMware Event Router) or com.vmware.vsphere.<Name>.v0
 * (VSphereSource)
 */
enum event_type_style { EVENT_TYPE_ROUTER, EVENT_TYPE_VSPHERE };

struct event_extension {
	const char *name;
	const char *value; /* decoded; a number or boolean as its JSON text */
	bool quoted;       /* it was, and is written as, a JSON string */
};

/* All strings are NUL-terminated, decoded, owned by the event, and "" when absent. */
struct event {
	const char *id, *source, *type, *subject, *time, *datacontenttype, *dataschema;
	struct event_extension extension[EVENT_EXTENSIONS_MAX];
	size_t n_extensions;

	const char *data; /* borrowed from the message; NULL: the event has none */
	size_t data_len;
	/* data is JSON text (a value); else raw bytes, as in binary mode */
	bool data_is_json;
	/* data is the text of `data_base64`, as it stands between the quotes */
	bool data_is_base64;
	bool is_1_0; /* specversion 1.0 was there */

	/* the whole structured message, borrowed; NULL when it came in binary mode */
	const char *json;
	size_t json_len;
	size_t type_at, type_len; /* where in json the type's string stands, quotes included */

	struct buf text; /* where the strings live */
};

void event_init(struct event *ev);
void event_clear(struct event *ev); /* keeps memory */
void event_free(struct event *ev);

/*
 * Reads a structured event. json is borrowed for as long as *ev is used. The layout that we
 * write costs a scan of the attributes; any other legal order is read on a cold path that scans
 * it all. Fails with ERR_PROTOCOL (why in err) when it is no valid CloudEvent, ERR_LIMIT when
 * too large.
 */
int event_parse(struct event *ev, const char *json, size_t len, struct err *err);

/* Sets one attribute of an event that is built up by hand (binary mode); name in lower case. */
int event_set(
	struct event *ev, const char *name, const char *value, size_t len, struct err *err);

/*
 * After the last event_set: the raw data of an event in binary mode, borrowed. It is JSON when
 * datacontenttype says so or is missing, and it is one JSON value; else bytes. No bytes are no
 * data.
 */
void event_set_data(struct event *ev, const char *data, size_t len);

/*
 * application/json, text/json, a suffix +json, or "", which means JSON; parameters and case do
 * not matter.
 */
bool event_is_json_type(const char *datacontenttype);

/* After the last event_set: required attributes there, names legal. */
int event_check(const struct event *ev, struct err *err);

/* An extension's value, or "" when the event does not have it. */
const char *event_extension(const struct event *ev, const char *name);

/*
 * The type in one of the two dialects; out is cleared first. Other people's types pass through.
 */
void event_type(const struct event *ev, enum event_type_style style, struct buf *out);

/*
 * Appends the data as binary mode has it: decoded from base64; a JSON string of a type that is
 * not JSON as its text. *bytes is the data: in out, or where it stands, when nothing had to be
 * decoded. -1: it is not what it says to be.
 */
int event_raw_data(const struct event *ev, struct buf *out, const char **bytes, size_t *len,
	struct err *err);

/*
 * The structured form, `type` replaced by type_override unless that is NULL. Bytes become
 * `data` as a JSON string when they are UTF-8 text, else `data_base64`:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#31-handling-of-data
 * Without an override and with ev->json there, copying can be avoided: use ev->json as it is.
 */
void event_add_structured(const struct event *ev, const char *type_override, struct buf *out);

/*
 * The same in the member order of the VMware Event Router, data before the extensions: for
 * receivers that compare bytes.
 */
void event_add_structured_as_router(
	const struct event *ev, const char *type_override, struct buf *out);

/*
 * `"name":"value"` members, for writers that put an envelope together: {specversion..., "data":
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
 * The reverse, tolerant as section 3.1.3.2 asks: quoted strings, lower-case hex. False: not
 * UTF-8.
 */
bool event_decode_header_value(const char *value, struct buf *out);

#endif
