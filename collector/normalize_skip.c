// SPDX-License-Identifier: Apache-2.0
/* Skips an event that is too large: keeps its beginning and searches its end. */
#include "normalize_internal.h"

#include <string.h>

enum {
	OVERLAP = SKIP_TAIL, /* bytes searched again: a tag may arrive in pieces */
	ROOM = 64 * 1024,    /* free bytes of raw at which an event is cut */
};

/* Moves event_at to the last start tag of an event in raw. */
static void
find_last_event(struct normalizer *n)
{
	struct normalize_skip *s = &n->skip;
	const char *raw = n->raw.data, *end = raw + n->raw.len, *p;
	size_t from = s->searched > OVERLAP ? s->searched - OVERLAP : 0;

	if (from < s->event_at + s->in_event)
		from = s->event_at + s->in_event;
	for (p = raw + from; (p = xmltext_find_tag(p, end, "returnval", false)) != NULL; p++) {
		s->event_at = (size_t)(p - raw);
		s->in_event = true;
	}
	s->searched = n->raw.len;
}

bool
normalize_skip_begin(struct normalizer *n)
{
	struct normalize_skip *s = &n->skip;
	size_t max = n->limits.page_max,
	       kept = max / 4 < NORMALIZE_CUT_KEPT ? max / 4 : NORMALIZE_CUT_KEPT;
	size_t room = max / 4 < ROOM ? max / 4 : ROOM;
	const char *raw = n->raw.data;

	if (s->active || n->raw.len < max - room || n->raw.len - s->event_at <= max / 2)
		return false;
	find_last_event(n);
	if (!s->in_event || n->raw.len - s->event_at <= max / 2 || s->n_cut == EVENTS_CUT_MAX)
		return false;
	if (xmltext_find_tag(raw + s->event_at, raw + n->raw.len, "returnval", true) != NULL)
		return false;
	s->cut_at[s->n_cut++] = s->event_at;
	s->active = true;
	s->tail_len = 0;
	buf_truncate(&n->raw, s->event_at + kept);
	return true;
}

const char *
normalize_skip(struct normalizer *n, const char *data, size_t *len)
{
	struct normalize_skip *s = &n->skip;
	struct buf *text = &n->scratch;
	const char *end, *close;

	buf_clear(text);
	buf_add(text, s->tail, s->tail_len);
	buf_add(text, data, *len);
	s->bytes += *len;
	*len = 0;
	if (text->len == 0)
		return NULL;
	end = text->data + text->len;
	close = xmltext_find_tag(text->data, end, "returnval", true);
	if (close == NULL) {
		s->tail_len = text->len < SKIP_TAIL ? text->len : SKIP_TAIL;
		memcpy(s->tail, end - s->tail_len, s->tail_len);
		return NULL;
	}
	s->active = false;
	s->event_at = s->searched = n->raw.len;
	s->in_event = false;
	*len = (size_t)(end - close);
	return close;
}

bool
normalize_skip_has_cut(const struct normalizer *n, const char *s)
{
	for (size_t i = 0; i < n->skip.n_cut; i++) {
		if (n->raw.data + n->skip.cut_at[i] == s)
			return true;
	}
	return false;
}
