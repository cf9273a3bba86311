// SPDX-License-Identifier: Apache-2.0
#include "vcenter_bisect.h"

#include "stop.h"

enum {
	EVENTS_EXPECTED = 1000, /* a window may hold so many events, divided by the depth */
	EMPTY_CALLS = 100,      /* calls that may find nothing, times the depth; at most: */
	EMPTY_CALLS_MAX = 2000,
	CALLS_MAX = 20000,
	DEPTH_FIRST = 4,
	DEPTH_FACTOR = 16,
	DEPTH_MAX = 16384,
	STACK_MAX = 128, /* halving microseconds of 30 years takes 50 */
};

struct period {
	int64_t from_us, to_us; /* both inclusive */
};

struct stack {
	struct period period[STACK_MAX];
	unsigned n;
};

static void
push_halves(struct stack *s, struct period period)
{
	int64_t middle = period.from_us + (period.to_us - period.from_us) / 2;

	s->period[s->n++] = (struct period){ middle + 1, period.to_us };
	s->period[s->n++] = (struct period){ period.from_us, middle };
}

/* density: events per microsecond, guessed from the keys. */
static enum source_result
read_at_depth(struct vcenter_bisect *b, struct period whole, double density, size_t *fresh,
	struct err *err)
{
	struct stack stack = { .period = { whole }, .n = 1 };
	unsigned calls = 0, depth = b->depth ? b->depth : DEPTH_FIRST;
	unsigned empty_max = EMPTY_CALLS * depth < EMPTY_CALLS_MAX ? EMPTY_CALLS * depth
								   : EMPTY_CALLS_MAX;

	while (stack.n != 0 && calls < CALLS_MAX && !stop_requested()) {
		struct period period = stack.period[--stack.n];
		struct vcenter_window w = { .filter = { .begin_us = period.from_us,
						    .end_us = period.to_us } };
		enum source_result result = vcenter_window_read(b->reader, &w, err);
		double expected;

		if (result != SOURCE_OK)
			return result;
		*fresh += w.fresh;
		calls += w.calls;
		if (w.read != 0)
			period.from_us = w.last_us + 1;
		expected = (double)(period.to_us - period.from_us) * density * depth;
		if (expected > (double)EVENTS_EXPECTED && period.to_us > period.from_us &&
			stack.n + 2 <= STACK_MAX && (w.read != 0 || calls < empty_max))
			push_halves(&stack, period);
	}
	b->depth = depth < DEPTH_MAX ? depth * DEPTH_FACTOR : depth;
	return SOURCE_OK;
}

enum source_result
vcenter_bisect_read(struct vcenter_bisect *b, int64_t from_us, const struct vim_latest *latest,
	size_t *found, struct err *err)
{
	const struct position *p = source_checkpoint_position(b->reader->checkpoint);
	const struct period period = { from_us, latest->created_us };
	double keys = (double)((uint32_t)latest->key - (p->any ? (uint32_t)p->newest.key : 0));
	double density = keys / (double)(period.to_us - period.from_us + 1);
	size_t fresh;

	do {
		enum source_result result;

		fresh = 0;
		result = read_at_depth(b, period, density, &fresh, err);
		if (result != SOURCE_OK)
			return result;
		*found += fresh;
	} while (fresh != 0 && b->depth < DEPTH_MAX && !stop_requested());
	if (*found != 0)
		b->depth = DEPTH_FIRST;
	return SOURCE_OK;
}

struct by_type {
	struct vcenter_bisect *bisect;
	const struct vcenter_window *period;
	size_t *found;
	struct err *err;
	enum source_result result;
};

static bool
read_type(void *ctx, const char *name)
{
	struct by_type *t = ctx;
	struct vcenter_window w = *t->period;

	w.filter.type = name;
	t->result = vcenter_window_read(t->bisect->reader, &w, t->err);
	*t->found += w.fresh;
	return t->result == SOURCE_OK && !stop_requested();
}

enum source_result
vcenter_bisect_read_types(struct vcenter_bisect *b, const struct vcenter_catalogue *types,
	const struct vcenter_window *period, size_t *found, struct err *err)
{
	struct by_type t = { .bisect = b, .period = period, .found = found, .err = err };

	vcenter_catalogue_each(types, read_type, &t);
	return t.result;
}

bool
vcenter_bisect_is_exhausted(const struct vcenter_bisect *b)
{
	return b->depth >= DEPTH_MAX;
}

void
vcenter_bisect_reset(struct vcenter_bisect *b)
{
	b->depth = 0;
}
