// SPDX-License-Identifier: Apache-2.0
#include "webhook_wrap.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "text.h"

enum { NAME_MAX_BYTES = 1024, ITEM_MAX = 1000000 };

static const char header_prefix[] = "header:";

const char *
webhook_wrap_header(const struct webhook_content *content, const char *name)
{
	for (size_t i = 0; i < content->n_headers; i++)
		if (strcasecmp(content->header[i].name, name) == 0)
			return content->header[i].value;
	return NULL;
}

int
webhook_wrap_check(const char *value, struct err *err)
{
	if (*value == '\0')
		return err_set(err, ERR_CONFIG, "must not be empty");
	if (text_starts(value, header_prefix) && value[strlen(header_prefix)] == '\0')
		return err_set(err, ERR_CONFIG, "must name a header, such as header:X-Event");
	if (*value != '$')
		return 0;
	if ((value[1] != '.' && value[1] != '/') || value[2] == '\0')
		return err_set(
			err, ERR_CONFIG, "must be $.name or $/name for a member of the body");
	if (value[1] == '.' && (strstr(value, "..") != NULL || text_ends(value, ".")))
		return err_set(err, ERR_CONFIG, "has an empty name between two dots");
	return 0;
}

/* A part of a path: after a slash ~1 is / and ~0 is ~ (RFC 6901, section 4). */
static void
decode_part(const char *s, size_t len, bool pointer, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (pointer && s[i] == '~' && i + 1 < len &&
			(s[i + 1] == '0' || s[i + 1] == '1'))
			buf_add_char(out, s[++i] == '0' ? '~' : '/');
		else
			buf_add_char(out, s[i]);
	}
}

/* The string at s[0..len), quotes included, is `name`. */
static bool
is_name(const char *s, size_t len, const struct buf *name)
{
	struct buf text;
	bool same;

	if (memchr(s, '\\', len) == NULL)
		return len - 2 == name->len && memcmp(s + 1, buf_str(name), name->len) == 0;
	buf_init(&text, NAME_MAX_BYTES);
	same = json_decode_string(s, len, &text) && text.len == name->len &&
		memcmp(buf_str(&text), buf_str(name), name->len) == 0;
	buf_free(&text);
	return same;
}

/* Moves *p from the start of an object or array to the value of one member. */
static bool
enter(const char **p, const char *end, const struct buf *name)
{
	char open = **p;
	int64_t item = -1;

	if (open == '[' ? !text_int(buf_str(name), 0, ITEM_MAX, &item) : open != '{')
		return false;
	++*p;
	for (int64_t i = 0;; i++) {
		bool found = open == '[' && i == item;

		json_skip_blanks(p, end);
		if (*p == end || **p == ']' || **p == '}')
			return false;
		if (open == '{') {
			const char *key = *p;

			if (!json_skip_value(p, end))
				return false;
			found = is_name(key, (size_t)(*p - key), name);
			json_skip_blanks(p, end);
			if (*p == end || *(*p)++ != ':')
				return false;
			json_skip_blanks(p, end);
		}
		if (found)
			return *p < end;
		if (!json_skip_value(p, end))
			return false;
		json_skip_blanks(p, end);
		if (*p < end && **p == ',')
			++*p;
	}
}

/* Moves *p to the value that the path after "$" names. */
static bool
find(const char *path, const char **p, const char *end)
{
	char separator = *path;
	struct buf name;
	bool found = true;

	buf_init(&name, NAME_MAX_BYTES);
	json_skip_blanks(p, end);
	while (found && *path != '\0') {
		const char *part = ++path;

		while (*path != '\0' && *path != separator)
			path++;
		buf_clear(&name);
		decode_part(part, (size_t)(path - part), separator == '/', &name);
		found = buf_ok(&name) && *p < end && enter(p, end, &name);
	}
	buf_free(&name);
	return found;
}

bool
webhook_wrap_read(const char *value, const struct webhook_content *content, struct buf *out)
{
	const char *p = content->body, *end = p + content->len, *at, *text;
	size_t start = out->len;

	if (text_starts(value, header_prefix)) {
		text = webhook_wrap_header(content, value + strlen(header_prefix));
		if (text == NULL || text_utf8_valid(text, strlen(text)) != strlen(text))
			return false;
		buf_add_str(out, text);
	} else if (*value != '$') {
		buf_add_str(out, value);
	} else {
		if (!find(value + 1, &p, end))
			return false;
		at = p;
		if (*at == '{' || *at == '[' || *at == 'n' || !json_skip_value(&p, end))
			return false;
		if (*at != '"')
			buf_add(out, at, (size_t)(p - at));
		else if (!json_decode_string(at, (size_t)(p - at), out))
			return false;
	}
	return buf_ok(out) && out->len > start &&
		memchr(buf_str(out) + start, '\0', out->len - start) == NULL;
}
