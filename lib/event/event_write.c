// SPDX-License-Identifier: Apache-2.0
/* Writes CloudEvents: the structured form, header values, the two type dialects. */
#include "event.h"

#include <ctype.h>
#include <string.h>

#include "base64.h"
#include "json.h"
#include "text.h"

static const char router_prefix[] = "com.vmware.event.router/";

void
event_begin(struct buf *out)
{
	buf_add_str(out, "{\"specversion\":\"1.0\"");
}

static void
add_name(struct buf *out, const char *name)
{
	buf_add_str(out, ",\"");
	buf_add_str(out, name);
	buf_add_str(out, "\":");
}

void
event_add_attribute(struct buf *out, const char *name, const char *value)
{
	add_name(out, name);
	json_add_string(out, value, strlen(value));
}

void
event_begin_data(struct buf *out)
{
	buf_add_str(out, ",\"data\":");
}

static void
add_optional(struct buf *out, const char *name, const char *value)
{
	if (*value != '\0')
		event_add_attribute(out, name, value);
}

/*
 * True for bytes that a JSON string cannot hold, and for data that is declared as JSON but is
 * not: written as a JSON string, it would become valid JSON.
 */
static bool
is_binary(const struct event *ev)
{
	return !ev->data_is_json &&
		((*ev->datacontenttype != '\0' && event_is_json_type(ev->datacontenttype)) ||
			text_utf8_valid(ev->data, ev->data_len) != ev->data_len);
}

static void
add_data(const struct event *ev, struct buf *out)
{
	if (ev->data == NULL)
		return;
	if (ev->data_is_base64 || is_binary(ev)) {
		buf_add_str(out, ",\"data_base64\":\"");
		if (ev->data_is_base64)
			buf_add(out, ev->data, ev->data_len);
		else
			base64_encode(out, ev->data, ev->data_len);
		buf_add_char(out, '"');
	} else {
		event_begin_data(out);
		if (ev->data_is_json)
			buf_add(out, ev->data, ev->data_len);
		else
			json_add_string(out, ev->data, ev->data_len);
	}
}

int
event_raw_data(const struct event *ev, struct buf *out, const char **bytes, size_t *len,
	struct err *err)
{
	struct buf text;
	bool ok = true;

	*bytes = ev->data != NULL ? ev->data : "";
	*len = ev->data_len;
	buf_init(&text, ev->data_len + 2);
	if (ev->data_is_base64 &&
		memchr(*bytes, '\\', ev->data_len) != NULL) { /* "\/" is "/" in JSON */
		ok = json_decode_string(ev->data - 1, ev->data_len + 2, &text) &&
			base64_decode(out, buf_str(&text), text.len);
	} else if (ev->data_is_base64) {
		ok = base64_decode(out, ev->data, ev->data_len);
	} else if (ev->data_is_json && **bytes == '"' &&
		!event_is_json_type(ev->datacontenttype)) {
		ok = json_decode_string(ev->data, ev->data_len, out);
	} else {
		return 0;
	}
	buf_free(&text);
	if (!ok)
		return err_set(err, ERR_PROTOCOL,
			ev->data_is_base64 ? "data_base64 is not base64"
					   : "data is not a valid JSON string");
	*bytes = buf_str(out);
	*len = out->len;
	return 0;
}

static void
add_extensions(const struct event *ev, struct buf *out)
{
	size_t i;

	for (i = 0; i < ev->n_extensions; i++) {
		if (ev->extension[i].quoted) {
			event_add_attribute(out, ev->extension[i].name, ev->extension[i].value);
		} else {
			add_name(out, ev->extension[i].name);
			buf_add_str(out, ev->extension[i].value);
		}
	}
}

static void
begin_with(const struct event *ev, const char *type_override, struct buf *out)
{
	event_begin(out);
	event_add_attribute(out, "id", ev->id);
	event_add_attribute(out, "source", ev->source);
	event_add_attribute(out, "type", type_override ? type_override : ev->type);
	add_optional(out, "subject", ev->subject);
}

void
event_add_structured(const struct event *ev, const char *type_override, struct buf *out)
{
	if (ev->json != NULL && (type_override == NULL || ev->type_len != 0)) {
		size_t behind = ev->type_at + ev->type_len;

		if (type_override == NULL) {
			buf_add(out, ev->json, ev->json_len);
			return;
		}
		buf_add(out, ev->json, ev->type_at);
		json_add_string(out, type_override, strlen(type_override));
		buf_add(out, ev->json + behind, ev->json_len - behind);
		return;
	}
	begin_with(ev, type_override, out);
	add_optional(out, "time", ev->time);
	add_optional(out, "datacontenttype", ev->datacontenttype);
	add_optional(out, "dataschema", ev->dataschema);
	add_extensions(ev, out);
	add_data(ev, out);
	buf_add_char(out, '}');
}

void
event_add_structured_as_router(
	const struct event *ev, const char *type_override, struct buf *out)
{
	begin_with(ev, type_override, out);
	add_optional(out, "datacontenttype", ev->datacontenttype);
	add_optional(out, "dataschema", ev->dataschema);
	add_optional(out, "time", ev->time);
	add_data(ev, out);
	add_extensions(ev, out);
	buf_add_char(out, '}');
}

void
event_type(const struct event *ev, enum event_type_style style, struct buf *out)
{
	buf_clear(out);
	if (style != EVENT_TYPE_ROUTER && text_starts(ev->type, EVENT_TYPE_HORIZON))
		buf_printf(out, "com.vmware.%s", ev->type + sizeof(router_prefix) - 1);
	else if (style != EVENT_TYPE_ROUTER && text_starts(ev->type, router_prefix) &&
		*ev->subject != '\0')
		buf_printf(out, "com.vmware.vsphere.%s%s", ev->subject,
			style == EVENT_TYPE_VSPHERE ? ".v0" : "");
	else
		buf_add_str(out, ev->type);
}

void
event_add_header_value(struct buf *out, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *s = (const unsigned char *)value, *plain;

	for (;; s++) {
		plain = s;
		while (*s > 0x20 && *s < 0x7f && *s != '"' && *s != '%')
			s++;
		buf_add(out, plain, (size_t)(s - plain));
		if (*s == '\0')
			return;
		buf_add_char(out, '%');
		buf_add_char(out, hex[*s >> 4]);
		buf_add_char(out, hex[*s & 15]);
	}
}

static int
hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

bool
event_decode_header_value(const char *value, struct buf *out)
{
	size_t start = out->len, len = strlen(value), i = 0;
	bool quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';

	if (quoted) {
		i = 1;
		len--;
	}
	while (i < len) {
		char c = value[i++];
		int high, low;

		if (quoted && c == '\\' && i < len) {
			c = value[i++];
		} else if (c == '%' && len - i >= 2 && (high = hex_digit(value[i])) >= 0 &&
			(low = hex_digit(value[i + 1])) >= 0) {
			c = (char)(high * 16 + low);
			i += 2;
		}
		buf_add_char(out, c);
	}
	return buf_ok(out) &&
		text_utf8_valid(buf_str(out) + start, out->len - start) == out->len - start;
}
