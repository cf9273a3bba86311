// SPDX-License-Identifier: Apache-2.0
#include "horizon_left_out.h"

static size_t
count(const struct horizon_left_out *l)
{
	return l->n < HORIZON_LEFT_OUT_MAX ? l->n : HORIZON_LEFT_OUT_MAX;
}

static struct horizon_left_out_time *
find(struct horizon_left_out *l, int64_t ms)
{
	for (size_t i = 0; i < count(l); i++)
		if (l->at[i].ms == ms)
			return &l->at[i];
	return NULL;
}

void
horizon_left_out_begin(struct horizon_left_out *l)
{
	for (size_t i = 0; i < count(l); i++)
		l->at[i].met = 0;
}

bool
horizon_left_out_add(struct horizon_left_out *l, int64_t ms)
{
	struct horizon_left_out_time *t = find(l, ms);

	if (t == NULL) {
		t = &l->at[l->n++ % HORIZON_LEFT_OUT_MAX];
		*t = (struct horizon_left_out_time){ .ms = ms };
	}
	if (++t->met <= t->n)
		return false;
	t->n = t->met;
	return true;
}

void
horizon_left_out_ended(struct horizon_left_out *l, int64_t ms, int64_t page)
{
	struct horizon_left_out_time *t = find(l, ms);

	if (t != NULL)
		t->end_page = page;
}

void
horizon_left_out_changed(struct horizon_left_out *l, int64_t ms)
{
	horizon_left_out_ended(l, ms, 0);
}

const struct horizon_left_out_time *
horizon_left_out_find(const struct horizon_left_out *l, int64_t from_ms, int64_t to_ms)
{
	const struct horizon_left_out_time *found = NULL;

	for (size_t i = 0; i < count(l); i++) {
		const struct horizon_left_out_time *t = &l->at[i];

		if (t->end_page != 0 && t->ms >= from_ms && t->ms <= to_ms &&
			(found == NULL || t->ms < found->ms))
			found = t;
	}
	return found;
}
