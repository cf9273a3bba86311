// SPDX-License-Identifier: Apache-2.0
#include "hash.h"
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static struct lane **
lane_bucket(struct jobs *jobs, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return &jobs->lane_bucket[hash % LANE_BUCKETS];
}

struct lane *
lane_find(struct jobs *jobs, const char *name)
{
	struct lane **bucket = lane_bucket(jobs, name), *lane = *bucket;

	while (lane != NULL && strcmp(lane->name, name) != 0)
		lane = lane->hash_next;
	if (lane != NULL)
		return lane;
	lane = mem_alloc(sizeof(*lane));
	lane->name = mem_strdup(name);
	circuit_init(&lane->circuit, jobs->circuit_initial_ms, jobs->circuit_max_ms,
		hash_splitmix64(&jobs->random));
	lane->hash_next = *bucket;
	*bucket = lane;
	if (jobs->ring == NULL) {
		jobs->ring = lane->prev = lane->next = lane;
	} else { /* last in turn */
		lane->next = jobs->ring;
		lane->prev = jobs->ring->prev;
		lane->prev->next = lane->next->prev = lane;
	}
	jobs->n_lanes++;
	return lane;
}

void
lane_wake(struct lane *lane, int64_t now_ms)
{
	while (lane->n_waiting > 0 && lane->waiting[0]->due_ms <= now_ms) {
		struct leg *leg = lane->waiting[0];

		leg_take(leg);
		leg_ready(leg);
	}
}

void
lane_hurry(struct lane *lane)
{
	lane_wake(lane, INT64_MAX);
}

int64_t
lane_due(const struct lane *lane)
{
	return lane->n_waiting > 0 ? lane->waiting[0]->due_ms : INT64_MAX;
}

void
lane_remove(struct jobs *jobs, struct lane *lane)
{
	struct lane **p = lane_bucket(jobs, lane->name);

	while (*p != lane)
		p = &(*p)->hash_next;
	*p = lane->hash_next;
	lane->prev->next = lane->next;
	lane->next->prev = lane->prev;
	if (jobs->ring == lane)
		jobs->ring = lane->next == lane ? NULL : lane->next;
	jobs->n_lanes--;
	free(lane->name);
	free(lane->url);
	free(lane->waiting);
	free(lane);
}

void
lane_prune(struct jobs *jobs, struct lane *lane)
{
	const struct circuit *c = &lane->circuit;

	/* a handful is kept: the one lane of a backend with a single destination among them */
	if (jobs->n_lanes > 16 && lane->legs == 0 && lane->in_flight == 0 &&
		c->state == CIRCUIT_CLOSED && c->failures == 0 && c->flap.changes == 0)
		lane_remove(jobs, lane);
}
