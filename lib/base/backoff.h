// SPDX-License-Identifier: Apache-2.0
/*
 * Full-jitter exponential backoff: a delay drawn evenly from [0, min(max, initial * 2^n)].
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
#ifndef VCOURIER_BACKOFF_H
#define VCOURIER_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t initial_ms, max_ms;
	unsigned attempts; /* failures so far */
	uint64_t random;   /* of the random generator; any value */
};

/* The ceiling of the delay after `attempts` failures (>= 1), without the jitter. */
int64_t backoff_ceiling(int64_t initial_ms, int64_t max_ms, unsigned attempts);

void backoff_init(struct backoff *b, int64_t initial_ms, int64_t max_ms, uint64_t seed);
int64_t backoff_next(struct backoff *b); /* Counts a failure and returns the delay in ms. */
void backoff_reset(struct backoff *b);   /* Call it after a success. */

#endif
