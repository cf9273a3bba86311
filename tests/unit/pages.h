// SPDX-License-Identifier: Apache-2.0
/* Pages of events for the normalizer's tests. */
#ifndef VCOURIER_PAGES_H
#define VCOURIER_PAGES_H

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"
#include "normalize.h"
#include "text.h"

#define PAGE_HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<S:Envelope " \
	"xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" " \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" " \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">" \
	"<S:Body><ReadNextEventsResponse xmlns=\"urn:vim25\">"
#define PAGE_TAIL "</ReadNextEventsResponse></S:Body></S:Envelope>\n"
#define EVENT_BASE \
	"<key>7</key><createdTime>2026-11-22T10:11:12.5Z</createdTime><userName>root</" \
	"userName>"

struct page {
	struct normalizer *normalizer;
	struct normalize_page page;
	struct err err;
	int rc;
	struct buf text, data;
};

static inline void
page_open(struct page *p, const struct normalize_limits *limits)
{
	*p = (struct page){ 0 };
	normalizer_open(&p->normalizer, limits);
	buf_init(&p->text, 256 << 20);
	buf_init(&p->data, 256 << 20);
}

static inline void
page_close(struct page *p)
{
	normalizer_close(p->normalizer);
	buf_free(&p->text);
	buf_free(&p->data);
}

/* Feeds a reply in pieces; every event that comes of it must be one JSON object. */
static inline void
page_read(struct page *p, const char *xml, size_t len, size_t piece)
{
	p->page = (struct normalize_page){ 0 };
	p->err = (struct err){ 0 };
	normalizer_begin(p->normalizer);
	for (size_t i = 0; i < len; i += piece) {
		if (normalizer_feed(p->normalizer, xml + i, len - i < piece ? len - i : piece,
			    &p->err) != 0)
			break;
	}
	p->rc = normalizer_end(p->normalizer, &p->page, &p->err);
	for (size_t i = 0; p->rc == 0 && i < p->page.n; i++) {
		const char *s = p->page.event[i].data, *end = s + p->page.event[i].data_len;

		if (*s != '{' || !json_skip_value(&s, end) || s != end)
			fail_msg("event %zu is no JSON: %.*s", i,
				(int)p->page.event[i].data_len, p->page.event[i].data);
	}
}

static inline void
page_read_file(struct page *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *room;

	assert_non_null(f);
	buf_clear(&p->text);
	room = buf_room(&p->text, 1 << 20);
	buf_grew(&p->text, fread(room, 1, 1 << 20, f));
	fclose(f);
	page_read(p, p->text.data, p->text.len, p->text.len);
}

static inline const char *
page_data(struct page *p, size_t i)
{
	buf_clear(&p->data);
	buf_add(&p->data, p->page.event[i].data, p->page.event[i].data_len);
	return buf_str(&p->data);
}

#endif
