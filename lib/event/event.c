// SPDX-License-Identifier: Apache-2.0
#include "event.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "text.h"

/*
 * A context attribute of the specification: where it lives in struct event. Extensions are not
 * here.
 */
#define ATTRIBUTE(name) #name, sizeof(#name) - 1, offsetof(struct event, name)
static const struct attribute {
	const char *name;
	size_t len, offset;
	bool required;
} attributes[] = {
	{ ATTRIBUTE(id), true },
	{ ATTRIBUTE(source), true },
	{ ATTRIBUTE(type), true },
	{ ATTRIBUTE(subject), false },
	{ ATTRIBUTE(time), false },
	{ ATTRIBUTE(datacontenttype), false },
	{ ATTRIBUTE(dataschema), false },
};

enum {
	ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]),
	/* a longer name with escapes is not an attribute */
	MEMBER_NAME_MAX = 256,
};

struct event_member {             /* of a structured event, slices of it */
	const char *name, *value; /* name without quotes; value as JSON text */
	size_t name_len, len;
};

static const char **
field(struct event *ev, size_t i)
{
	return (const char **)(void *)((char *)ev + attributes[i].offset);
}

static const char *
value_of(const struct event *ev, size_t i)
{
	return *(const char *const *)(const void *)((const char *)ev + attributes[i].offset);
}

void
event_init(struct event *ev)
{
	size_t i;

	*ev = (struct event){ .data = NULL };
	buf_init(&ev->text, EVENT_ATTRIBUTES_BYTES_MAX);
	for (i = 0; i < ATTRIBUTES; i++)
		*field(ev, i) = "";
}

void
event_free(struct event *ev)
{
	buf_free(&ev->text);
	event_init(ev);
}

void
event_clear(struct event *ev)
{
	struct buf text = ev->text;

	event_init(ev);
	ev->text = text;
	buf_clear(&ev->text);
}

/*
 * The text buffer must not move once strings point into it, so all its room is allocated at
 * once.
 */
static int
reserve(struct event *ev, struct err *err)
{
	size_t whole = EVENT_ATTRIBUTES_BYTES_MAX - ev->text.len;

	if (ev->text.cap <= EVENT_ATTRIBUTES_BYTES_MAX && buf_room(&ev->text, whole) == NULL)
		return err_set(err, ERR_LIMIT, "attributes of more than %d bytes",
			EVENT_ATTRIBUTES_BYTES_MAX);
	return 0;
}

static bool
legal_name(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9')))
			return false;
	return len != 0;
}

static int
too_large(struct err *err)
{
	return err_set(
		err, ERR_LIMIT, "attributes of more than %d bytes", EVENT_ATTRIBUTES_BYTES_MAX);
}

struct attribute_name {
	const char *text;
	size_t len;
};

/* Stores the decoded value that ends ev->text, from `at` on, as an attribute. */
static int
store(struct event *ev, struct attribute_name of, size_t at, bool quoted, struct err *err)
{
	const char *name = of.text;
	size_t name_len = of.len;
	const char *value;
	size_t i, name_at;

	buf_add_char(&ev->text, '\0');
	if (!buf_ok(&ev->text))
		return too_large(err);
	value = ev->text.data + at;
	if (name_len == 11 && memcmp(name, "specversion", 11) == 0) {
		ev->is_1_0 = strcmp(value, "1.0") == 0;
		return ev->is_1_0 ? 0 : err_set(err, ERR_PROTOCOL, "specversion is not 1.0");
	}
	for (i = 0; i < ATTRIBUTES; i++) {
		if (attributes[i].len == name_len &&
			memcmp(attributes[i].name, name, name_len) == 0) {
			if (*value_of(ev, i) != '\0')
				return err_set(err, ERR_PROTOCOL, "attribute %s is given twice",
					attributes[i].name);
			*field(ev, i) = value;
			return 0;
		}
	}
	if (!legal_name(name, name_len) || (name_len == 4 && memcmp(name, "data", 4) == 0))
		return err_set(err, ERR_PROTOCOL,
			"\"%.*s\" is not an attribute name: lower-case letters and digits, not data",
			(int)(name_len < 40 ? name_len : 40), name);
	for (i = 0; i < ev->n_extensions; i++)
		if (strlen(ev->extension[i].name) == name_len &&
			memcmp(ev->extension[i].name, name, name_len) == 0)
			return err_set(err, ERR_PROTOCOL, "attribute %s is given twice",
				ev->extension[i].name);
	if (ev->n_extensions == EVENT_EXTENSIONS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d extension attributes",
			EVENT_EXTENSIONS_MAX);
	name_at = ev->text.len;
	buf_add(&ev->text, name, name_len);
	buf_add_char(&ev->text, '\0');
	if (!buf_ok(&ev->text))
		return too_large(err);
	ev->extension[ev->n_extensions++] = (struct event_extension){
		.name = ev->text.data + name_at, .value = value, .quoted = quoted
	};
	return 0;
}

