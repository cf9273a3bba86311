// SPDX-License-Identifier: Apache-2.0
#include "ovf_properties.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "text.h"

static const char prefix[] = "guestinfo.", option[] = "--prop:guestinfo.";

/* Takes the value, which may be a password, out of the buffer. NULL: there are too many. */
static struct ovf_property *
add_property(struct ovf_properties *list, const char *key, size_t key_len, struct buf *value)
{
	struct ovf_property *p = NULL;

	if (list->n < OVF_PROPERTIES_MAX && buf_ok(value)) {
		p = &list->property[list->n++];
		*p = (struct ovf_property){ .key = mem_strndup(key, key_len),
			.value = mem_strdup(buf_str(value)) };
	}
	mem_wipe(value->data, value->len);
	buf_free(value);
	return p;
}

/* ---- ovfEnv: <Property oe:key="guestinfo.KEY" oe:value="VALUE"/> */

/* Appends the character of the reference at s. Returns the reference's length; 0: none. */
static size_t
add_reference(struct buf *out, const char *s, const char *end)
{
	static const struct {
		const char *name;
		char c;
	} names[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' } };
	const char *digits = s + 2;
	unsigned long c;
	char *stop, utf8[4];
	bool hex;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_starts(s, names[i].name)) {
			buf_add_char(out, names[i].c);
			return strlen(names[i].name);
		}
	if (!text_starts(s, "&#"))
		return 0;
	hex = *digits == 'x';
	digits += hex;
	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return 0;
	c = strtoul(digits, &stop, hex ? 16 : 10);
	if (stop >= end || *stop != ';' || c == 0 || c > 0x10ffff ||
		(c >= 0xd800 && c < 0xe000))
		return 0;
	buf_add(out, utf8, text_utf8_encode((uint32_t)c, utf8));
	return (size_t)(stop + 1 - s);
}

static void
add_decoded(struct buf *out, const char *s, const char *end)
{
	size_t n;

	while (s < end) {
		n = *s == '&' ? add_reference(out, s, end) : 0;
		if (n == 0)
			buf_add_char(out, *s);
		s += n != 0 ? n : 1;
	}
}

/* An attribute of a tag: its name without the namespace's prefix, and its value as written. */
struct xml_attribute {
	const char *name, *value;
	size_t name_len, value_len;
};

/* The attribute at s. Returns what follows it; NULL: the tag has no further one. */
static const char *
next_attribute(const char *s, struct xml_attribute *out)
{
	const char *end, *colon;

	s += strspn(s, " \t\r\n");
	end = s + strcspn(s, "= \t\r\n/><\"'");
	if (end == s)
		return NULL;
	colon = memchr(s, ':', (size_t)(end - s));
	out->name = colon != NULL ? colon + 1 : s;
	out->name_len = (size_t)(end - out->name);
	s = end + strspn(end, " \t\r\n");
	if (*s != '=')
		return NULL;
	s++;
	s += strspn(s, " \t\r\n");
	if ((*s != '"' && *s != '\'') || (end = strchr(s + 1, *s)) == NULL)
		return NULL;
	out->value = s + 1;
	out->value_len = (size_t)(end - out->value);
	return end + 1;
}

static bool
is_named(const struct xml_attribute *a, const char *name)
{
	return a->name_len == strlen(name) && memcmp(a->name, name, a->name_len) == 0;
}

/* s is behind the name of the element. Returns where to go on. */
static const char *
read_element(struct ovf_properties *list, const char *s, int line)
{
	struct xml_attribute a, key = { .name = NULL }, value = { .name = NULL };
	struct ovf_property *p;
	const char *next;
	struct buf text;

	while ((next = next_attribute(s, &a)) != NULL) {
		s = next;
		if (is_named(&a, "key"))
			key = a;
		else if (is_named(&a, "value"))
			value = a;
	}
	if (key.name == NULL || value.name == NULL || !text_starts(key.value, prefix))
		return s;
	buf_init(&text, OVF_VALUE_MAX);
	add_decoded(&text, value.value, value.value + value.value_len);
	p = add_property(
		list, key.value + strlen(prefix), key.value_len - strlen(prefix), &text);
	if (p != NULL)
		p->line = line;
	return s;
}

