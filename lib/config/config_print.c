// SPDX-License-Identifier: Apache-2.0
#include "config_print.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "printable.h"
#include "text.h"
#include "url_mask.h"
#include "config_tree.h"

#define FIELD(bound, f) ((const void *)((const char *)(bound) + (f)->offset))

static void
print_text_as_is(const char *text, struct buf *out)
{
	const char *s;

	if (strstr(text, "${") == NULL || !printable_is(text, strlen(text))) {
		/* a JSON string is a YAML string */
		printable_add_json_string(out, text, strlen(text));
		return;
	}
	buf_add_char(
		out, '\''); /* single quotes: nothing in it is replaced from the environment */
	for (s = text; *s != '\0'; s++)
		buf_add_str(out, *s == '\'' ? "''" : (char[]){ *s, '\0' });
	buf_add_char(out, '\'');
}

void
config_print_text(const char *text, struct buf *out)
{
	struct buf masked;

	buf_init(&masked, CONFIG_FILE_MAX);
	url_mask_add(&masked, text);
	print_text_as_is(buf_str(&masked), out);
	buf_free(&masked);
}

static void
print_text(const char *text, struct buf *out)
{
	config_print_text(text, out);
	buf_add_char(out, '\n');
}

static void
print_key(const char *key, int indent, struct buf *out)
{
	buf_printf(out, "%*s%s: ", indent, "", key);
}

static void
print_secret(
	const struct config_field *f, const struct secret *secret, int indent, struct buf *out)
{
	if (secret->file != NULL) {
		buf_printf(out, "%*s%sFile: ", indent, "", f->key);
		print_text(secret->file, out);
	} else if (secret->value != NULL) {
		print_key(f->key, indent, out);
		print_text(f->flags & CONFIG_INLINE ? secret->value : "***", out);
	}
}

static void
print_strings(const struct config_field *f, char *const *list, int indent, struct buf *out)
{
	size_t i, step = f->type == CONFIG_MAP ? 2 : 1;

	if (list == NULL)
		return;
	print_key(f->key, indent, out);
	buf_add_char(out, step == 2 ? '{' : '[');
	for (i = 0; list[i] != NULL; i++) {
		if (i != 0)
			buf_add_str(out, i % step == 0 ? ", " : ": ");
		config_print_text(list[i], out);
	}
	buf_add_str(out, step == 2 ? "}\n" : "]\n");
}

static void
print_objects(const struct config_field *f, const struct config_list *list, int indent,
	struct buf *out)
{
	size_t i;

	if (list->n != 0)
		buf_printf(out, "%*s%s:\n", indent, "", f->key);
	for (i = 0; i < list->n; i++) {
		size_t start = out->len;

		config_print(f->fields, (const char *)list->items + i * f->item_size,
			indent + 4, out);
		if (buf_ok(out) && out->len > start + (size_t)indent + 4)
			out->data[start + (size_t)indent + 2] = '-';
	}
}

static void
print_object(const struct config_field *f, const void *bound, int indent, struct buf *out)
{
	size_t start, inside;

	start = out->len;
	buf_printf(out, "%*s%s:\n", indent, "", f->key);
	inside = out->len;
	config_print(f->fields, bound, indent + 2, out);
	if (out->len == inside) /* no option in it is set */
		buf_truncate(out, start);
}

static void
print_scalar(const struct config_field *f, const void *field, int indent, struct buf *out)
{
	char text[32];

	print_key(f->key, indent, out);
	switch (f->type) {
	case CONFIG_BOOL:
		buf_add_str(out, *(const bool *)field ? "true\n" : "false\n");
		break;
	case CONFIG_DURATION:
		buf_printf(out, "%s\n",
			text_duration_str(*(const int64_t *)field, text, sizeof(text)));
		break;
	case CONFIG_SIZE:
		buf_printf(out, "%s\n",
			config_size_str(*(const int64_t *)field, text, sizeof(text)));
		break;
	case CONFIG_ENUM:
		buf_printf(out, "%s\n", f->choices[*(const int *)field]);
		break;
	default:
		buf_printf(out, "%" PRId64 "\n", *(const int64_t *)field);
		break;
	}
}

void
config_print(const struct config_field *fields, const void *bound, int indent, struct buf *out)
{
	const struct config_field *f;

	for (f = fields; f->key != NULL; f++) {
		const void *field = FIELD(bound, f);

		if (f->flags & CONFIG_IGNORED)
			continue;
		switch (f->type) {
		case CONFIG_STRING:
		case CONFIG_CUSTOM:
		case CONFIG_JSON:
			if (*(char *const *)field == NULL)
				break;
			print_key(f->key, indent, out);
			if (f->type == CONFIG_JSON)
				buf_printf(out, "%s\n", *(char *const *)field);
			else
				print_text(*(char *const *)field, out);
			break;
		case CONFIG_STRINGS:
		case CONFIG_MAP:
			print_strings(f, *(char *const *const *)field, indent, out);
			break;
		case CONFIG_SECRET:
			print_secret(f, field, indent, out);
			break;
		case CONFIG_OBJECT:
			print_object(f, field, indent, out);
			break;
		case CONFIG_OBJECTS:
			print_objects(f, field, indent, out);
			break;
		case CONFIG_NODE:
			break;
		default:
			print_scalar(f, field, indent, out);
			break;
		}
	}
}