int
event_set(struct event *ev, const char *name, const char *value, size_t len, struct err *err)
{
	size_t at = ev->text.len;

	if (text_utf8_valid(value, len) != len)
		return err_set(err, ERR_PROTOCOL, "attribute %.40s is not UTF-8 text", name);
	if (reserve(ev, err) != 0)
		return -1;
	buf_add(&ev->text, value, len);
	return store(ev, (struct attribute_name){ name, strlen(name) }, at, true, err);
}

bool
event_is_json_type(const char *type)
{
	size_t n = strcspn(type, "; \t");

	return *type == '\0' ||
		(n >= 5 &&
			(strncasecmp(type + n - 5, "/json", 5) == 0 ||
				strncasecmp(type + n - 5, "+json", 5) == 0));
}

void
event_set_data(struct event *ev, const char *data, size_t len)
{
	const char *p = data, *end = data + len;

	ev->data = len != 0 ? data : NULL;
	ev->data_len = len;
	if (len == 0 || !event_is_json_type(ev->datacontenttype) || !json_skip_value(&p, end))
		return;
	json_skip_blanks(&p, end);
	ev->data_is_json = p == end;
}

int
event_check(const struct event *ev, struct err *err)
{
	size_t i;

	if (!ev->is_1_0)
		return err_set(err, ERR_PROTOCOL,
			"not a CloudEvent: attribute specversion is missing");
	for (i = 0; i < ATTRIBUTES; i++)
		if (attributes[i].required && *value_of(ev, i) == '\0')
			return err_set(err, ERR_PROTOCOL,
				"not a CloudEvent: attribute %s is missing",
				attributes[i].name);
	return 0;
}

const char *
event_extension(const struct event *ev, const char *name)
{
	size_t i;

	for (i = 0; i < ev->n_extensions; i++)
		if (strcmp(ev->extension[i].name, name) == 0)
			return ev->extension[i].value;
	return "";
}

/* One member's value, the value being JSON text. Data is noted, null means absent. */
static int
take_member(struct event *ev, const struct event_member *m, struct err *err)
{
	const char *name = m->name, *value = m->value;
	size_t name_len = m->name_len, len = m->len;
	size_t at = ev->text.len;
	bool is_data = name_len == 4 && memcmp(name, "data", 4) == 0;
	bool is_base64 = name_len == 11 && memcmp(name, "data_base64", 11) == 0;

	if (len == 4 && memcmp(value, "null", 4) == 0 && !is_data)
		return 0;
	if (is_data || is_base64) {
		if (ev->data != NULL)
			return err_set(err, ERR_PROTOCOL, "data is given twice");
		if (is_base64 && (len < 2 || value[0] != '"'))
			return err_set(err, ERR_PROTOCOL, "data_base64 is not a string");
		ev->data = is_base64 ? value + 1 : value;
		ev->data_len = is_base64 ? len - 2 : len;
		ev->data_is_json = is_data;
		ev->data_is_base64 = is_base64;
		return 0;
	}
	if (name_len == 4 && memcmp(name, "type", 4) == 0) {
		ev->type_at = (size_t)(value - ev->json);
		ev->type_len = len;
	}
	if (value[0] == '{' || value[0] == '[')
		return err_set(err, ERR_PROTOCOL, "attribute \"%.*s\" is not a scalar",
			(int)(name_len < 40 ? name_len : 40), name);
	if (value[0] != '"') {
		buf_add(&ev->text, value, len);
		return store(ev, (struct attribute_name){ name, name_len }, at, false, err);
	}
	if (!json_decode_string(value, len, &ev->text))
		return buf_ok(&ev->text)
			? err_set(err, ERR_PROTOCOL, "attribute \"%.*s\": bad string",
				  (int)(name_len < 40 ? name_len : 40), name)
			: too_large(err);
	if (memchr(ev->text.data + at, '\0', ev->text.len - at) != NULL)
		return err_set(err, ERR_PROTOCOL, "attribute \"%.*s\" contains a NUL",
			(int)(name_len < 40 ? name_len : 40), name);
	return store(ev, (struct attribute_name){ name, name_len }, at, true, err);
}

