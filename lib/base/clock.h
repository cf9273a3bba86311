// SPDX-License-Identifier: Apache-2.0
/*
 * Clocks and RFC 3339 times. Deadlines use the monotonic clock; times shown to people use the
 * wall clock.
 */
#ifndef VCOURIER_CLOCK_H
#define VCOURIER_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 40 }; /* enough for every text that clock_format writes */

int64_t clock_monotonic_ms(void);
int64_t clock_wall_us(void); /* microseconds since 1970-01-01T00:00:00Z */

/*
 * Condition variables that wait by the monotonic clock, for at most ms: a change of the wall
 * clock does not shorten or lengthen the wait. As with pthread_cond_timedwait, check the
 * condition again after the wait, whatever ended it.
 */
void clock_cond_init(pthread_cond_t *cond);
void clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

/*
 * RFC 3339 and xsd:dateTime: any number of fraction digits, "Z", "+02:00" or (xsd) no zone,
 * which is read as UTC. *us is truncated to microseconds. False when s[0..len) is not exactly
 * that, or not within the years 1 to 9999 in UTC, which clock_format can write.
 */
bool clock_parse(const char *s, size_t len, int64_t *us);

/*
 * "2026-11-22T10:11:12.345678Z", with trailing zeros of the fraction cut as Go's RFC3339Nano
 * does.
 */
const char *clock_format(int64_t us, char buf[CLOCK_TEXT_SIZE]);

/* The same with exactly three fraction digits, for logs. */
const char *clock_format_ms(int64_t us, char buf[CLOCK_TEXT_SIZE]);

/* Civil date to days since 1970-01-01, proleptic Gregorian. */
int64_t clock_days(int64_t year, unsigned month, unsigned day);

#endif
