// SPDX-License-Identifier: Apache-2.0
/* What the bare loops share. */
#ifndef VCOURIER_BENCH_LOOP_H
#define VCOURIER_BENCH_LOOP_H

#include <stddef.h>
#include <time.h>

/* Seconds of a clock; only differences count. */
static inline double
loop_now(void)
{
	struct timespec t;

	timespec_get(&t, TIME_UTC);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double
loop_cpu(clock_t since)
{
	return (double)(clock() - since) / CLOCKS_PER_SEC;
}

/* A CURLOPT_WRITEFUNCTION. */
static inline size_t
loop_discard(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

#endif
