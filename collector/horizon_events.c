// SPDX-License-Identifier: Apache-2.0
#include "horizon_events.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hash.h"
#include "json.h"
#include "mem.h"
#include "text.h"

void
horizon_page_init(struct horizon_page *page)
{
	*page = (struct horizon_page){ .n = 0 };
}

void
horizon_page_free(struct horizon_page *page)
{
	buf_free(&page->text);
	free(page->event);
	horizon_page_init(page);
}

/* ---- members */

bool
horizon_member(const struct horizon_event *e, const char *name, struct buf *out)
{
	struct buf raw;
	bool found;

	buf_clear(out);
	buf_init(&raw, HORIZON_VALUE_MAX);
	found = json_find_member(e->json, e->len, name, &raw) && buf_ok(&raw);
	if (found && raw.data[0] == '"')
		found = json_decode_string(raw.data, raw.len, out);
	else if (found && strcmp(buf_str(&raw), "null") != 0)
		buf_add(out, raw.data, raw.len);
	buf_free(&raw);
	for (size_t i = 0; i < out->len; i++)
		if (iscntrl((unsigned char)out->data[i]))
			out->data[i] = '_';
	return found && buf_ok(out) && out->len != 0;
}

static int64_t
hash(const char *text, size_t len)
{
	return (int64_t)(hash_fnv1a(HASH_FNV1A, text, len) >> 1);
}

static void
read_key(struct horizon_event *e, struct buf *text)
{
	bool found = horizon_member(e, "id", text);

	if (!found)
		e->key = hash(e->json, e->len);
	else if (!text_int(buf_str(text), INT64_MIN, INT64_MAX, &e->key))
		e->key = hash(text->data, text->len);
}

/* Milliseconds since 1970, as a number or as text; or an RFC 3339 time. */
static void
read_time(struct horizon_event *e, struct buf *text)
{
	static const int64_t us_per_ms = 1000;
	/* the years 1 to 9999, which clock_format can write */
	static const int64_t first_ms = -INT64_C(62135596800000),
			     last_ms = INT64_C(253402300799999);
	int64_t ms;

	e->created_us = 0;
	e->dated = false;
	if (!horizon_member(e, "time", text))
		return;
	if (text_int(buf_str(text), first_ms, last_ms, &ms)) {
		e->created_us = ms * us_per_ms;
		e->dated = true;
	} else {
		e->dated = clock_parse(text->data, text->len, &e->created_us);
		if (!e->dated)
			e->created_us = 0;
	}
}

/* ---- the reply */

/* Not a failure: one such byte must not stop the reading. */
static void
repair(struct horizon_page *page, const char **body, size_t *len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t valid = text_utf8_valid(*body, *len);

	page->repaired = valid != *len;
	if (!page->repaired)
		return;
	buf_free(&page->text);
	buf_init(&page->text, (sizeof(replacement) - 1) * *len);
	while (*len != 0) {
		buf_add(&page->text, *body, valid);
		*body += valid;
		*len -= valid;
		if (*len == 0)
			break;
		buf_add_str(&page->text, replacement);
		(*body)++;
		(*len)--;
		valid = text_utf8_valid(*body, *len);
	}
	*body = page->text.data;
	*len = page->text.len;
}

static int
by_time(const void *a, const void *b)
{
	const struct horizon_event *x = a, *y = b;

	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

static int
add_element(struct horizon_page *page, const char *json, size_t len, struct err *err)
{
	if (page->n + page->damaged == HORIZON_EVENTS_MAX)
		return err_set(err, ERR_LIMIT, "the reply has more than %d events",
			HORIZON_EVENTS_MAX);
	if (*json != '{') {
		page->damaged++;
		return 0;
	}
	page->event = mem_grow_for(page->event, page->n, &page->cap, sizeof(*page->event));
	page->event[page->n++] = (struct horizon_event){ .json = json, .len = len };
	return 0;
}

static int
broken(const struct horizon_page *page, struct err *err)
{
	return err_set(
		err, ERR_PROTOCOL, "the reply is not valid JSON after %zu events", page->n);
}

static int
read_elements(struct horizon_page *page, const char *p, const char *end, struct err *err)
{
	const char *at;

	json_skip_blanks(&p, end);
	if (p == end || *p++ != '[')
		return err_set(err, ERR_PROTOCOL, "the reply is not a JSON array of events");
	json_skip_blanks(&p, end);
	for (bool first = true; p < end && *p != ']'; first = false) {
		if (!first && *p++ != ',')
			return broken(page, err);
		json_skip_blanks(&p, end);
		at = p;
		if (!json_skip_value(&p, end))
			return broken(page, err);
		if (add_element(page, at, (size_t)(p - at), err) != 0)
			return -1;
		json_skip_blanks(&p, end);
	}
	if (p++ == end)
		return broken(page, err);
	json_skip_blanks(&p, end);
	return p == end ? 0
			: err_set(err, ERR_PROTOCOL, "the reply has more than a JSON array");
}

int
horizon_page_parse(struct horizon_page *page, const char *body, size_t len, struct err *err)
{
	struct buf text;

	page->n = page->damaged = 0;
	repair(page, &body, &len);
	if (read_elements(page, body, body + len, err) != 0)
		return -1;
	buf_init(&text, HORIZON_VALUE_MAX);
	for (size_t i = 0; i < page->n; i++) {
		read_key(&page->event[i], &text);
		read_time(&page->event[i], &text);
	}
	buf_free(&text);
	if (page->n != 0)
		qsort(page->event, page->n, sizeof(*page->event), by_time);
	return 0;
}
