// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
out_of_memory(void)
{
	static const char text[] = "level=fatal msg=\"out of memory\"\n";
	ssize_t ignored = write(2, text, sizeof(text) - 1);

	(void)ignored;
	_exit(70); /* EX_SOFTWARE */
}

void *
mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
mem_array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
mem_grow(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		out_of_memory();
	/* NOLINTNEXTLINE(bugprone-suspicious-realloc-usage): without memory the process ends */
	p = realloc(p, n != 0 && size != 0 ? n * size : 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

char *
mem_strndup(const char *s, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		out_of_memory();
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void *
mem_grow_for(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap < 8 ? 16 : *cap * 2;
	return mem_grow(p, *cap, size);
}

char *
mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}

void
mem_wipe(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
}

void
mem_wiping_free(void *p)
{
	if (p == NULL) /* most calls of libcurl */
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *
mem_wiping_realloc(void *p, size_t size)
{
	size_t old = malloc_usable_size(p);
	void *moved;

	if (p != NULL && size != 0 && size <= old)
		return p;
	moved = malloc(size > 0 ? size : 1);
	if (moved == NULL || p == NULL)
		return moved;
	memcpy(moved, p, old < size ? old : size);
	mem_wiping_free(p);
	return moved;
}

void
mem_free_secret(char *s)
{
	if (s != NULL)
		mem_wipe(s, strlen(s));
	free(s);
}
