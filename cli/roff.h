// SPDX-License-Identifier: Apache-2.0
/* Text for a manual page, in the language of man(7). */
#ifndef VCOURIER_ROFF_H
#define VCOURIER_ROFF_H

#include "buf.h"

/*
 * Appends text as lines of at most 78 bytes, each sentence on a line of its own. `code` is
 * printed bold, an empty line begins a paragraph, and no character is taken for a command.
 */
void roff_add(struct buf *out, const char *text);

/* A word as it is, with the characters escaped that roff would change. */
void roff_add_word(struct buf *out, const char *text, size_t len);

#endif
