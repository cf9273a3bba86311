// SPDX-License-Identifier: Apache-2.0
/* A gap between what is stored and what vCenter still has is recorded in the stream. */
#include "clock.h"
#include "collect_state.h"
#include "log.h"

static int
publish_gap(
	struct collect *c, int64_t from_us, int64_t to_us, const char *reason, struct err *err)
{
	char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];
	struct publish p;

	log_error("events may be missing: the vCenter no longer has what was stored last",
		L_STR("reason", reason), L_STR("from", clock_format(from_us, from)),
		L_STR("to", clock_format(to_us, to)));
	collect_count_gap();
	if (!envelope_write_gap(&c->envelope, &c->source, from_us, to_us, reason))
		return 0;
	p = (struct publish){ .subject = buf_str(&c->envelope.subject),
		.msg_id = buf_str(&c->envelope.msg_id),
		.data = c->envelope.message.data,
		.len = c->envelope.message.len,
		.created_us = from_us,
		.again_us = from_us,
		.complete_us = position_complete(&c->position) };
	if (publisher_send(c->publisher, &p, err) != 0)
		return -1;
	c->read++; /* it is published like an event: the books count it */
	return 0;
}

/*
 * The first events of a new collector overlap with what is stored. When they do not, the stored
 * ones left the vCenter: retention, or another database, whose keys start over.
 */
int
collect_check_overlap(struct collect *c, const struct normalize_page *page, struct err *err)
{
	const struct normalize_event *first = page->event;
	const struct position_event *newest = &c->position.newest;
	size_t i;

	if (!c->expect_overlap || page->n == 0)
		return 0;
	c->expect_overlap = false;
	for (i = 0; i < page->n; i++) {
		if (seen_has(&c->seen, page->event[i].key, page->event[i].created_us))
			return 0;
		if (page->event[i].created_us < first->created_us)
			first = &page->event[i];
	}
	if (first->created_us <= newest->created_us)
		return 0;
	if (newest->key > 0 && first->key < 0) {
		log_warn("event keys have wrapped to negative", L_INT("last_key", newest->key),
			L_INT("key", first->key));
	} else if (first->key <= newest->key) {
		collect_begin_epoch(c, first->key);
		return publish_gap(c, newest->created_us, first->created_us,
			"keys start over: database re-created or restored", err);
	}
	return publish_gap(c, newest->created_us, first->created_us,
		"retention: purged before it was read", err);
}
