// SPDX-License-Identifier: Apache-2.0
#include "normalize_internal.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum {
	PAGE_MAX = 32 * 1024 * 1024,
	EVENT_MAX = 64 * 1024 * 1024,
	EVENTS_MAX = 10000,
	FAULT_MAX = 4096,
	MEMORY_KEPT = 2 * 1024 * 1024, /* bytes of a buffer that is kept for the next page */
	/*
	 * Bytes that may be skipped in one page; they take about 0.3 s of CPU time with TLS. A
	 * larger event fails like one in which the reply breaks off: vim_read.c.
	 */
	SKIP_MAX = 128 * 1024 * 1024,
};

const char *
normalize_kind_name(enum normalize_kind kind)
{
	static const char *const names[] = { "event", "eventex", "extendedevent" };

	return names[kind];
}

static void
no_watchdog(void)
{
}

void
normalizer_open(struct normalizer **out, const struct normalize_limits *limits)
{
	struct normalizer *n = mem_alloc(sizeof(*n));

	if (limits != NULL)
		n->limits = *limits;
	if (n->limits.page_max == 0)
		n->limits.page_max = PAGE_MAX;
	if (n->limits.event_max == 0)
		n->limits.event_max = EVENT_MAX;
	if (n->limits.on_progress == NULL)
		n->limits.on_progress = no_watchdog;
	if (n->limits.events_max == 0)
		n->limits.events_max = EVENTS_MAX;
	buf_init(&n->raw, n->limits.page_max);
	buf_init(&n->scratch, n->limits.page_max / 2 + 64 * 1024);
	buf_init(&n->fault_code, FAULT_MAX);
	buf_init(&n->fault_text, FAULT_MAX);
	event_writer_init(&n->writer, n->limits.page_max, n->limits.event_max);
	normalizer_begin(n);
	*out = n;
}

/* The buffers that grow with the page. */
static void
each_page_buffer(struct normalizer *n, void (*do_this)(struct buf *))
{
	do_this(&n->raw);
	do_this(&n->scratch);
	do_this(&n->writer.out);
	do_this(&n->writer.text);
	do_this(&n->writer.members.text);
}

void
normalizer_release(struct normalizer *n)
{
	each_page_buffer(n, buf_free);
}

void
normalizer_close(struct normalizer *n)
{
	if (n == NULL)
		return;
	normalize_parse_free(n);
	normalizer_release(n);
	event_writer_free(&n->writer);
	buf_free(&n->fault_code);
	buf_free(&n->fault_text);
	free(n->facts);
	free(n->event);
	free(n->left_out);
	free(n);
}

void
normalizer_limit_event(struct normalizer *n, size_t event_max)
{
	n->limits.event_max = n->writer.event_max = event_max;
}

/* The memory of a very large page is freed, and that of pages of a backlog when it is over. */
static void
empty(struct buf *b)
{
	buf_reuse(b, b->cap > MEMORY_KEPT ? 0 : b->len);
}

void
normalizer_begin(struct normalizer *n)
{
	each_page_buffer(n, empty);
	buf_clear(&n->fault_code);
	buf_clear(&n->fault_text);
	event_writer_clear(&n->writer);
	n->parsed = n->block_len = n->n = n->n_seen = 0;
	n->tags = (struct xmltext_tags){ 0 };
	n->skip = (struct normalize_skip){ 0 };
	n->repairing = n->partial = n->writer.cut = false;
	n->repaired_bytes = n->n_errors = 0;
	n->fault_class[0] = '\0';
	n->page = (struct normalize_page){ 0 };
	n->err = (struct err){ 0 };
	normalize_parse_begin(n, false);
}

void
normalizer_pass_on(struct normalizer *from, struct normalizer *to)
{
	buf_move(&to->raw, &from->raw);
}

static bool
parse_rest(struct normalizer *n, bool last)
{
	size_t from = n->parsed;

	n->parsed = n->raw.len;
	if (!xmltext_check_tags(&n->tags, n->raw.data, n->raw.len)) {
		if (n->tags.open > from)
			normalize_parse(n, n->raw.data + from, n->tags.open - from, false);
		normalize_over(n, "a tag is too long or has too many attributes");
		return false;
	}
	return normalize_parse(
		n, n->raw.len == 0 ? "" : n->raw.data + from, n->raw.len - from, last);
}

/* The parser gets the events before the cut event; the repair takes those after it. */
static void
cut_event(struct normalizer *n)
{
	size_t at = n->skip.event_at;

	/* the parser may have received more bytes after `at` than raw has now */
	if (!n->malformed && n->parsed < at)
		normalize_parse(n, n->raw.data + n->parsed, at - n->parsed, false);
	n->parsed = n->raw.len;
	if (!n->malformed && !n->stopped)
		normalize_over(n, "an event is too large");
}

/*
 * Moves the block to raw, except the bytes of an event that is too large. An incomplete
 * character at the end of the block stays there, unless `last`.
 */
static void
take_block(struct normalizer *n, bool last)
{
	const char *rest = n->block;
	size_t len = n->block_len, taken = 0;

	if (n->skip.active)
		rest = normalize_skip(n, n->block, &len);
	n->block_len = 0;
	if (n->skip.bytes > SKIP_MAX) {
		n->stopped = true;
		err_set(&n->err, ERR_LIMIT, "an event is larger than %d MiB", SKIP_MAX >> 20);
		return;
	}
	if (rest != NULL) {
		taken = xmltext_scrub(&n->raw, rest, len, last, &n->page.n_bad_chars);
		n->block_len = len - taken;
		memmove(n->block, rest + taken, n->block_len);
	}
	if (normalize_skip_begin(n))
		cut_event(n);
}

