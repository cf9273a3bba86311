// SPDX-License-Identifier: Apache-2.0
/* Files to trees, walking them, and the list of errors. */
#define _DEFAULT_SOURCE /* strsep */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "mem.h"
#include "text.h"
#include "config_tree.h"

enum { MESSAGES_BYTES_MAX = 64 * 1024 };

/* ---- errors */

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
	json_add_string(&b, text, len < 48 ? len : 48);
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
	buf_add_str(to, file);
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
	buf_add_str(to, text);
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
config_error_at(struct config_errors *errors, const char *file, int line, int column,
	const char *fmt, ...)
{
	va_list ap;

	if (errors->n++ >= CONFIG_ERRORS_MAX)
		return;
	add_place(&errors->text, file, line, column);
	va_start(ap, fmt);
	add_message(&errors->text, NULL, fmt, ap);
	va_end(ap);
}

/* The line that "file:12:5: ..." names; 0 when it names none. */
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

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0' && n < CONFIG_ERRORS_MAX) {
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

	if (d <= limit && (s->best == NULL || d < s->distance)) {
		s->best = candidate;
		s->distance = d;
	}
}

/* ---- loading */

/* Reads at most max bytes of a regular file; not a FIFO, not a device, which would block or
 * never end. */
static int
read_file(const char *path, struct buf *out, bool *anyone_writes, struct config_errors *errors)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t n = 0;
	char *room;

	if (fd < 0 || fstat(fd, &st) != 0) {
		config_error_at(errors, path, 0, 0, "%s", strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		config_error_at(errors, path, 0, 0, "%s",
			S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
		goto fail;
	}
	*anyone_writes = (st.st_mode & S_IWOTH) != 0;
	while ((room = buf_room(out, 64 * 1024)) != NULL && (n = read(fd, room, 64 * 1024)) > 0)
		buf_grew(out, (size_t)n);
	if (n < 0) {
		config_error_at(errors, path, 0, 0, "%s", strerror(errno));
		goto fail;
	}
	if (room == NULL || out->len > CONFIG_FILE_MAX) {
		config_error_at(errors, path, 0, 0, "larger than 1 MiB");
		goto fail;
	}
	close(fd);
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* libyaml gives line 1 for these, whatever the line. */
static int
check_bytes(const char *path, const char *text, size_t len, struct config_errors *errors)
{
	size_t bad = text_utf8_valid(text, len), i;
	const char *nul = memchr(text, '\0', len);
	int line = 1, column = 1;

	if (nul != NULL && (size_t)(nul - text) < bad)
		bad = (size_t)(nul - text);
	if (bad == len)
		return 0;
	for (i = 0; i < bad; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	config_error_at(errors, path, line, column, "%s",
		text[bad] == '\0' ? "a NUL byte: this is not a text file" : "not UTF-8");
	return -1;
}

int
config_load(struct config **config, const char *path, struct config_errors *errors)
{
	struct config *c = NULL;
	bool anyone_writes;
	struct buf text;
	int rc = -1;

	*config = NULL;
	buf_init(&text, CONFIG_FILE_MAX + 128 * 1024);
	if (read_file(path, &text, &anyone_writes, errors) != 0 ||
		check_bytes(path, buf_str(&text), text.len, errors) != 0)
		goto done;
	c = mem_alloc(sizeof(*c));
	c->path = mem_strdup(path);
	c->nodes = mem_array(CONFIG_NODES_MAX, sizeof(*c->nodes));
	rc = config_tree_parse(c, buf_str(&text), text.len, errors);
	if (rc == 0 && anyone_writes)
		config_warning(errors, config_root(c),
			"every user of this machine may change this file: chmod o-w");
done:
	mem_wipe(text.data, text.len); /* passwords may stand in it */
	buf_free(&text);
	if (rc == 0)
		*config = c;
	else
		config_free(c);
	return rc;
}

void
config_free(struct config *config)
{
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config->n_nodes; i++) {
		free(config->nodes[i].key);
		free(config->nodes[i].env_unset);
		mem_free_secret(config->nodes[i].text);
	}
	free(config->nodes);
	free(config->path);
	free(config);
}

/* ---- walking */

const struct config_node *
config_root(const struct config *config)
{
	return config != NULL && config->n_nodes != 0 ? &config->nodes[0] : NULL;
}

const struct config_node *
config_get(const struct config_node *map, const char *key)
{
	const struct config_node *node;

	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (node = map->first; node != NULL; node = node->next)
		if (strcmp(node->key, key) == 0)
			return node;
	return NULL;
}

const struct config_node *
config_item(const struct config_node *list, size_t i)
{
	const struct config_node *node;

	if (list == NULL || list->kind != NODE_LIST)
		return NULL;
	for (node = list->first; node != NULL && i > 0; node = node->next)
		i--;
	return node;
}

size_t
config_length(const struct config_node *node)
{
	return node != NULL ? node->n : 0;
}

const char *
config_text(const struct config_node *node)
{
	return node != NULL && node->kind == NODE_SCALAR ? node->text : NULL;
}
