// SPDX-License-Identifier: Apache-2.0
#include "position.h"

static const int64_t us_per_ms = 1000;
static const int64_t NOW_SLACK_US = 1000000; /* what is shown as "now" is a little less */

static int64_t
lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* a - b; INT64_MIN stays. */
static int64_t
minus(int64_t a, int64_t b)
{
	return a < INT64_MIN + b ? INT64_MIN : a - b;
}

void
position_init(struct position *p, int64_t overlap_us, int64_t audit_us)
{
	*p = (struct position){ .overlap_us = overlap_us,
		.audit_us = audit_us,
		.stored.created_us = INT64_MIN,
		.reopen_us = INT64_MAX,
		.begun_us = INT64_MAX,
		.step_ms = INT64_MIN };
}

void
position_forget(struct position *p)
{
	p->any = p->is_event = false;
	p->stored.created_us = INT64_MIN;
}

void
position_adopt(struct position *p, const struct position_event *newest,
	const struct position_event *stored, int64_t complete_us)
{
	p->reopen_us = lesser(p->reopen_us, complete_us);
	if (stored != NULL && stored->created_us > p->stored.created_us)
		p->stored = *stored;
	if (newest == NULL)
		return;
	if (!p->any || newest->created_us >= p->newest.created_us)
		p->newest = *newest;
	p->any = p->is_event = true;
}

void
position_set_first(struct position *p, const struct position_event *first)
{
	p->has_first = true;
	p->first = *first;
}

enum position_date
position_date(const struct position *p, int64_t created_us, int64_t now_us)
{
	if (created_us > now_us + POSITION_TOLERANCE_US)
		return POSITION_AHEAD;
	if (p->any ? created_us < minus(position_resume(p), p->overlap_us)
		   : p->reopen_us != INT64_MAX && created_us < p->reopen_us)
		return POSITION_BEHIND;
	return POSITION_IN_ORDER;
}

int64_t
position_again(const struct position *p, int64_t created_us, enum position_date date)
{
	if (date == POSITION_IN_ORDER ||
		(date == POSITION_BEHIND && created_us >= position_oldest_needed(p)))
		return created_us;
	/* dated ahead, or found by its key */
	return p->any ? position_resume(p) : p->reopen_us;
}

void
position_sent(struct position *p, const struct position_event *event, enum position_date date,
	int64_t now_us)
{
	int64_t us = event->created_us;

	if (date != POSITION_IN_ORDER)
		return;
	if (us > p->stored.created_us)
		p->stored = *event;
	if (p->catching_up)
		return;
	us = lesser(us, now_us + NOW_SLACK_US);
	if (p->any && us < p->newest.created_us)
		return;
	p->newest = (struct position_event){ .created_us = us, .key = event->key };
	p->any = p->is_event = true;
}

void
position_begin_page(struct position *p, bool full)
{
	p->catching_up = full;
}

/* The middle one by date; those dated ahead do not count. False: there is none. */
static bool
middle(const struct position_event *sample, size_t n, int64_t now_us,
	struct position_event *out)
{
	struct position_event sorted[POSITION_SAMPLES];
	size_t taken = 0, i, at;

