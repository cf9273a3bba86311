// SPDX-License-Identifier: Apache-2.0
/*
 * From the text of an event to marks: one pass, which enters only the members that the pattern
 * names.
 */
#include <string.h>

#include "json.h"
#include "mem.h"
#include "pattern_rule.h"

enum {
	DEPTH_MAX = 512,
	PLACES_MAX = 1 << 17, /* marks and elements of one event */
};

struct frame {
	/* the paths that begin with the first `matched` bytes of path[low] */
	uint32_t low, high;
	size_t matched;
	uint32_t scope, array;
	bool is_array, first;
};

struct event_reader {
	struct pattern *pattern;
	const char *p, *end;
	struct frame stack[DEPTH_MAX];
	size_t depth;
	struct err *err;
};

static int
malformed(struct event_reader *r, const char *start)
{
	return err_set(
		r->err, ERR_PROTOCOL, "the event is no JSON object (byte %td)", r->p - start);
}

#define POOL_ADD(pattern, pool, n, cap) \
	((pattern)->n == (pattern)->cap \
			? (void)((pattern)->pool = mem_grow((pattern)->pool, \
					 (pattern)->cap = (pattern)->cap ? (pattern)->cap * 2 \
									 : 64, \
					 sizeof(*(pattern)->pool))) \
			: (void)0, \
		(pattern)->n++)

static uint32_t
add_scope(struct pattern *p, const struct frame *f)
{
	size_t i = POOL_ADD(p, scope, n_scopes, cap_scopes);

	p->scope[i] = (struct pattern_scope){ .parent = f->scope,
		.array = f->array,
		.depth = i == 0 ? 0 : p->scope[f->scope].depth + 1 };
	return (uint32_t)i;
}

static uint32_t
add_array(struct pattern *p)
{
	size_t i = POOL_ADD(p, array, n_arrays, cap_arrays);

	p->array[i].last_path = 0;
	return (uint32_t)i;
}

/* Adds a mark for this scope to the list at *head, unless it is the last one there. */
static void
add_mark(struct pattern *p, uint32_t *head, uint32_t scope)
{
	size_t i;

	if (*head != PATTERN_NONE && p->mark[*head].scope == scope)
		return;
	i = POOL_ADD(p, mark, n_marks, cap_marks);
	p->mark[i] = (struct pattern_mark){ .scope = scope, .next = *head };
	*head = (uint32_t)i;
}

/*
 * The first of paths [low, high) whose bytes after `matched` are not smaller than step (bound
 * 0), or are larger (1).
 */
