// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_SECOND INT64_C(1000000)
#define US_DAY (86400 * US_SECOND)

/* 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z, in seconds */
#define FIRST_S INT64_C(-62135596800)
#define END_S INT64_C(253402300800)

int64_t
clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

void
clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	pthread_cond_timedwait(cond, lock, &t);
}

int64_t
clock_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_SECOND + t.tv_nsec / 1000;
}

/* Howard Hinnant's days_from_civil: https://howardhinnant.github.io/date_algorithms.html */
int64_t
clock_days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day -
		1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool
digits(const char **s, const char *end, int n, unsigned *out)
{
	*out = 0;
	for (; n > 0; n--, (*s)++) {
		if (*s == end || !isdigit((unsigned char)**s))
			return false;
		*out = *out * 10 + (unsigned)(**s - '0');
	}
	return true;
}

static bool
literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	(*s)++;
	return true;
}

static bool
zone(const char **s, const char *end, int64_t *us)
{
	unsigned hours, minutes;
	int sign;

	if (*s == end || literal(s, end, 'Z'))
		return true;
	sign = **s == '+' ? 1 : **s == '-' ? -1 : 0;
	(*s)++;
	if (sign == 0 || !digits(s, end, 2, &hours) || !literal(s, end, ':') ||
		!digits(s, end, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*us -= sign * (int64_t)(hours * 60 + minutes) * 60 * US_SECOND;
	return true;
}

static unsigned
days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

bool
clock_parse(const char *s, size_t len, int64_t *us)
{
	const char *end = s + len;
	unsigned year, month, day, hour, minute, second;
	int64_t fraction = 0, unit = US_SECOND;

	if (!digits(&s, end, 4, &year) || !literal(&s, end, '-') ||
		!digits(&s, end, 2, &month) || !literal(&s, end, '-') ||
		!digits(&s, end, 2, &day) || !literal(&s, end, 'T') ||
		!digits(&s, end, 2, &hour) || !literal(&s, end, ':') ||
		!digits(&s, end, 2, &minute) || !literal(&s, end, ':') ||
		!digits(&s, end, 2, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
		hour > 23 || minute > 59 || second > 60)
		return false;
	if (literal(&s, end, '.')) {
		if (s == end || !isdigit((unsigned char)*s))
			return false;
		for (; s != end && isdigit((unsigned char)*s); s++) {
			unit /= 10;
			fraction += (*s - '0') * unit;
		}
	}
	*us = clock_days((int64_t)year, month, day) * US_DAY +
		(int64_t)(hour * 3600 + minute * 60 + second) * US_SECOND + fraction;
	return zone(&s, end, us) && s == end && *us >= FIRST_S * US_SECOND &&
		*us < END_S * US_SECOND;
}

/* Writes date and time to the second; returns the microseconds that are left. */
static int64_t
format_seconds(int64_t us, char buf[CLOCK_TEXT_SIZE])
{
	int64_t seconds = us / US_SECOND, rest = us % US_SECOND;
	time_t t;
	struct tm tm;

	if (rest < 0) {
		rest += US_SECOND;
		seconds--;
	}
	t = (time_t)seconds;
	gmtime_r(&t, &tm);
	/* strftime's %Y does not pad: RFC 3339 has four digits */
	snprintf(buf, CLOCK_TEXT_SIZE, "%04d", tm.tm_year + 1900);
	strftime(buf + strlen(buf), CLOCK_TEXT_SIZE - strlen(buf), "-%m-%dT%H:%M:%S", &tm);
	return rest;
}

const char *
clock_format(int64_t us, char buf[CLOCK_TEXT_SIZE])
{
	int64_t rest = format_seconds(us, buf);
	size_t len = strlen(buf);

	if (rest != 0) {
		len += (size_t)snprintf(buf + len, CLOCK_TEXT_SIZE - len, ".%06d", (int)rest);
		while (buf[len - 1] == '0')
			len--;
	}
	memcpy(buf + len, "Z", 2);
	return buf;
}

const char *
clock_format_ms(int64_t us, char buf[CLOCK_TEXT_SIZE])
{
	int64_t rest = format_seconds(us, buf);
	size_t len = strlen(buf);

	snprintf(buf + len, CLOCK_TEXT_SIZE - len, ".%03dZ", (int)(rest / 1000));
	return buf;
}
