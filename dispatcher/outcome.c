// SPDX-License-Identifier: Apache-2.0
#include "outcome.h"

#include "backoff.h"

static struct next
dead(const char *reason)
{
	return (struct next){ .step = NEXT_DEAD, .reason = reason };
}

/* The longest wait after so many attempts. */
static int64_t
ceiling(const struct dispatch_retry *r, unsigned attempts)
{
	int64_t delay = r->delay_ms > 0 ? r->delay_ms : r->initial_ms,
		most = r->max_ms > delay ? r->max_ms : delay;

	if (r->policy == BACKOFF_LINEAR)
		return delay < most / attempts ? delay * attempts : most;
	return backoff_ceiling(delay, most, attempts);
}

static struct next
retry(const struct dispatch_retry *r, const struct attempt *a)
{
	bool refused = a->ending == ENDING_REFUSED;
	int64_t longest = ceiling(r, a->n), least = refused ? longest / 2 : 0;
	int64_t wait = least + (int64_t)(a->random % ((uint64_t)(longest - least) + 1));
	int64_t at_ms = a->now_ms + (wait > a->pause_ms ? wait : a->pause_ms);

	if (a->age_ms > r->max_age_ms || (r->count >= 0 && a->n > r->count))
		return dead(refused ? "rejected" : "gave_up");
	if (refused && a->now_ms < a->grace_ends_ms && a->grace_ends_ms < at_ms)
		at_ms = a->grace_ends_ms;
	return (struct next){ .step = NEXT_RETRY, .at_ms = at_ms };
}

struct next
outcome_next(const struct dispatch_retry *r, const struct attempt *a)
{
	switch (a->ending) {
	case ENDING_DELIVERED:
		return (struct next){ .step = NEXT_DELIVERED };
	case ENDING_GONE:
		return (struct next){ .step = NEXT_DROP };
	case ENDING_SINGLED_OUT:
		return dead("rejected");
	case ENDING_UNREADABLE:
		return dead("invalid_event");
	case ENDING_UNENCODABLE:
		return dead("unencodable");
	case ENDING_REFUSED:
		return a->at_fault && !a->held_back ? dead("rejected") : retry(r, a);
	case ENDING_FAILED:
		break;
	}
	return retry(r, a);
}
