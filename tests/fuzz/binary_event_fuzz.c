// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a header block, a NUL byte, the data of a message: an event in binary or structured
 * mode. An event that is read can be written in both modes, and says the same there.
 */
#include <assert.h>
#include <string.h>

#include "copied_headers.h"
#include "event.h"
#include "fuzz_bus.h"
#include "json.h"
#include "message.h"
#include "order.h"

enum { OUT_MAX = 1 << 20 };

static void
check_header_value(const char *value)
{
	struct buf coded, decoded;

	buf_init(&coded, OUT_MAX);
	buf_init(&decoded, OUT_MAX);
	event_add_header_value(&coded, value);
	for (size_t i = 0; i < coded.len; i++)
		assert(coded.data[i] > ' ' && coded.data[i] < 0x7f && coded.data[i] != '"');
	assert(event_decode_header_value(buf_str(&coded), &decoded));
	assert(strcmp(buf_str(&decoded), value) == 0);
	buf_free(&coded);
	buf_free(&decoded);
}

static void
check_written(const struct event *ev, const struct buf *out)
{
	const char *p = buf_str((struct buf *)out), *end = p + out->len;
	struct event again;
	struct err err;

	if (!buf_ok(out))
		return;
	assert(json_skip_value(&p, end));
	json_skip_blanks(&p, end);
	assert(p == end);
	event_init(&again);
	if (event_parse(&again, buf_str((struct buf *)out), out->len, &err) != 0) {
		assert(err.code ==
			ERR_LIMIT); /* another type may be too long beside the rest */
		event_free(&again);
		return;
	}
	assert(strcmp(again.id, ev->id) == 0 && strcmp(again.source, ev->source) == 0);
	assert(strcmp(again.subject, ev->subject) == 0 && strcmp(again.time, ev->time) == 0);
	assert(again.n_extensions == ev->n_extensions);
	assert((again.data != NULL) == (ev->data != NULL));
	event_free(&again);
}

static void
check_event(const struct event *ev)
{
	struct buf out, raw;
	const char *bytes;
	size_t len;
	struct err err;

	buf_init(&out, OUT_MAX);
	buf_init(&raw, OUT_MAX);
	event_add_structured(ev, NULL, &out);
	check_written(ev, &out);
	buf_clear(&out);
	event_add_structured_as_router(ev, "other", &out);
	check_written(ev, &out);
	event_type(ev, EVENT_TYPE_VSPHERE, &out);
	assert(out.len > 0);
	if (event_raw_data(ev, &raw, &bytes, &len, &err) == 0)
		assert(bytes != NULL);
	else
		assert(err.text[0] != '\0');
	order_key(ev);
	check_header_value(ev->id);
	check_header_value(ev->source);
	check_header_value(ev->subject);
	for (size_t i = 0; i < ev->n_extensions; i++)
		check_header_value(ev->extension[i].value);
	buf_free(&out);
	buf_free(&raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_message m = { .subject = "vc.lab.x" };
	struct fuzz_parts parts;
	struct bus_msg *msg;
	struct event ev;
	struct err err;

	fuzz_parts_init(&parts, data, size);
	m.block = fuzz_part(&parts);
	m.data = fuzz_rest(&parts, &m.len);
	msg = fuzz_bus_message(&m);
	event_init(&ev);
	if (message_read_event(msg, &ev, &err) == 0) {
		assert(event_check(&ev, &err) == 0);
		check_event(&ev);
	} else {
		assert(err.text[0] != '\0');
	}
	event_free(&ev);
	bus_msg_free(msg);
	fuzz_parts_free(&parts);
	return 0;
}
