// SPDX-License-Identifier: Apache-2.0
#include "stall.h"

/*
 * An open circuit does not explain that nothing is held: it needs an event for its probe, so
 * one is always requested. While events are held, a full window or buffer may be the reason
 * that nothing is requested; then only STALL_DELIVER is checked.
 */
static enum stall_kind
kind_of(const struct stall_view *view)
{
	if (!view->able)
		return STALL_NONE;
	if (view->holding)
		return view->under_way ? STALL_NONE : STALL_DELIVER;
	return view->starving ? STALL_PULL : STALL_NONE;
}

enum stall_kind
stall_check(struct stall *stall, const struct stall_view *view, int64_t now_ms)
{
	enum stall_kind kind = kind_of(view);

	if (kind != stall->seen || view->progress != stall->progress) {
		*stall = (struct stall){
			.seen = kind, .since_ms = now_ms, .progress = view->progress
		};
		return STALL_NONE;
	}
	if (kind == STALL_NONE || now_ms - stall->since_ms < STALL_MS)
		return STALL_NONE;
	stall->since_ms = now_ms;
	return kind;
}

const char *
stall_name(enum stall_kind kind)
{
	switch (kind) {
	case STALL_PULL:
		return "pull";
	case STALL_DELIVER:
		return "deliver";
	default:
		return "none";
	}
}
