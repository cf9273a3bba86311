// SPDX-License-Identifier: Apache-2.0
/*
 * Memory. When memory runs out the process stops: every event in it is still in the stream or
 * in vCenter, and is read again. A large input never exhausts memory, because sizes are bounded
 * before they get here.
 */
#ifndef VCOURIER_MEM_H
#define VCOURIER_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);           /* zeroed; never NULL */
void *mem_array(size_t n, size_t size); /* zeroed; n * size is checked */
/* realloc to n * size, checked; new part not zeroed */
void *mem_grow(void *p, size_t n, size_t size);

/*
 * Makes room for one more element in an array of *cap elements that holds n. Doubles *cap when
 * it is full, from 16 on, and returns the array, which may have moved. The new part is not
 * zeroed.
 */
void *mem_grow_for(void *p, size_t n, size_t *cap, size_t size);

char *mem_strdup(const char *s);              /* NULL stays NULL */
char *mem_strndup(const char *s, size_t len); /* copies exactly len bytes and a NUL */

/* Clears a secret before it is freed; NULL is fine. `len` bytes are overwritten. */
void mem_wipe(void *p, size_t len);

/*
 * free and realloc(3) for a library that copies secrets into memory of its own: they overwrite
 * what is freed.
 */
void mem_wiping_free(void *p);
void *mem_wiping_realloc(void *p, size_t size);

/* Wipes and frees a string that holds a secret; NULL is fine. */
void mem_free_secret(char *s);

#endif
