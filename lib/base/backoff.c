// SPDX-License-Identifier: Apache-2.0
#include "backoff.h"

#include "hash.h"

int64_t
backoff_ceiling(int64_t initial_ms, int64_t max_ms, unsigned attempts)
{
	int64_t ceiling = initial_ms;

	while (attempts > 1 && ceiling < max_ms) {
		ceiling *= 2;
		attempts--;
	}
	return ceiling < max_ms ? ceiling : max_ms;
}

void
backoff_init(struct backoff *b, int64_t initial_ms, int64_t max_ms, uint64_t seed)
{
	*b = (struct backoff){ .initial_ms = initial_ms, .max_ms = max_ms, .random = seed };
}

int64_t
backoff_next(struct backoff *b)
{
	uint64_t ceiling;

	if (b->attempts < 64)
		b->attempts++;
	ceiling = (uint64_t)backoff_ceiling(b->initial_ms, b->max_ms, b->attempts);
	return (int64_t)(hash_splitmix64(&b->random) % (ceiling + 1));
}

void
backoff_reset(struct backoff *b)
{
	b->attempts = 0;
}
