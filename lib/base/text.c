// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR (60 * MS_MINUTE)
#define MS_DAY (24 * MS_HOUR)
#define MS_WEEK (7 * MS_DAY)

/* Milliseconds or bytes; a double holds every integer up to 2^53, some 9e15. */
#define QUANTITY_MAX INT64_C(9000000000000000)

struct unit {
	const char *name;
	int64_t factor;
};

bool
text_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	if (!isdigit((unsigned char)s[s[0] == '-']))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return false;
	*out = v;
	return true;
}

size_t
text_from_int(int64_t value, char buf[TEXT_INT_SIZE])
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	size_t digits = 1, len;

	for (uint64_t rest = left; rest >= 10; rest /= 10)
		digits++;
	len = digits + (value < 0);
	buf[0] = '-';
	buf[len] = '\0';
	for (size_t i = len; digits-- != 0; left /= 10)
		buf[--i] = (char)('0' + left % 10);
	return len;
}

/*
 * Reads "<number><unit>" at *s; the number may have a fraction, exact to the millisecond or
 * byte.
 */
static bool
take_quantity(const char **s, const struct unit *units, int64_t *out)
{
	char *end;
	double v;
	size_t n, i;

	if (!isdigit((unsigned char)**s))
		return false;
	for (n = 0; isdigit((unsigned char)(*s)[n]) || (*s)[n] == '.'; n++)
		if (n > 18)
			return false;
	v = strtod(*s, &end);
	if (end != *s + n)
		return false;
	for (i = 0; units[i].name != NULL; i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(end, units[i].name, len) == 0 &&
			!isalpha((unsigned char)end[len])) {
			v *= (double)units[i].factor;
			if (v > (double)QUANTITY_MAX)
				return false;
			*out = (int64_t)(v + 0.5);
			*s = end + len;
			return true;
		}
	}
	return false;
}

static bool
iso8601_duration(const char *s, int64_t *ms)
{
	static const struct {
		char letter;
		bool time;
		int64_t factor;
	} parts[] = {
		{ 'W', false, MS_WEEK },
		{ 'D', false, MS_DAY },
		{ 'H', true, MS_HOUR },
		{ 'M', true, MS_MINUTE },
		{ 'S', true, MS_SECOND },
	};
	bool time = false;
	size_t at = 0;
	int64_t sum = 0;

	for (s++; *s != '\0';) {
		char *end;
		double v;

		if (*s == 'T' && !time) {
			time = true;
			s++;
			continue;
		}
		if (!isdigit((unsigned char)*s))
			return false;
		v = strtod(s, &end);
		while (at < sizeof(parts) / sizeof(parts[0]) &&
			(parts[at].letter != *end || parts[at].time != time))
			at++;
		if (at == sizeof(parts) / sizeof(parts[0]) ||
			v * (double)parts[at].factor > (double)QUANTITY_MAX)
			return false;
		sum += (int64_t)(v * (double)parts[at++].factor + 0.5);
		s = end + 1;
	}
	*ms = sum;
	return at != 0 && sum <= QUANTITY_MAX;
}

bool
text_duration(const char *s, int64_t *ms)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", MS_SECOND },
		{ "m", MS_MINUTE }, { "h", MS_HOUR }, { "d", MS_DAY }, { "w", MS_WEEK },
		{ NULL, 0 } };
	int64_t sum = 0, part;

	if (strcmp(s, "0") == 0) {
		*ms = 0;
		return true;
	}
	if (s[0] == 'P')
		return iso8601_duration(s, ms);
	do {
		if (!take_quantity(&s, units, &part))
			return false;
		sum += part;
	} while (*s != '\0' && sum <= QUANTITY_MAX);
	if (sum > QUANTITY_MAX)
		return false;
	*ms = sum;
	return true;
}

bool
text_size(const char *s, int64_t *bytes)
{
	static const struct unit units[] = { { "KiB", 1024 }, { "MiB", 1024 * 1024 },
		{ "GiB", INT64_C(1) << 30 }, { "TiB", INT64_C(1) << 40 }, { "kB", 1000 },
		{ "KB", 1000 }, { "MB", 1000 * 1000 }, { "GB", 1000 * 1000 * 1000 },
		{ "TB", INT64_C(1000000000000) }, { "B", 1 }, { "", 1 }, { NULL, 0 } };

	return take_quantity(&s, units, bytes) && *s == '\0';
}

const char *
text_duration_str(int64_t ms, char *buf, size_t size)
{
	static const struct unit units[] = { { "d", MS_DAY }, { "h", MS_HOUR },
		{ "m", MS_MINUTE }, { "s", MS_SECOND }, { "ms", 1 } };
	size_t used = 0, i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(units) / sizeof(units[0]) && used < size; i++) {
		int64_t n = ms / units[i].factor;

		if (n != 0)
			used += (size_t)snprintf(
				buf + used, size - used, "%lld%s", (long long)n, units[i].name);
		ms -= n * units[i].factor;
	}
	if (used == 0)
		snprintf(buf, size, "0s");
	return buf;
}

size_t
text_utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0;

	while (i < len) {
		unsigned char c = p[i];
		size_t n, k;

		if (c < 0x80) {
			i++;
			continue;
		}
		n = c >= 0xf0 && c <= 0xf4      ? 4
			: c >= 0xe0 && c < 0xf0 ? 3
			: c >= 0xc2 && c < 0xe0 ? 2
						: 0;
		if (n == 0 || i + n > len)
			return i;
		for (k = 1; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return i;
		/* overlong forms, surrogates, beyond U+10FFFF */
		if ((c == 0xe0 && p[i + 1] < 0xa0) || (c == 0xed && p[i + 1] > 0x9f) ||
			(c == 0xf0 && p[i + 1] < 0x90) || (c == 0xf4 && p[i + 1] > 0x8f))
			return i;
		i += n;
	}
	return i;
}

size_t
text_utf8_encode(uint32_t c, char out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	out[0] = (char)(first[n] | c >> (6 * (n - 1)));
	for (size_t i = 1; i < n; i++)
		out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
	return n;
}

size_t
text_whole(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t first = len, n;

	while (first > 0 && len - first < 3 && (p[first - 1] & 0xc0) == 0x80)
		first--;
	if (first == 0)
		return len;
	first--;
	n = p[first] >= 0xf0 ? 4 : p[first] >= 0xe0 ? 3 : p[first] >= 0xc0 ? 2 : 1;
	return len - first < n ? first : len;
}

bool
text_has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return true;
	return false;
}

bool
text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
text_ends(const char *s, const char *suffix)
{
	size_t a = strlen(s), b = strlen(suffix);

	return a >= b && strcmp(s + a - b, suffix) == 0;
}

unsigned
text_distance(const char *a, const char *b, unsigned limit)
{
	enum { MAX = 64 };
	unsigned row[MAX + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > MAX || lb > MAX || (la > lb ? la - lb : lb - la) > limit)
		return limit + 1;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			unsigned same = diagonal +
				(tolower((unsigned char)a[i - 1]) !=
					tolower((unsigned char)b[j - 1]));
			unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = same < step ? same : step;
		}
	}
	return row[lb] <= limit ? row[lb] : limit + 1;
}
