// SPDX-License-Identifier: Apache-2.0
/* The list of errors and warnings of a configuration file, each with its position. */
#define _DEFAULT_SOURCE /* strsep */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_tree.h"
#include "json.h"
#include "mem.h"
#include "printable.h"
#include "text.h"

enum { MESSAGES_BYTES_MAX = 64 * 1024 };

void
config_errors_init(struct config_errors *errors)
{
	*errors = (struct config_errors){ 0 };
	buf_init(&errors->text, MESSAGES_BYTES_MAX);
	buf_init(&errors->warnings, MESSAGES_BYTES_MAX);
}

void
config_errors_free(struct config_errors *errors)
{
	buf_free(&errors->text);
	buf_free(&errors->warnings);
}

void
config_errors_add(struct config_errors *errors, const struct config_errors *from)
{
	buf_add(&errors->text, buf_str(&from->text), from->text.len);
	buf_add(&errors->warnings, buf_str(&from->warnings), from->warnings.len);
	errors->n += from->n;
	errors->n_warnings += from->n_warnings;
	errors->n_insecure += from->n_insecure;
}

void
config_errors_add_as_warnings(struct config_errors *errors, const struct config_errors *from)
{
	buf_add(&errors->warnings, buf_str(&from->text), from->text.len);
	buf_add(&errors->warnings, buf_str(&from->warnings), from->warnings.len);
	errors->n_warnings += from->n + from->n_warnings;
}

const char *
config_quote(const char *text, char *buf, size_t size)
{
	const char *scheme = strstr(text, "://");
	size_t len = strlen(text);
	struct buf b;

	if (scheme != NULL && strchr(scheme, '@') != NULL) {
		snprintf(buf, size, "a URL with user info in it");
		return buf;
	}
	buf_init(&b, 4096);
	printable_add_json_string(&b, text, len < 48 ? len : 48);
	snprintf(buf, size, "%s%s", buf_str(&b), len > 48 ? "..." : "");
	buf_free(&b);
	return buf;
}

void
config_path(const struct config_node *node, struct buf *out)
{
	const struct config_node *chain[CONFIG_DEPTH_MAX + 1];
	size_t n = 0;

	for (; node != NULL && node->parent != NULL && n < CONFIG_DEPTH_MAX;
		node = node->parent)
		chain[n++] = node;
	while (n-- > 0) {
		if (chain[n]->key == NULL)
			buf_printf(out, "[%zu]", chain[n]->index);
		else if (json_needs_escape(chain[n]->key, strlen(chain[n]->key)) ||
			!printable_is(chain[n]->key, strlen(chain[n]->key)) ||
			strlen(chain[n]->key) > 64)
			buf_add_str(out, out->len != 0 ? ".(key)" : "(key)");
		else
			buf_printf(out, "%s%s", out->len != 0 ? "." : "", chain[n]->key);
	}
}

static void
add_place(struct buf *to, const char *file, int line, int column)
{
	if (file == NULL)
		return;
	printable_add(to, file, strlen(file));
	if (line > 0)
		buf_printf(to, ":%d:%d", line, column);
	buf_add_str(to, ": ");
}

static void
add_message(struct buf *to, const struct config_node *node, const char *fmt, va_list ap)
{
	char text[512];
	struct buf path;

	buf_init(&path, 2048);
	if (node != NULL)
		add_place(to, node->config->path, node->line, node->column);
	config_path(node, &path);
	if (path.len != 0 && buf_ok(&path))
		buf_printf(to, "%s: ", path.data);
	vsnprintf(text, sizeof(text), fmt, ap);
	printable_add(to, text, strlen(text));
	buf_add_char(to, '\n');
	buf_free(&path);
}

void
config_error(struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list ap;

	if (errors->n++ >= CONFIG_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	add_message(&errors->text, node, fmt, ap);
	va_end(ap);
}

void
config_warning(
	struct config_errors *errors, const struct config_node *node, const char *fmt, ...)
{
	va_list ap;

	if (errors->n_warnings++ >= CONFIG_ERRORS_MAX)
		return;
	va_start(ap, fmt);
	add_message(&errors->warnings, node, fmt, ap);
	va_end(ap);
}

void
config_error_at(struct config_errors *errors, struct config_place place, const char *fmt, ...)
{
	va_list ap;

	if (errors->n++ >= CONFIG_ERRORS_MAX)
		return;
	add_place(&errors->text, place.file, place.line, place.column);
	va_start(ap, fmt);
	add_message(&errors->text, NULL, fmt, ap);
	va_end(ap);
}

/* The line number in "file:12:5: ..."; 0 when there is none. */
static long
line_of(const char *message)
{
	const char *colon = message;

	while ((colon = strchr(colon, ':')) != NULL) {
		char *end;
		long line = strtol(++colon, &end, 10);

		if (end != colon && *end == ':')
			return line;
	}
	return 0;
}

void
config_errors_sort(struct config_errors *errors)
{
	char *copy = mem_strdup(buf_str(&errors->text)), *rest = copy, *line;
	char *sorted[CONFIG_ERRORS_MAX + 1];
	size_t n = 0, i;

	/* what two steps have found is one error */
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0' && n < CONFIG_ERRORS_MAX) {
		for (i = 0; i < n && strcmp(sorted[i], line) != 0; i++)
			;
		if (i < n)
			continue;
		for (i = n++; i > 0 && line_of(sorted[i - 1]) > line_of(line); i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = line;
	}
	buf_clear(&errors->text);
	for (i = 0; i < n; i++)
		buf_printf(&errors->text, "%s\n", sorted[i]);
	free(copy);
}

void
config_suggest(struct config_suggestion *s, const char *candidate)
{
	unsigned limit = strlen(s->text) < 5 ? 1 : strlen(s->text) < 10 ? 2 : 3;
	unsigned d = text_distance(s->text, candidate, limit);

	if (d > limit && strlen(s->text) >= 3 && text_starts(candidate, s->text))
		d = limit; /* the beginning of a word */
	if (d <= limit && (s->best == NULL || d < s->distance)) {
		s->best = candidate;
		s->distance = d;
	}
}
