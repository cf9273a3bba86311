// SPDX-License-Identifier: Apache-2.0
#include "pattern_scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

int
pattern_scan_fail(struct pattern_scan *s, const char *fmt, ...)
{
	char reason[200];
	unsigned line = 1, column = 1;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	for (const char *p = s->start; p < s->p; p++) {
		if (*p == '\n') {
			line++;
			column = 0;
		}
		column++;
	}
	return err_set(s->err, ERR_CONFIG,
		"Event pattern is not valid. Reason: %s at line: %u, column: %u", reason, line,
		column);
}

char
pattern_scan_peek(struct pattern_scan *s)
{
	json_skip_blanks(&s->p, s->end);
	return s->p < s->end ? *s->p : '\0';
}

bool
pattern_scan_take(struct pattern_scan *s, char c)
{
	if (pattern_scan_peek(s) != c || c == '\0')
		return false;
	s->p++;
	return true;
}

int
pattern_scan_expect(struct pattern_scan *s, char c)
{
	char got = pattern_scan_peek(s);

	if (pattern_scan_take(s, c))
		return 0;
	if (got == '\0')
		return pattern_scan_fail(s, "Unexpected end, was expecting '%c'", c);
	if (isprint((unsigned char)got))
		return pattern_scan_fail(
			s, "Unexpected character '%c', was expecting '%c'", got, c);
	return pattern_scan_fail(
		s, "Unexpected byte 0x%02x, was expecting '%c'", (unsigned char)got, c);
}

int
pattern_scan_string(struct pattern_scan *s, struct buf *out)
{
	const char *from;

	if (pattern_scan_peek(s) != '"')
		return pattern_scan_expect(s, '"');
	from = s->p;
	if (!json_skip_value(&s->p, s->end))
		return pattern_scan_fail(s, "Malformed string");
	buf_clear(out);
	if (!json_decode_string(from, (size_t)(s->p - from), out))
		return pattern_scan_fail(s, "Malformed escape in a string");
	if (memchr(buf_str(out), '\0', out->len) != NULL)
		return pattern_scan_fail(s, "A NUL character is not supported");
	return 0;
}

int
pattern_scan_word(struct pattern_scan *s, const char **text, size_t *len)
{
	const char *from;

	json_skip_blanks(&s->p, s->end);
	from = s->p;
	if (!json_skip_value(&s->p, s->end))
		return pattern_scan_fail(s, "Unrecognized token");
	*text = from;
	*len = (size_t)(s->p - from);
	return 0;
}

bool
pattern_scan_is_number(struct pattern_scan *s)
{
	char c = pattern_scan_peek(s);

	return c == '-' || isdigit((unsigned char)c);
}
