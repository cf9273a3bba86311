// SPDX-License-Identifier: Apache-2.0
#include "config_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config_tree.h"
#include "json.h"
#include "text.h"

enum { PATH_SIZE = 256 };

static bool
is_list(const struct config_field *f)
{
	return f->type == CONFIG_OBJECTS || (f->type == CONFIG_NODE && f->item_size != 0);
}

static bool
is_block(const struct config_field *f)
{
	return f->fields != NULL && f->type != CONFIG_CUSTOM && !(f->flags & CONFIG_IGNORED);
}

/*
 * The row before f that describes the same block ("eventProvider" for "eventProviders"): it is
 * documented once.
 */
static const struct config_field *
same_block(const struct config_field *fields, const struct config_field *f)
{
	const struct config_field *other;

	for (other = fields; other != f; other++)
		if (is_block(other) && other->fields == f->fields)
			return other;
	return NULL;
}

/* ---- words for people */

static void
add_bound(const struct config_field *f, int64_t v, struct buf *out)
{
	char text[32];

	if (f->type == CONFIG_DURATION)
		buf_add_str(out, text_duration_str(v, text, sizeof(text)));
	else if (f->type == CONFIG_SIZE)
		buf_add_str(out, config_size_str(v, text, sizeof(text)));
	else
		buf_printf(out, "%" PRId64, v);
}

static void
add_type(const struct config_field *f, struct buf *out)
{
	static const char *const names[] = { [CONFIG_STRING] = "text",
		[CONFIG_BOOL] = "true, false",
		[CONFIG_INT] = "number",
		[CONFIG_DURATION] = "duration",
		[CONFIG_SIZE] = "size",
		[CONFIG_STRINGS] = "list of texts",
		[CONFIG_MAP] = "mapping of texts",
		[CONFIG_SECRET] = "secret",
		[CONFIG_OBJECT] = "block",
		[CONFIG_OBJECTS] = "list of blocks",
		[CONFIG_JSON] = "YAML or JSON",
		[CONFIG_NODE] = "block",
		[CONFIG_CUSTOM] = "text" };
	size_t i;

	if (f->flags & CONFIG_URL)
		buf_add_str(out, "URL");
	else if (f->flags & CONFIG_BIND)
		buf_add_str(out, "address:port");
	else if ((f->flags & CONFIG_FILE) && f->type == CONFIG_STRING)
		buf_add_str(out, "path");
	else if (f->type == CONFIG_ENUM)
		for (i = 0; f->choices[i] != NULL; i++)
			buf_printf(out, "%s%s", i != 0 ? ", " : "", f->choices[i]);
	else if (is_list(f))
		buf_add_str(out, "list of blocks");
	else if (f->type == CONFIG_CUSTOM && f->fields != NULL)
		buf_add_str(out, "text or block");
	else
		buf_add_str(out, names[f->type]);
	if (f->type != CONFIG_INT && f->type != CONFIG_DURATION && f->type != CONFIG_SIZE)
		return;
	buf_add_str(out, f->max != 0 ? ", " : ", at least ");
	add_bound(f, f->min, out);
	if (f->max != 0) {
		buf_add_str(out, " to ");
		add_bound(f, f->max, out);
	}
}

static void
join(char out[PATH_SIZE], const char *prefix, const struct config_field *f)
{
	snprintf(out, PATH_SIZE, "%s%s%s.", prefix, f->key, is_list(f) ? "[]" : "");
}

/* ---- reference page */

static void
reference_row(const struct config_field *f, struct buf *out)
{
	buf_printf(out, "| `%s`", f->key);
	if (f->type == CONFIG_SECRET)
		buf_printf(out, ", `%sFile`", f->key);
	buf_add_str(out, " | ");
	if (f->flags & CONFIG_IGNORED)
		buf_add_str(out, "ignored");
	else
		add_type(f, out);
	buf_add_str(out, " | ");
	if (f->flags & CONFIG_REQUIRED)
		buf_add_str(out, "required");
	else if (f->def != NULL)
		buf_printf(out, "`%s`", *f->def != '\0' ? f->def : "\"\"");
	buf_printf(out, " | %s%s |\n",
		f->flags & CONFIG_IGNORED ? "Accepted, has no effect: " : "", f->help);
}

