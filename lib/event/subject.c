// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "mem.h"
#include "text.h"

enum {
	TOKEN_KEPT = 54,
	NAME_TOKENS_MAX = 7,
	SUBJECT_ATTRIBUTE_KEPT = SUBJECT_ATTRIBUTE_MAX - 9
};

static const char hex[] = "0123456789ABCDEF";

static bool
is_plain(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || c == '-' || c == '_');
}

/* 32 bits, as the subjects have them: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t
fnv1a(const char *s, size_t len)
{
	uint32_t h = 2166136261U;

	while (len-- != 0)
		h = (h ^ (unsigned char)*s++) * 16777619U;
	return h;
}

static void
add_escaped_byte(struct buf *out, unsigned char c)
{
	char e[3] = { '=', hex[c >> 4], hex[c & 15] };

	buf_add(out, e, sizeof(e));
}

static int
hex_digit(char c)
{
	const char *found = c != '\0' ? strchr(hex, c) : NULL;

	return found != NULL ? (int)(found - hex) : -1;
}

char *
subject_decode(const char *tokens)
{
	char *name = mem_strdup(tokens), *to = name;

	for (const char *s = tokens; *s != '\0'; s++)
		if (*s == '=' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
			*to++ = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
			s += 2;
		} else {
			*to++ = *s;
		}
	*to = '\0';
	return name;
}

/* "~" and 8 hex digits of the hash of the whole name: the mark of a shortened name. */
static void
add_hash(struct buf *out, const char *name, size_t len)
{
	uint32_t h = fnv1a(name, len);

	buf_add_char(out, '~');
	for (unsigned i = 0; i < 8; i++)
		buf_add_char(out, hex[(h >> (28 - 4 * i)) & 15]);
}

void
subject_add_token(struct buf *out, const char *name, size_t len)
{
	size_t start = out->len, i;

	if (len == 0) {
		buf_add_char(out, '_');
		return;
	}
	if (len == 1 && name[0] == '_') {
		buf_add_str(out, "=5F");
		return;
	}
	/* stops at the limit: the token must not grow with the name */
	for (i = 0; i < len && out->len - start <= SUBJECT_TOKEN_MAX; i++) {
		if (is_plain((unsigned char)name[i]))
			buf_add_char(out, name[i]);
		else
			add_escaped_byte(out, (unsigned char)name[i]);
	}
	if (out->len - start > SUBJECT_TOKEN_MAX) {
		buf_truncate(out, start + TOKEN_KEPT);
		add_hash(out, name, len);
	}
}

bool
subject_add_attribute(struct buf *out, const char *name)
{
	size_t len = strlen(name);

	if (len <= SUBJECT_ATTRIBUTE_MAX) {
		buf_add(out, name, len);
		return true;
	}
	buf_add(out, name, text_utf8_valid(name, SUBJECT_ATTRIBUTE_KEPT));
	add_hash(out, name, len);
	return false;
}

void
subject_add_name(struct buf *out, const char *name)
{
	unsigned tokens = 1;

	for (;;) {
		size_t n = tokens < NAME_TOKENS_MAX ? strcspn(name, ".") : strlen(name);

		subject_add_token(out, name, n);
		name += n;
		if (*name == '\0')
			return;
		buf_add_char(out, '.');
		name++;
		tokens++;
	}
}

static void
add_part(struct buf *out, const char *part)
{
	subject_add_token(out, part ? part : "", part ? strlen(part) : 0);
	buf_add_char(out, '.');
}

void
subject_write(struct buf *out, const struct subject_parts *p)
{
	buf_clear(out);
	buf_add_str(out, p->prefix && *p->prefix ? p->prefix : "vc");
	buf_add_char(out, '.');
	add_part(out, p->vcenter);
	add_part(out, p->datacenter);
	add_part(out, p->cluster);
	add_part(out, p->severity);
	add_part(out, p->eventclass);
	subject_add_name(out, p->name ? p->name : "");
}

void
subject_write_source(struct buf *out, const char *source, const char *type)
{
	buf_clear(out);
	buf_add_str(out, SOURCE_SUBJECT_PREFIX ".");
	add_part(out, source);
	subject_add_name(out, type);
}

void
subject_stream(struct buf *out, const char *vcenter)
{
	buf_clear(out);
	buf_add_str(out, VCENTER_STREAM_PREFIX);
	subject_add_token(out, vcenter, strlen(vcenter));
}

void
subject_stream_source(struct buf *out, const char *source)
{
	buf_clear(out);
	buf_add_str(out, SOURCE_STREAM_PREFIX);
	subject_add_token(out, source, strlen(source));
}

const char *
subject_event(const char *subject)
{
	/* prefix, source; or prefix, vCenter, datacenter, cluster, severity, class */
	unsigned i, tokens = text_starts(subject, SOURCE_SUBJECT_PREFIX ".") ? 2 : 6;
	const char *at = subject;

	for (i = 0; i < tokens && at != NULL; i++)
		at = strchr(at, '.') != NULL ? strchr(at, '.') + 1 : NULL;
	return at != NULL ? at : subject;
}
