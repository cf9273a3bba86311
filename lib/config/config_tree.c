// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "config_tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "mem.h"

/* The state of the parser: the open lists and maps, and a key that has no value yet. */
struct tree_reader {
	struct config *config;
	struct config_errors *errors;
	struct config_node *open; /* the innermost one; its parents are the rest */
	size_t depth, documents;
	char *key;
	int key_line, key_column;
	bool fatal; /* parsing stops */
};

static void
refuse(struct tree_reader *r, const yaml_event_t *ev, const char *what)
{
	config_error_at(r->errors,
		(struct config_place){ r->config->path, (int)ev->start_mark.line + 1,
			(int)ev->start_mark.column + 1 },
		"%s", what);
}

/* ${NAME} and ${NAME:-default}; other text after a dollar sign is not changed. */
static const char *
env_reference(const char *s, size_t *name_len)
{
	size_t n = 2;

	if (s[0] != '$' || s[1] != '{' || !(isalpha((unsigned char)s[2]) || s[2] == '_'))
		return NULL;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	*name_len = n - 2;
	if (s[n] == '}')
		return s + n;
	return s[n] == ':' && s[n + 1] == '-' ? strchr(s + n, '}') : NULL;
}

static void
expand_env(struct config_node *node)
{
	struct buf out;
	const char *s = node->text, *end;
	size_t n;

	if (strstr(s, "${") == NULL)
		return;
	end = env_reference(s, &n);
	if (end == NULL || end[1] != '\0')
		node->literal = mem_strdup(s);
	buf_init(&out, CONFIG_FILE_MAX);
	while (*s != '\0') {
		char *name;
		const char *value;

		end = env_reference(s, &n);
		if (end == NULL) {
			buf_add_char(&out, *s++);
			continue;
		}
		name = mem_strndup(s + 2, n);
		value = getenv(name);
		if (value != NULL)
			buf_add_str(&out, value);
		else if (s[2 + n] == ':')
			buf_add(&out, s + n + 4, (size_t)(end - s) - n - 4);
		else if (node->env_unset == NULL)
			node->env_unset = mem_strdup(name);
		free(name);
		node->from_env = node->plain = true;
		s = end + 1;
	}
	mem_free_secret(node->text);
	node->text = mem_strdup(buf_str(&out));
	mem_wipe(out.data, out.len);
	buf_free(&out);
}

static struct config_node *
new_node(struct tree_reader *r, const yaml_event_t *ev, enum node_kind kind)
{
	const struct config_node *same = r->key != NULL ? config_get(r->open, r->key) : NULL;
	struct config_node *node;

	if (r->config->n_nodes == r->config->nodes_max) {
		refuse(r, ev, "too many values: more than 16384");
		r->fatal = true;
		return NULL;
	}
	node = &r->config->nodes[r->config->n_nodes++];
	node->kind = kind;
	STAILQ_INIT(&node->children);
	node->config = r->config;
	node->line = r->key != NULL ? r->key_line : (int)ev->start_mark.line + 1;
	node->column = r->key != NULL ? r->key_column : (int)ev->start_mark.column + 1;
	node->parent = r->open;
	node->key = r->key;
	r->key = NULL;
	if (same != NULL)
		config_error(r->errors, node, "duplicate key, first at line %d", same->line);
	if (r->open != NULL) {
		node->index = r->open->n++;
		STAILQ_INSERT_TAIL(&r->open->children, node, link);
	} else {
		STAILQ_INSERT_TAIL(&r->config->documents, node, link);
	}
	return node;
}

static bool
wants_key(const struct tree_reader *r)
{
	return r->open != NULL && r->open->kind == NODE_MAP && r->key == NULL;
}

static void
on_key(struct tree_reader *r, const yaml_event_t *ev)
{
	r->key_line = (int)ev->start_mark.line + 1;
	r->key_column = (int)ev->start_mark.column + 1;
	r->key = mem_strdup((const char *)ev->data.scalar.value);
}

static bool
is_null(const char *s)
{
	return *s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
		strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0;
}

static void
on_scalar(struct tree_reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	yaml_scalar_style_t style = ev->data.scalar.style;
	struct config_node *node;

	if (ev->data.scalar.anchor != NULL)
		refuse(r, ev, "anchors are not supported");
	if (ev->data.scalar.tag != NULL)
		refuse(r, ev, "tags are not supported");
	if (wants_key(r)) {
		on_key(r, ev);
		return;
	}
	node = new_node(r, ev, NODE_SCALAR);
	if (node == NULL)
		return;
	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	if (node->plain && is_null(text)) {
		node->kind = NODE_NULL;
		return;
	}
	if (strlen(text) != ev->data.scalar.length)
		refuse(r, ev, "a NUL character (\\0) in a text");
	node->quoted = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	node->text = mem_strdup(text);
	if (style != YAML_SINGLE_QUOTED_SCALAR_STYLE && !r->config->manifest)
		expand_env(node);
}

