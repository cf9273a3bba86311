// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include <stdlib.h>

#include "mem.h"

void
leg_set_target(struct jobs *jobs, struct leg *leg, const char *target)
{
	leg->target = mem_strdup(target);
	leg->lane = lane_find(jobs, target);
	leg->lane->legs++;
	leg->state = LEG_BLOCKED;
}

void
leg_ready(struct leg *leg)
{
	struct lane *lane = leg->lane;

	leg->state = LEG_READY;
	leg->prev = lane->ready_tail;
	leg->next = NULL;
	*(lane->ready_tail ? &lane->ready_tail->next : &lane->ready) = leg;
	lane->ready_tail = leg;
	lane->n_ready++;
}

void
leg_ready_first(struct leg *leg)
{
	struct lane *lane = leg->lane;

	leg->state = LEG_READY;
	leg->prev = NULL;
	leg->next = lane->ready;
	*(lane->ready ? &lane->ready->prev : &lane->ready_tail) = leg;
	lane->ready = leg;
	lane->n_ready++;
}

static void
heap_put(struct lane *lane, size_t at, struct leg *leg)
{
	lane->waiting[at] = leg;
	leg->heap_at = at;
}

static void
heap_up(struct lane *lane, size_t at, struct leg *leg)
{
	for (; at > 0 && lane->waiting[(at - 1) / 2]->due_ms > leg->due_ms; at = (at - 1) / 2)
		heap_put(lane, at, lane->waiting[(at - 1) / 2]);
	heap_put(lane, at, leg);
}

static void
heap_down(struct lane *lane, size_t at, struct leg *leg)
{
	for (size_t child = 2 * at + 1; child < lane->n_waiting; child = 2 * at + 1) {
		if (child + 1 < lane->n_waiting &&
			lane->waiting[child + 1]->due_ms < lane->waiting[child]->due_ms)
			child++;
		if (lane->waiting[child]->due_ms >= leg->due_ms)
			break;
		heap_put(lane, at, lane->waiting[child]);
		at = child;
	}
	heap_put(lane, at, leg);
}

void
leg_wait(struct leg *leg, int64_t due_ms)
{
	struct lane *lane = leg->lane;

	leg->state = LEG_WAITING;
	leg->due_ms = due_ms;
	if (lane->n_waiting == lane->cap_waiting) {
		lane->cap_waiting = lane->cap_waiting == 0 ? 16 : lane->cap_waiting * 2;
		lane->waiting = mem_grow(
			lane->waiting, lane->cap_waiting, sizeof(struct leg *));
	}
	heap_up(lane, lane->n_waiting++, leg);
}

static void
heap_remove(struct lane *lane, struct leg *leg)
{
	struct leg *last = lane->waiting[--lane->n_waiting];
	size_t at = leg->heap_at;

	if (last == leg)
		return;
	if (at > 0 && lane->waiting[(at - 1) / 2]->due_ms > last->due_ms)
		heap_up(lane, at, last);
	else
		heap_down(lane, at, last);
}

void
leg_take(struct leg *leg)
{
	struct lane *lane = leg->lane;

	if (leg->state == LEG_WAITING) {
		heap_remove(lane, leg);
	} else if (leg->state == LEG_READY) {
		*(leg->prev ? &leg->prev->next : &lane->ready) = leg->next;
		*(leg->next ? &leg->next->prev : &lane->ready_tail) = leg->prev;
		lane->n_ready--;
	}
	leg->state = LEG_BLOCKED;
}

void
leg_over(struct leg *leg, enum leg_state state)
{
	leg_take(leg);
	leg->state = state;
	leg->lane->legs--;
	leg->lane = NULL;
	leg->job->n_open--;
	leg->job->dead |= state == LEG_DEAD;
	leg->job->accepted |= state == LEG_DELIVERED;
}

void
leg_explain(struct leg *leg, int status, const char *why)
{
	leg->status = status;
	free(leg->why);
	leg->why = mem_strdup(why);
}