static uint32_t
bisect(const struct pattern *p, const struct frame *f, const struct buf *step, int bound)
{
	uint32_t low = f->low, high = f->high;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct pattern_path *path = &p->path[middle];
		size_t rest = path->len - f->matched, n = rest < step->len ? rest : step->len;
		int c = memcmp(path->text + f->matched, buf_str(step), n);

		if (c == 0 && rest < step->len)
			c = -1;
		if (c < bound)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A scalar at path f->low, if that path ends here. */
static int
test_value(struct event_reader *r, const struct frame *f, struct pattern_value *value)
{
	struct pattern *p = r->pattern;
	struct pattern_path *path = &p->path[f->low];

	if (path->len != f->matched)
		return 0;
	if (p->n_marks > PLACES_MAX)
		return err_set(
			r->err, ERR_LIMIT, "the event has too many values for the pattern");
	for (uint32_t s = f->scope; s != 0; s = p->scope[s].parent) {
		struct pattern_array *array = &p->array[p->scope[s].array];

		if (array->last_path < f->low)
			array->last_path = f->low;
	}
	if (path->absent)
		add_mark(p, &path->mark, f->scope);
	for (uint32_t i = path->condition; i != PATTERN_NONE; i = p->condition[i].next) {
		struct pattern_condition *c = &p->condition[i];
		size_t k = 0;

		while (k < c->n_tests && !pattern_test_holds(&c->test[k], value))
			k++;
		if (k < c->n_tests)
			add_mark(p, &c->mark, f->scope);
	}
	return 0;
}

/* The scalar at r->p. */
static int
read_scalar(struct event_reader *r, const struct frame *f)
{
	struct pattern_value value = { .kind = VALUE_WORD, .text = r->p };
	const char *from = r->p;
	struct buf *text = &r->pattern->text;

	if (!json_skip_value(&r->p, r->end))
		return -1;
	value.len = (size_t)(r->p - from);
	if (*from == '"') {
		value.kind = VALUE_STRING;
		value.text++;
		value.len -= 2;
		if (memchr(value.text, '\\', value.len) != NULL) {
			buf_clear(text);
			if (!json_decode_string(from, value.len + 2, text))
				return -1;
			value.text = buf_str(text);
			value.len = text->len;
		}
	} else if (*from == '-' || (*from >= '0' && *from <= '9')) {
		value.kind = VALUE_NUMBER;
	}
	return test_value(r, f, &value);
}

/*
 * The value at r->p, whose paths are those of f: a scalar is compared, a container is entered.
 */
static int
read_value(struct event_reader *r, struct frame f)
{
	struct pattern *p = r->pattern;
	bool element = r->depth != 0 && r->stack[r->depth - 1].is_array;

	if (*r->p != '{' && *r->p != '[')
		return read_scalar(r, &f);
	if (r->depth == DEPTH_MAX || p->n_scopes > PLACES_MAX || p->n_arrays > PLACES_MAX)
		return err_set(r->err, ERR_LIMIT,
			"the event is too large or too deep for the pattern");
	if (element)
		f.scope = add_scope(p, &f);
	f.is_array = *r->p == '[';
	f.first = true;
	if (f.is_array)
		f.array = add_array(p);
	r->p++;
	r->stack[r->depth++] = f;
	return 0;
}

/* "key": before a member; *child gets the paths that continue with it. */
static int
read_key(struct event_reader *r, const struct frame *f, struct frame *child)
{
	struct buf *key = &r->pattern->key;
	const char *from;

	json_skip_blanks(&r->p, r->end);
	from = r->p;
	if (r->p == r->end || *from != '"' || !json_skip_value(&r->p, r->end))
		return -1;
	buf_clear(key);
	if (r->depth > 1)
		buf_add_char(key, '.');
	if (memchr(from, '\\', (size_t)(r->p - from)) == NULL)
		buf_add(key, from + 1, (size_t)(r->p - from) - 2);
	else if (!json_decode_string(from, (size_t)(r->p - from), key))
		return -1;
	json_skip_blanks(&r->p, r->end);
	if (r->p == r->end || *r->p != ':')
		return -1;
	r->p++;
	*child = *f;
	child->low = bisect(r->pattern, f, key, 0);
	child->high = bisect(r->pattern, f, key, 1);
	child->matched += key->len;
	return 0;
}

/* The next member or element of the innermost container, or its end. */
static int
read_next(struct event_reader *r)
{
	struct frame *f = &r->stack[r->depth - 1], child = *f;
	char close = f->is_array ? ']' : '}';

	json_skip_blanks(&r->p, r->end);
	if (r->p == r->end)
		return -1;
	if (*r->p == close) {
		r->p++;
		r->depth--;
		return 0;
	}
	if (!f->first && *r->p++ != ',')
		return -1;
	f->first = false;
	if (!f->is_array && read_key(r, f, &child) != 0)
		return -1;
	json_skip_blanks(&r->p, r->end);
	if (r->p == r->end)
		return -1;
	if (child.low == child.high)
		return json_skip_value(&r->p, r->end) ? 0 : -1;
	return read_value(r, child);
}

static void
reset(struct pattern *p)
{
	p->n_marks = p->n_scopes = p->n_arrays = 0;
	p->stamp = 0;
	for (size_t i = 0; i < p->n_paths; i++)
		p->path[i].mark = PATTERN_NONE;
	for (size_t i = 0; i < p->n_conditions; i++)
		p->condition[i].mark = PATTERN_NONE;
	add_scope(p, &(struct frame){ 0 });
	add_array(p);
}

int
pattern_event_read(struct pattern *pattern, const char *event, size_t len, struct err *err)
{
	struct event_reader r;
	struct frame root = { .high = (uint32_t)pattern->n_paths };

	r.pattern = pattern;
	r.p = event;
	r.end = event + len;
	r.depth = 0;
	r.err = err;
	reset(pattern);
	err->code = ERR_NONE;
	json_skip_blanks(&r.p, r.end);
	if (r.p == r.end || *r.p != '{' || read_value(&r, root) != 0)
		return malformed(&r, event);
	while (r.depth != 0)
		if (read_next(&r) != 0)
			return err->code == ERR_LIMIT ? -1 : malformed(&r, event);
	json_skip_blanks(&r.p, r.end);
	return r.p == r.end ? 0 : malformed(&r, event);
}