/* s is at a '<'. Returns where to go on. */
static const char *
read_tag(struct ovf_properties *list, const char *s, int line)
{
	const char *end, *colon;

	if (text_starts(s, "<!--")) {
		end = strstr(s, "-->");
		return end != NULL ? end : s + strlen(s);
	}
	s++;
	end = s + strcspn(s, " \t\r\n/><");
	colon = memchr(s, ':', (size_t)(end - s));
	if (colon != NULL)
		s = colon + 1;
	if ((size_t)(end - s) != strlen("Property") || !text_starts(s, "Property"))
		return end;
	return read_element(list, end, line);
}

/* ---- --prop:guestinfo.KEY=VALUE, as a word of a shell */

/* s is in the word, behind `quote` unless that is 0. True: the word has a variable. */
static bool
add_word(struct buf *out, const char *s, char quote)
{
	bool variable = false;

	for (; *s != '\0' && (quote != 0 || strchr(" \t\r\n", *s) == NULL); s++) {
		if (quote != 0 ? *s == quote : *s == '"' || *s == '\'') {
			quote = quote != 0 ? 0 : *s;
		} else if (*s == '\\' && s[1] != '\0' && quote != '\'' &&
			(quote == 0 || strchr("\"\\$`", s[1]) != NULL)) {
			s++;
			if (*s != '\n')
				buf_add_char(out, *s);
		} else {
			variable |= *s == '$' && quote != '\'';
			buf_add_char(out, *s);
		}
	}
	return variable;
}

/* s is behind "--prop:guestinfo."; before is the character in front of that. */
static void
read_option(struct ovf_properties *list, const char *s, char before, int line)
{
	size_t key_len = strcspn(s, "= \t\r\n\"'");
	struct ovf_property *p;
	struct buf text;
	bool variable;

	if (s[key_len] != '=')
		return;
	buf_init(&text, OVF_VALUE_MAX);
	variable = add_word(
		&text, s + key_len + 1, before == '"' || before == '\'' ? before : (char)0);
	p = add_property(list, s, key_len, &text);
	if (p != NULL) {
		p->line = line;
		p->has_variable = variable;
	}
}

/* ---- guestinfo.KEY=VALUE, with or without quotes, alone on its line */

static void
read_line(struct ovf_properties *list, const char *s, int line)
{
	const char *end = s + strcspn(s, "\n"), *equals;
	struct ovf_property *p;
	struct buf text;

	equals = memchr(s, '=', (size_t)(end - s));
	if (equals == NULL)
		return;
	while (end > equals + 1 && (end[-1] == '\r' || end[-1] == ' '))
		end--;
	buf_init(&text, OVF_VALUE_MAX);
	if (end - equals > 2 && (equals[1] == '"' || equals[1] == '\'') && end[-1] == equals[1])
		buf_add(&text, equals + 2, (size_t)(end - equals) - 3);
	else
		buf_add(&text, equals + 1, (size_t)(end - equals) - 1);
	p = add_property(
		list, s + strlen(prefix), (size_t)(equals - s) - strlen(prefix), &text);
	if (p != NULL)
		p->line = line;
}

/* ---- the whole text */

void
ovf_properties_read(struct ovf_properties *list, const char *text)
{
	const char *s = text, *next;
	bool line_begins = true;
	int line = 1;

	list->n = 0;
	for (; *s != '\0'; s = next) {
		next = s + 1;
		if (*s == '<')
			next = read_tag(list, s, line);
		else if (text_starts(s, option))
			read_option(list, s + strlen(option), s > text ? s[-1] : ' ', line);
		else if (line_begins && text_starts(s, prefix))
			read_line(list, s, line);
		line_begins = line_begins && (*s == ' ' || *s == '\t');
		for (; s < next; s++)
			if (*s == '\n') {
				line++;
				line_begins = true;
			}
	}
}

void
ovf_properties_free(struct ovf_properties *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->property[i].key);
		mem_free_secret(list->property[i].value);
	}
	list->n = 0;
}

const char *
ovf_properties_get(const struct ovf_properties *list, const char *key)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->property[i].key, key) == 0)
			return *list->property[i].value != '\0' ? list->property[i].value
								: NULL;
	return NULL;
}