/*
 * Our own layout ends in `"data":` + value + `}`, so after "data": the rest of the message is
 * the data. True, with *p at the closing brace, when the value from p on is certainly the last
 * member: the data is an object and the message ends in "}}". The collector has checked the
 * JSON in between; if another program wrote invalid JSON there, the backend rejects it with
 * 400.
 */
static bool
data_is_last(const char **p, const char *end)
{
	const char *q = end;

	while (q > *p && (q[-1] == ' ' || q[-1] == '\n' || q[-1] == '\r' || q[-1] == '\t'))
		q--;
	if (q - *p < 3 || **p != '{' || q[-1] != '}' || q[-2] != '}')
		return false;
	*p = q - 1;
	return true;
}

/* A name with escapes: JSON allows it, but no known program writes one. */
static int
take_escaped(struct event *ev, const struct event_member *m, struct err *err)
{
	struct event_member plain = *m;
	struct buf name;
	int failed;

	buf_init(&name, MEMBER_NAME_MAX);
	if (!json_decode_string(m->name - 1, m->name_len + 2, &name) ||
		memchr(buf_str(&name), '\0', name.len) != NULL)
		failed = err_set(err, ERR_PROTOCOL, "\"%.*s\" is not an attribute name",
			(int)(m->name_len < 40 ? m->name_len : 40), m->name);
	else {
		plain.name = buf_str(&name);
		plain.name_len = name.len;
		failed = take_member(ev, &plain, err);
	}
	buf_free(&name);
	return failed;
}

static int
malformed(struct err *err, const char *json, const char *p)
{
	return err_set(err, ERR_PROTOCOL, "not a JSON object at byte %zu", (size_t)(p - json));
}

/* ours: assume that data comes last, as we write it. *trusted: this assumption was used. */
static int
scan(struct event *ev, bool ours, struct err *err)
{
	const char *p = ev->json, *end = p + ev->json_len;

	json_skip_blanks(&p, end);
	if (p == end || *p++ != '{')
		return malformed(err, ev->json, p);
	for (;;) {
		const char *name, *value;
		struct event_member m;
		size_t name_len;

		json_skip_blanks(&p, end);
		name = p + 1;
		if (p == end || *p != '"' || !json_skip_value(&p, end))
			return malformed(err, ev->json, p);
		name_len = (size_t)(p - 1 - name);
		json_skip_blanks(&p, end);
		if (p == end || *p++ != ':')
			return malformed(err, ev->json, p);
		json_skip_blanks(&p, end);
		value = p;
		if (!(ours && name_len == 4 && memcmp(name, "data", 4) == 0 &&
			    data_is_last(&p, end)) &&
			!json_skip_value(&p, end))
			return malformed(err, ev->json, p);
		m = (struct event_member){ name, value, name_len, (size_t)(p - value) };
		if ((memchr(name, '\\', name_len) != NULL ? take_escaped : take_member)(
			    ev, &m, err) != 0)
			return -1;
		json_skip_blanks(&p, end);
		if (p < end && *p == ',') {
			p++;
			continue;
		}
		if (p == end || *p++ != '}')
			return malformed(err, ev->json, p);
		json_skip_blanks(&p, end);
		return p == end ? 0 : malformed(err, ev->json, p);
	}
}

static int
parse(struct event *ev, const char *json, size_t len, bool ours, struct err *err)
{
	event_clear(ev);
	ev->json = json;
	ev->json_len = len;
	if (reserve(ev, err) != 0 || scan(ev, ours, err) != 0)
		return -1;
	return event_check(ev, err);
}

int
event_parse(struct event *ev, const char *json, size_t len, struct err *err)
{
	static const char first[] = "{\"specversion\":\"1.0\",\"id\":";
	bool ours = len > sizeof(first) && memcmp(json, first, sizeof(first) - 1) == 0;

	return parse(ev, json, len, ours, err);
}

int
event_parse_untrusted(struct event *ev, const char *json, size_t len, struct err *err)
{
	return parse(ev, json, len, false, err);
}
