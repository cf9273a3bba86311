// SPDX-License-Identifier: Apache-2.0
#include "visibility.h"

enum { RETRY_MS = 5000 }; /* between two answers, while they are about to change something */

void
visibility_init(struct visibility *v, int64_t grace_ms)
{
	*v = (struct visibility){ .grace_ms = grace_ms };
}

static void
set_position(struct visibility *v, struct visible_position position)
{
	v->known = true;
	v->position = position;
}

enum visibility_change
visibility_denied(struct visibility *v, struct visible_position now)
{
	if (!v->known)
		set_position(v, now);
	v->hidden = true;
	v->granted = false;
	v->denials++;
	return v->denials == 1 && v->grace_ms != 0 ? VISIBILITY_SAME : VISIBILITY_LOST;
}

enum visibility_change
visibility_granted(struct visibility *v, struct visible_position now, int64_t now_ms)
{
	if (!v->known)
		set_position(v, now);
	v->denials = 0;
	if (!v->granted) {
		v->granted = true;
		v->granted_ms = now_ms;
		v->granted_at = now;
	}
	if (now_ms - v->granted_ms < v->grace_ms)
		return VISIBILITY_SAME;
	if (v->hidden)
		return VISIBILITY_REGAINED;
	v->position = v->granted_at;
	v->granted_ms = now_ms;
	v->granted_at = now;
	return VISIBILITY_SAME;
}

void
visibility_reset(struct visibility *v, struct visible_position now)
{
	set_position(v, now);
	v->hidden = false;
	v->granted = false;
	v->denials = 0;
}

static bool
is_before(struct visible_position a, struct visible_position b)
{
	return !a.any || (b.any && a.us < b.us);
}

void
visibility_lower(struct visibility *v, struct visible_position now)
{
	if (v->known && is_before(now, v->position))
		v->position = now;
	if (v->granted && is_before(now, v->granted_at))
		v->granted_at = now;
}

int64_t
visibility_ask_again_ms(const struct visibility *v, int64_t now_ms, int64_t interval_ms)
{
	int64_t left_ms = v->granted_ms + v->grace_ms - now_ms;

	if (!v->hidden)
		return now_ms + interval_ms;
	if (v->granted && left_ms > 0 && left_ms < RETRY_MS)
		return now_ms + left_ms;
	return now_ms + RETRY_MS;
}
