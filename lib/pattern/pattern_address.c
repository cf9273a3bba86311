// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L /* inet_pton */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "pattern_value.h"
#include "text.h"

/* Decimal, leading zeros allowed, which inet_pton rejects. */
static size_t
parse_v4(const char *text, size_t len, unsigned char out[16])
{
	size_t group = 0, digits = 0;
	unsigned value = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || text[i] == '.') {
			if (digits == 0 || group == 4)
				return 0;
			out[group++] = (unsigned char)value;
			value = 0;
			digits = 0;
		} else {
			if (!isdigit((unsigned char)text[i]))
				return 0;
			value = value * 10 + (unsigned)(text[i] - '0');
			digits++;
			if (value > 255)
				return 0;
		}
	}
	return group == 4 ? 4 : 0;
}

static size_t
parse_v6(const char *text, size_t len, unsigned char out[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, 0xff };
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)text[i]) && text[i] != ':')
			return 0;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, out) != 1)
		return 0;
	if (memcmp(out, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(out, out + 12, 4);
	return 4;
}

size_t
pattern_address_parse(const char *text, size_t len, unsigned char out[16])
{
	/* most strings are not addresses: a few bytes decide */
	if (len < 2 || len > 45 || (!isxdigit((unsigned char)text[0]) && text[0] != ':'))
		return 0;
	return memchr(text, ':', len) != NULL ? parse_v6(text, len, out)
					      : parse_v4(text, len, out);
}

const char *
pattern_address_cidr(struct pattern_net *net, const char *text)
{
	const char *slash = strchr(text, '/');
	int64_t bits, max;

	if (slash == NULL || strchr(slash + 1, '/') != NULL)
		return "Malformed CIDR, one '/' required";
	if (!text_int(slash + 1, INT32_MIN, INT32_MAX, &bits))
		return "Malformed CIDR, mask bits must be an integer";
	if (bits < 0)
		return "Malformed CIDR, mask bits must not be negative";
	net->len = pattern_address_parse(text, (size_t)(slash - text), net->low);
	if (net->len == 0)
		return "Nonstandard IP address";
	max = (int64_t)net->len * 8 - 1;
	if (bits > max)
		return net->len == 4 ? "IPv4 mask bits must be < 32"
				     : "IPv6 mask bits must be < 128";
	for (size_t i = 0; i < net->len; i++) {
		int64_t kept = bits - (int64_t)i * 8;
		unsigned char host = (unsigned char)(kept >= 8 ? 0
				: kept <= 0                    ? 0xff
							       : 0xff >> kept);

		net->high[i] = net->low[i] | host;
		net->low[i] = (unsigned char)(net->low[i] & ~host);
	}
	return NULL;
}
