// SPDX-License-Identifier: Apache-2.0
#include "pull_credit.h"

#include <string.h>

enum {
	SILENCE_MS = 2 * PULL_HEARTBEAT_MS + 1000,
	LATE_MS = 1000, /* after its expiry a pull's status message may still come */
};

static void
remove_pull(struct pull_credit *credit, size_t i)
{
	credit->n--;
	memmove(&credit->pull[i], &credit->pull[i + 1],
		(credit->n - i) * sizeof(credit->pull[0]));
}

size_t
pull_credit_left(const struct pull_credit *credit)
{
	size_t sum = 0;

	for (size_t i = 0; i < credit->n; i++)
		sum += credit->pull[i].left;
	return sum;
}

size_t
pull_credit_wanted(const struct pull_credit *credit, size_t budget, size_t least)
{
	size_t left = pull_credit_left(credit), missing = budget > left ? budget - left : 0;

	return missing < least || credit->n == PULLS_MAX ? 0 : missing;
}

uint64_t
pull_credit_next_id(const struct pull_credit *credit)
{
	return credit->last_id + 1;
}

void
pull_credit_add(struct pull_credit *credit, size_t messages, int64_t now_ms)
{
	if (credit->n == 0)
		credit->heard_ms = now_ms;
	credit->pull[credit->n++] = (struct pull){ .id = ++credit->last_id,
		.left = messages,
		.deadline_ms = now_ms + PULL_EXPIRES_MS + LATE_MS };
}

void
pull_credit_heard(struct pull_credit *credit, int64_t now_ms)
{
	credit->heard_ms = now_ms;
}

/* A message does not name its pull. The server serves the oldest pull first. */
void
pull_credit_message(struct pull_credit *credit)
{
	if (credit->n > 0 && --credit->pull[0].left == 0)
		remove_pull(credit, 0);
}

void
pull_credit_end(struct pull_credit *credit, uint64_t id)
{
	for (size_t i = 0; i < credit->n; i++)
		if (credit->pull[i].id == id) {
			remove_pull(credit, i);
			return;
		}
}

void
pull_credit_end_all(struct pull_credit *credit)
{
	credit->n = 0;
}

void
pull_credit_expire(struct pull_credit *credit, int64_t now_ms)
{
	while (credit->n > 0 && credit->pull[0].deadline_ms <= now_ms)
		remove_pull(credit, 0);
}

bool
pull_credit_silent(const struct pull_credit *credit, int64_t now_ms)
{
	return credit->n > 0 && now_ms - credit->heard_ms > SILENCE_MS;
}
