// SPDX-License-Identifier: Apache-2.0
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

enum {
	BUF_FIRST = 256,
	/* buf_reuse frees memory of more bytes than that if less than a part of it was used */
	REUSE_MIN = 64 * 1024,
	REUSE_PART = 8,
};

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reuse(struct buf *b, size_t used)
{
	if (b->cap > REUSE_MIN && used < b->cap / REUSE_PART)
		buf_free(b);
	buf_clear(b);
}

void
buf_move(struct buf *to, struct buf *from)
{
	free(to->data);
	*to = *from;
	buf_init(from, from->max);
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t cap;

	if (b->overflow || n > b->max - b->len) {
		b->overflow = true;
		return NULL;
	}
	if (b->cap - b->len <= n) {
		cap = b->cap ? b->cap * 2 : BUF_FIRST;
		if (cap > b->max)
			cap = b->max + 1;
		if (cap <= b->len + n)
			cap = b->len + n + 1;
		b->data = mem_grow(b->data, cap, 1);
		b->cap = cap;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void
buf_add_slow(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL)
		return;
	if (n != 0)
		memcpy(to, p, n);
	buf_grew(b, n);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	size_t room = b->overflow ? 0 : b->cap - b->len;
	char *to = room != 0 ? b->data + b->len : NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(to, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room) {
		if (to != NULL)
			*to = '\0';
		if ((to = buf_room(b, (size_t)n)) != NULL)
			vsnprintf(to, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n >= 0 && to != NULL)
		buf_grew(b, (size_t)n);
}

const char *
buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *
buf_take(struct buf *b, size_t *len)
{
	char *data = b->data ? b->data : mem_alloc(1);

	if (len != NULL)
		*len = b->len;
	buf_init(b, b->max);
	return data;
}