static void
reference(const struct config_field *fields, const char *prefix, struct buf *out)
{
	const struct config_field *f;
	char path[PATH_SIZE];

	buf_add_str(out, "| option | type | default | meaning |\n| --- | --- | --- | --- |\n");
	for (f = fields; f->key != NULL; f++)
		reference_row(f, out);
	for (f = fields; f->key != NULL; f++) {
		if ((!is_block(f) && !(f->type == CONFIG_CUSTOM && f->fields != NULL)) ||
			same_block(fields, f) != NULL)
			continue;
		join(path, prefix, f);
		buf_printf(out, "\n### `%.*s`\n\n%s\n\n", (int)strlen(path) - 1, path, f->help);
		reference(f->fields, path, out);
	}
}

void
config_reference(const struct config_field *fields, struct buf *out)
{
	reference(fields, "", out);
}

/* ---- JSON Schema */

static void
add_string(struct buf *out, const char *text)
{
	json_add_string(out, text, strlen(text));
}

static void
schema_default(const struct config_field *f, struct buf *out)
{
	if (f->def == NULL)
		return;
	buf_add_str(out, ",\"default\":");
	if (f->type == CONFIG_BOOL || f->type == CONFIG_INT)
		buf_add_str(out, f->def);
	else
		add_string(out, f->def);
}

static void
schema_type(const struct config_field *f, struct buf *out)
{
	size_t i;

	switch (f->type) {
	case CONFIG_BOOL:
		buf_add_str(out, "\"type\":\"boolean\"");
		break;
	case CONFIG_INT:
		buf_printf(out, "\"type\":\"integer\",\"minimum\":%" PRId64, f->min);
		if (f->max != 0)
			buf_printf(out, ",\"maximum\":%" PRId64, f->max);
		break;
	case CONFIG_DURATION:
		buf_add_str(out,
			"\"type\":[\"string\",\"integer\"],\"pattern\":\"^(0|([0-9.]+("
			"ms|s|m|h|d|w))+|P.+)$\"");
		break;
	case CONFIG_SIZE:
		buf_add_str(out,
			"\"type\":[\"string\",\"integer\"],\"pattern\":\"^[0-9.]+(["
			"kKMGT]i?)?B?$\"");
		break;
	case CONFIG_ENUM:
		buf_add_str(out, "\"enum\":[");
		for (i = 0; f->choices[i] != NULL; i++) {
			buf_add_str(out, i != 0 ? "," : "");
			add_string(out, f->choices[i]);
		}
		buf_add_char(out, ']');
		break;
	case CONFIG_STRINGS:
		buf_add_str(out,
			"\"type\":[\"array\",\"string\"],\"items\":{\"type\":["
			"\"string\",\"number\"]}");
		break;
	case CONFIG_MAP:
		buf_add_str(out, "\"type\":\"object\"");
		break;
	case CONFIG_JSON:
		buf_add_str(out, "\"type\":[\"object\",\"string\"]");
		break;
	default: /* every scalar of YAML is also valid as a string */
		buf_add_str(out, "\"type\":[\"string\",\"number\",\"boolean\"]");
		break;
	}
}

static void schema_block(const struct config_field *fields, struct buf *out);

/* What the file may have at this key, null included: it means "not set". */
static void
schema_value(const struct config_field *fields, const struct config_field *f, struct buf *out)
{
	const struct config_field *same = is_block(f) ? same_block(fields, f) : NULL;

	buf_add_str(out, "{\"description\":");
	add_string(out, f->help);
	if (is_list(f) && same != NULL) {
		buf_printf(out,
			",\"type\":\"array\",\"items\":{\"$ref\":\"#/properties/%s/anyOf/1\"}",
			same->key);
	} else if (is_list(f)) {
		buf_add_str(out, ",\"type\":\"array\",\"items\":");
		schema_block(f->fields, out);
	} else if (is_block(f)) {
		buf_add_str(out, ",\"anyOf\":[{\"type\":\"null\"},");
		schema_block(f->fields, out);
		buf_add_char(out, ']');
	} else if (f->type == CONFIG_CUSTOM && f->fields != NULL) {
		buf_add_str(out, ",\"anyOf\":[{\"type\":[\"string\",\"null\"]},");
		schema_block(f->fields, out);
		buf_add_char(out, ']');
	} else if (f->type != CONFIG_NODE && !(f->flags & CONFIG_IGNORED)) {
		buf_add_str(out, ",\"anyOf\":[{\"type\":\"null\"},{");
		schema_type(f, out);
		buf_add_str(out, "}");
		if (f->type != CONFIG_STRING && f->type != CONFIG_SECRET &&
			f->type != CONFIG_CUSTOM) /* ${NAME}: an environment variable */
			buf_add_str(
				out, ",{\"type\":\"string\",\"pattern\":\"[$][{][A-Za-z_]\"}");
		buf_add_char(out, ']');
		schema_default(f, out);
	}
	buf_add_char(out, '}');
}

