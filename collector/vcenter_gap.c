// SPDX-License-Identifier: Apache-2.0
#include "vcenter_gap.h"

#include "log.h"

/* The event of the page with the earliest date; NULL: one of them is stored. */
static const struct normalize_event *
earliest_unless_stored(const struct normalize_page *page, const struct seen *seen)
{
	const struct normalize_event *first = page->event;

	for (size_t i = 0; i < page->n; i++) {
		if (seen_has(seen, page->event[i].key, page->event[i].created_us))
			return NULL;
		if (page->event[i].created_us < first->created_us)
			first = &page->event[i];
	}
	return first;
}

enum source_result
vcenter_gap_check(struct vcenter_cursor *cursor, struct source_checkpoint *cp,
	struct vcenter_intake *in, const struct normalize_page *page, struct err *err)
{
	const struct position_event newest = source_checkpoint_position(cp)->newest;
	const struct normalize_event *first;

	if (page->n == 0 || !vcenter_cursor_take_expectation(cursor))
		return SOURCE_OK;
	first = earliest_unless_stored(page, source_checkpoint_seen(cp));
	if (first == NULL || first->created_us <= newest.created_us)
		return SOURCE_OK;
	if (newest.key > 0 && first->key < 0) {
		log_warn("event keys have wrapped to negative", L_INT("last_key", newest.key),
			L_INT("key", first->key));
	} else if (first->key <= newest.key) {
		vcenter_intake_begin_epoch(in, first->key);
		return vcenter_intake_gap(in, newest.created_us, first->created_us,
			"keys start over: database re-created or restored", err);
	}
	return vcenter_intake_gap(in, newest.created_us, first->created_us,
		"retention: purged before it was read", err);
}
