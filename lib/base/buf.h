// SPDX-License-Identifier: Apache-2.0
/*
 * A growing byte buffer with a maximum size.
 *
 * Invariants: data is NULL or holds cap > len bytes and data[len] is NUL; len <= max. After an
 * addition that does not fit, `overflow` is set and every further addition does nothing. So
 * append without checks and call buf_ok() once.
 */
#ifndef VCOURIER_BUF_H
#define VCOURIER_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "err.h"

struct buf {
	char *data;
	size_t len, cap, max;
	bool overflow;
};

void buf_init(
	struct buf *b, size_t max); /* Allocates nothing. max: the largest len, in bytes. */
void buf_free(struct buf *b);       /* back to the state after buf_init */
/*
 * Clears b for its next use. used: bytes that the last use needed at most; when that is little
 * of a large memory, the memory is freed.
 */
void buf_reuse(struct buf *b, size_t used);
/* Moves content and memory; what `to` had is freed, and `from` is empty. */
void buf_move(struct buf *to, struct buf *from);

/*
 * Makes room for n more bytes and returns where they go, NULL on overflow; then buf_grew(b, n).
 */
char *buf_room(struct buf *b, size_t n);

void buf_add_slow(struct buf *b, const void *p, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The bytes as a string, never NULL; valid until the next change. */
const char *buf_str(const struct buf *b);

/*
 * Hands the bytes over to the caller, who frees them; *len may be NULL. The buffer is empty
 * then.
 */
char *buf_take(struct buf *b, size_t *len);

static inline bool
buf_ok(const struct buf *b)
{
	return !b->overflow;
}

/* No-op when the buffer is shorter than len. */
static inline void
buf_truncate(struct buf *b, size_t len)
{
	if (len > b->len)
		return;
	b->len = len;
	if (b->data != NULL)
		b->data[len] = '\0';
}

/* len 0, overflow off, memory kept. */
static inline void
buf_clear(struct buf *b)
{
	b->overflow = false;
	buf_truncate(b, 0);
}

static inline void
buf_grew(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n < b->cap - b->len && !b->overflow) { /* never while cap is 0 */
		memcpy(b->data + b->len, p, n);
		buf_grew(b, n);
	} else {
		buf_add_slow(b, p, n);
	}
}

static inline void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

static inline void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

#endif