/* A required secret may be given by either of its keys, so it is not in this list. */
static void
schema_required(const struct config_field *fields, struct buf *out)
{
	const struct config_field *f;
	bool any = false;

	for (f = fields; f->key != NULL; f++) {
		if (!(f->flags & CONFIG_REQUIRED) || f->type == CONFIG_SECRET)
			continue;
		buf_add_str(out, any ? "," : ",\"required\":[");
		add_string(out, f->key);
		any = true;
	}
	if (any)
		buf_add_char(out, ']');
}

static void
schema_members(const struct config_field *fields, struct buf *out)
{
	const struct config_field *f;

	buf_add_str(out, "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	for (f = fields; f->key != NULL; f++) {
		if (f != fields)
			buf_add_char(out, ',');
		add_string(out, f->key);
		buf_add_char(out, ':');
		schema_value(fields, f, out);
		if (f->type == CONFIG_SECRET)
			buf_printf(out,
				",\"%sFile\":{\"description\":\"File that holds it, read at "
				"each use.\","
				"\"type\":[\"string\",\"null\"]}",
				f->key);
	}
	buf_add_char(out, '}');
	schema_required(fields, out);
}

static void
schema_block(const struct config_field *fields, struct buf *out)
{
	buf_add_char(out, '{');
	schema_members(fields, out);
	buf_add_char(out, '}');
}

void
config_schema(const struct config_field *fields, const char *title, struct buf *out)
{
	buf_add_str(out,
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":");
	add_string(out, title);
	buf_add_char(out, ',');
	schema_members(fields, out);
	buf_add_str(out, "}\n");
}

/* ---- --help */

void
config_each(
	const struct config_field *fields, const char *prefix, config_on_option *fn, void *ctx)
{
	char path[PATH_SIZE];

	for (const struct config_field *f = fields; f->key != NULL; f++) {
		struct buf name, type;

		if ((f->flags & CONFIG_IGNORED) || same_block(fields, f) != NULL)
			continue;
		if (is_block(f)) {
			join(path, prefix, f);
			config_each(f->fields, path, fn, ctx);
			continue;
		}
		buf_init(&name, 1024);
		buf_init(&type, 1024);
		buf_printf(&name, "%s%s%s", prefix, f->key,
			f->type == CONFIG_SECRET ? "[File]" : "");
		add_type(f, &type);
		if (f->def != NULL)
			buf_printf(&type, "; default %s", f->def);
		buf_add_str(&type, f->flags & CONFIG_REQUIRED ? "; required" : "");
		fn(ctx, buf_str(&name), buf_str(&type), f->help);
		buf_free(&name);
		buf_free(&type);
		if (f->type == CONFIG_CUSTOM && f->fields != NULL) { /* its form as a block */
			join(path, prefix, f);
			config_each(f->fields, path, fn, ctx);
		}
	}
}

static void
add_help(void *ctx, const char *name, const char *type, const char *help)
{
	struct command_wrap wrap = { .indent = 6, .used = 6, .width = command_width() - 1 };
	struct buf *out = ctx;

	buf_printf(out, "  %s (%s)\n      ", name, type);
	command_add_wrapped(&wrap, help, out);
	buf_add_char(out, '\n');
}

void
config_help(const struct config_field *fields, const char *prefix, struct buf *out)
{
	config_each(fields, prefix, add_help, out);
}
