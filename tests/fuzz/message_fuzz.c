// SPDX-License-Identifier: Apache-2.0
/*
 * Input: a subject, a filter, a reply subject, a Retry-After and an event's text, a NUL byte
 * between them: what a dispatcher reads of a message from anybody. The event stands in memory
 * of exactly its size.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "filter.h"
#include "http.h"
#include "jetstream.h"
#include "order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_event(const uint8_t *data, size_t size)
{
	char *json = malloc(size > 0 ? size : 1);
	struct buf out;
	struct event ev, again;
	struct err err;

	memcpy(json, data, size);
	event_init(&ev);
	event_init(&again);
	buf_init(&out, 8 * 1024 * 1024);
	if (event_parse(&ev, json, size, &err) == 0) {
		order_key(&ev);
		event_add_structured(&ev, "other.type", &out);
		/* what we write of an event is that event */
		if (buf_ok(&out) && event_parse(&again, buf_str(&out), out.len, &err) == 0)
			assert(strcmp(again.id, ev.id) == 0);
		else /* the other type may be too long beside the rest */
			assert(!buf_ok(&out) || err.code == ERR_LIMIT);
	}
	buf_free(&out);
	event_free(&again);
	event_free(&ev);
	free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *part[4] = { "", "", "", "" };
	char *text = malloc(size + 1), *p = text, narrowed[256];
	struct jetstream_meta d;

	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 4 && p < text + size; i++) {
		part[i] = p;
		p += strlen(p) + 1;
	}
	filter_subject_matches(part[1], part[0]);
	/* what a narrowed filter lets through, the filter lets through */
	if (filter_narrow(part[1], "vc.lab.>", narrowed, sizeof(narrowed)) &&
		narrowed[0] != '\0' && filter_subject_matches(narrowed, part[0]))
		assert(filter_subject_matches(part[1], part[0]));
	jetstream_meta_parse(part[2], &d);
	assert(http_parse_retry_after(part[3], 0) >= -1);
	if (p < text + size)
		read_event((const uint8_t *)p, (size_t)(text + size - p));
	free(text);
	return 0;
}