static int
too_large(const struct normalizer *n, struct err *err)
{
	return err_set(err, ERR_LIMIT, "the page is larger than %zu bytes", n->limits.page_max);
}

/* -1: the rest of the reply is useless. */
static int
check_bounds(const struct normalizer *n, struct err *err)
{
	if (!buf_ok(&n->raw) || !buf_ok(&n->writer.out))
		return too_large(n, err);
	if (n->stopped)
		return err_set(err, n->err.code, "%s", n->err.text);
	return 0;
}

/*
 * All steps run once for each full block, so the result does not depend on the sizes of the
 * arriving pieces.
 */
int
normalizer_feed(struct normalizer *n, const char *data, size_t len, struct err *err)
{
	while (len != 0 && check_bounds(n, NULL) == 0) {
		size_t room = sizeof(n->block) - n->block_len, piece = len < room ? len : room;

		memcpy(n->block + n->block_len, data, piece);
		n->block_len += piece;
		data += piece;
		len -= piece;
		if (n->block_len < sizeof(n->block))
			break;
		take_block(n, false);
		/*
		 * libxml2 searches back to the last < for each piece. The farther away it is,
		 * the larger the next piece must be.
		 */
		if (!n->stopped && !n->malformed && buf_ok(&n->raw) &&
			n->raw.len - n->parsed > (n->parsed - n->tags.open) / 4)
			parse_rest(n, false);
	}
	return check_bounds(n, err);
}

/* ---- the end of a page ---- */

/* A page without its end is not a page. */
static bool
has_end(const struct normalizer *n)
{
	size_t tail = n->raw.len < 256 ? n->raw.len : 256;
	const char *end = n->raw.data + n->raw.len;

	return n->page_done || xmltext_find_tag(end - tail, end, "Envelope", true) != NULL;
}

static int
check(struct normalizer *n, struct err *err)
{
	if (check_bounds(n, err) != 0)
		return -1;
	if (n->raw.len == 0)
		return err_set(err, ERR_PROTOCOL, "the reply is empty");
	if (n->malformed && !has_end(n))
		return err_set(err, ERR_PROTOCOL,
			"the reply was cut after %zu bytes, or is no XML: %s", n->raw.len,
			n->page.why);
	if (n->malformed && n->part != PART_EVENTS)
		return err_set(
			err, ERR_PROTOCOL, "the reply is not well formed: %s", n->page.why);
	if (n->part == PART_NONE)
		return err_set(err, ERR_PROTOCOL, "the reply's SOAP body is empty");
	return 0;
}

static void
fill_in(struct normalizer *n)
{
	const char *strings = n->writer.strings.data;

	for (size_t i = 0; i < n->n; i++) {
		const struct event_facts *f = &n->facts[i];

		n->event[i] = (struct normalize_event){
			.data = n->writer.out.data + f->data,
			.data_len = f->data_len,
			.key = f->key,
			.created_us = f->created_us,
			.created = strings + f->created,
			.class_name = strings + f->class_name,
			.name = strings + f->name,
			.kind = f->class != NULL && f->class == n->writer.eventex
				? NORMALIZE_EVENTEX
				: f->class != NULL && f->class == n->writer.extendedevent
				? NORMALIZE_EXTENDEDEVENT
				: NORMALIZE_EVENT,
			.severity = strings + f->severity,
			.datacenter = strings + f->datacenter,
			.cluster = strings + f->cluster,
			.schema_unknown = f->schema_unknown,
			.repaired = f->repaired,
			.trimmed = f->trimmed,
			.stub = f->stub,
		};
	}
	n->page.event = n->event;
	n->page.n = n->n;
	n->page.left_out = n->left_out;
	if (n->part == PART_FAULT) {
		n->fault = (struct normalize_fault){ buf_str(&n->fault_code),
			buf_str(&n->fault_text), n->fault_class };
		n->page.fault = &n->fault;
	}
}

static void
finish(struct normalizer *n, struct normalize_page *page)
{
	fill_in(n);
	*page = n->page;
}

bool
normalizer_has_begun(const struct normalizer *n)
{
	return n->part == PART_EVENTS && n->raw.len != 0;
}

bool
normalizer_end_partial(struct normalizer *n, struct normalize_page *page)
{
	struct err err;

	if (!normalizer_has_begun(n))
		return false;
	if (n->in_event || !buf_ok(&n->writer.out))
		event_writer_drop(&n->writer);
	n->raw.overflow = n->writer.out.overflow = n->writer.strings.overflow = false;
	n->in_event = false;
	n->partial = n->malformed = true;
	if (normalize_repair(n, &err) != 0)
		return false;
	finish(n, page);
	return true;
}

int
normalizer_end(struct normalizer *n, struct normalize_page *page, struct err *err)
{
	if (!n->stopped && buf_ok(&n->raw)) {
		take_block(n, true);
		if (!n->stopped && !n->malformed)
			parse_rest(n, true);
	}
	if (check(n, err) != 0)
		return -1;
	if (n->malformed && normalize_repair(n, err) != 0)
		return -1;
	if (!buf_ok(&n->writer.out) || !buf_ok(&n->writer.strings))
		return too_large(n, err);
	finish(n, page);
	return 0;
}