	for (i = 0; i < n && i < POSITION_SAMPLES; i++) {
		if (sample[i].created_us > now_us + POSITION_TOLERANCE_US)
			continue;
		for (at = taken++; at > 0 && sorted[at - 1].created_us > sample[i].created_us;
			at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = sample[i];
	}
	if (taken == 0)
		return false;
	*out = sorted[taken / 2];
	return true;
}

void
position_end_page(
	struct position *p, const struct position_event *sample, size_t n, int64_t now_us)
{
	if (p->catching_up) {
		if (!middle(sample, n, now_us, &p->newest))
			return;
		p->any = p->is_event = true;
		if (!p->reopen_until_end && p->newest.created_us > p->reopen_us)
			p->reopen_us = INT64_MAX;
		return;
	}
	if (!p->any)
		return;
	p->reopen_us = INT64_MAX;
	p->reopen_until_end = false;
	if (p->stored.created_us > p->newest.created_us &&
		p->stored.created_us <= now_us + NOW_SLACK_US)
		p->newest = p->stored;
}

int64_t
position_complete(const struct position *p)
{
	if (p->any && p->stored.created_us > p->newest.created_us)
		return lesser(p->reopen_us, p->newest.created_us);
	if (!p->any && p->catching_up) /* the first page counts only when it was sent */
		return p->begun_us;
	return p->reopen_us;
}

void
position_take_back(struct position *p, int64_t again_us)
{
	p->reopen_us = lesser(p->reopen_us, again_us);
	/* lower is always safe: what is read again is suppressed */
	if (p->any && p->reopen_us < p->newest.created_us)
		p->newest.created_us = p->reopen_us;
}

bool
position_set_back(struct position *p, int64_t earliest_us)
{
	if (p->any && p->newest.created_us <= earliest_us)
		return false;
	p->newest.created_us = earliest_us;
	if (!p->any)
		p->newest.key = p->stored.key;
	p->any = true;
	p->is_event = false;
	p->reopen_us = lesser(p->reopen_us, earliest_us);
	p->reopen_until_end = true;
	return true;
}

void
position_set_restored(struct position *p, const struct position_event *latest)
{
	position_set_back(p, latest->created_us);
	p->newest.key = latest->key;
}

void
position_begin_epoch(struct position *p, int64_t key)
{
	if (position_is_old_key(p, key))
		p->first.key = key;
}

void
position_forget_first(struct position *p)
{
	p->has_first = false;
}

void
position_reopen_at_start(struct position *p)
{
	p->reopen_us = p->begun_us;
}

struct position_hold
position_hold(struct position *p, int64_t us)
{
	struct position_hold hold = { .reopen_us = p->reopen_us,
		.until_end = p->reopen_until_end };

	p->reopen_us = lesser(p->reopen_us, us);
	p->reopen_until_end = true;
	return hold;
}

void
position_release(struct position *p, const struct position_hold *hold)
{
	p->reopen_us = hold->reopen_us;
	p->reopen_until_end = hold->until_end;
}

void
position_set_forward(struct position *p, int64_t now_ms)
{
	if (!p->any)
		return;
	p->before_step_us = p->newest.created_us;
	p->step_ms = now_ms;
}

int64_t
position_resume(const struct position *p)
{
	return lesser(p->newest.created_us, p->reopen_us);
}

int64_t
position_begin(const struct position *p, int64_t start_us)
{
	if (p->any)
		return minus(position_resume(p), p->overlap_us);
	return p->reopen_us != INT64_MAX ? p->reopen_us : start_us;
}

void
position_begun(struct position *p, int64_t begin_us)
{
	/* until something is stored: the same beginning after a failure */
	if (!p->any && begin_us != INT64_MIN)
		p->reopen_us = begin_us;
	p->begun_us = lesser(p->begun_us, begin_us);
}

int64_t
position_audit_begin(const struct position *p, int64_t now_ms)
{
	int64_t from = p->newest.created_us;

	if (p->step_ms != INT64_MIN && now_ms - p->step_ms <= p->audit_us / us_per_ms)
		from = lesser(from, p->before_step_us);
	return minus(from, p->audit_us);
}

int64_t
position_oldest_needed(const struct position *p)
{
	int64_t oldest = p->any ? position_resume(p) : INT64_MIN;

	if (p->step_ms != INT64_MIN)
		oldest = lesser(oldest, p->before_step_us);
	return minus(oldest, p->overlap_us + p->audit_us);
}

bool
position_key_after(int64_t key, int64_t other)
{
	return (int32_t)((uint32_t)key - (uint32_t)other) > 0;
}

bool
position_is_old_key(const struct position *p, int64_t key)
{
	return p->has_first && position_key_after(p->first.key, key);
}

bool
position_is_before_start(const struct position *p, const struct position_event *event)
{
	return event->created_us < p->first.created_us && position_is_old_key(p, event->key);
}