static void
on_open(struct tree_reader *r, const yaml_event_t *ev, enum node_kind kind, bool anchor,
	bool tag)
{
	struct config_node *node;

	if (anchor)
		refuse(r, ev, "anchors are not supported");
	if (tag)
		refuse(r, ev, "tags are not supported");
	if (r->depth == CONFIG_DEPTH_MAX) {
		refuse(r, ev, "nested too deeply: more than 32 levels");
		r->fatal = true;
	} else if (wants_key(r)) {
		refuse(r, ev, "a key must be a word, not a list or a mapping");
		r->fatal = true;
	} else if ((node = new_node(r, ev, kind)) != NULL) {
		r->open = node;
		r->depth++;
	}
}

static void
on_event(struct tree_reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->documents++ != 0 && !r->config->manifest) {
			refuse(r, ev, "a second document: only one is allowed in a file");
			r->fatal = true;
		}
		break;
	case YAML_ALIAS_EVENT:
		refuse(r, ev, "aliases are not supported");
		r->fatal = true;
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(r, ev, NODE_LIST, ev->data.sequence_start.anchor != NULL,
			ev->data.sequence_start.tag != NULL);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(r, ev, NODE_MAP, ev->data.mapping_start.anchor != NULL,
			ev->data.mapping_start.tag != NULL);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		if (r->open !=
			NULL) /* always: libyaml pairs them, which analysers cannot see */
			r->open = r->open->parent;
		r->depth--;
		break;
	default:
		break;
	}
}

/* libyaml gives the position; its messages are for people who know YAML. */
static void
syntax_error(struct tree_reader *r, const yaml_parser_t *parser, const char *text, size_t len)
{
	size_t at = parser->problem_mark.index;
	int line = (int)parser->problem_mark.line + 1,
	    column = (int)parser->problem_mark.column + 1;
	const char *problem = parser->problem != NULL ? parser->problem : "not YAML";

	if (parser->error == YAML_READER_ERROR) {
		const char *p = text,
			   *bad = text +
			(parser->problem_offset < len ? parser->problem_offset : len);

		for (line = column = 1; p < bad; p++) {
			column = *p == '\n' ? 1 : column + 1;
			line += *p == '\n';
		}
		config_error_at(r->errors,
			(struct config_place){ r->config->path, line, column }, "%s", problem);
		return;
	}
	/*
	 * the mark counts characters: near enough for a look at the byte when the text is ASCII
	 * up to it
	 */
	if (at < len && text[at] == '\t')
		problem = "a tab where YAML needs spaces";
	if (strcmp(problem, "found unknown escape character") == 0)
		problem =
			"in double quotes a backslash begins an escape, and this one does not exist: write the text in single quotes";
	if (parser->context != NULL)
		config_error_at(r->errors,
			(struct config_place){ r->config->path, line, column },
			"%s (%s, line %d)", problem, parser->context,
			(int)parser->context_mark.line + 1);
	else
		config_error_at(r->errors,
			(struct config_place){ r->config->path, line, column }, "%s", problem);
}

int
config_tree_parse(
	struct config *config, const char *text, size_t len, struct config_errors *errors)
{
	struct tree_reader r = { .config = config, .errors = errors };
	size_t before = errors->n;
	yaml_parser_t parser;
	yaml_event_t ev;
	bool end = false;

	if (!yaml_parser_initialize(&parser)) {
		config_error_at(
			errors, (struct config_place){ config->path, 0, 0 }, "out of memory");
		return -1;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
		text += 3;
		len -= 3;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (!end && !r.fatal) {
		if (!yaml_parser_parse(&parser, &ev)) {
			syntax_error(&r, &parser, text, len);
			break;
		}
		end = ev.type == YAML_STREAM_END_EVENT;
		on_event(&r, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	free(r.key);
	if (errors->n == before && r.documents == 0)
		config_error_at(errors, (struct config_place){ config->path, 0, 0 },
			"the file has no content");
	return errors->n == before ? 0 : -1;
}

/* ---- walking */

const struct config_node *
config_root(const struct config *config)
{
	return config != NULL && config->n_nodes != 0 ? &config->nodes[0] : NULL;
}

const struct config_node *
config_next_document(const struct config *config, const struct config_node *last)
{
	return last != NULL ? STAILQ_NEXT(last, link) : STAILQ_FIRST(&config->documents);
}

const struct config_node *
config_get(const struct config_node *map, const char *key)
{
	const struct config_node *node;

	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	STAILQ_FOREACH(node, &map->children, link)
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
	STAILQ_FOREACH(node, &list->children, link)
		if (node->index == i)
			return node;
	return NULL;
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
