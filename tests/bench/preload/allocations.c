// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into a program (LD_PRELOAD), counts its calls of malloc, calloc and realloc: the
 * file ALLOCATIONS_FILE, of at least 8 bytes, has their number. glibc only.
 */
#define _POSIX_C_SOURCE 200809L /* O_CLOEXEC */
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* what malloc, calloc and realloc are in glibc */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *p, size_t size);

static _Atomic uint64_t before_start;
static _Atomic uint64_t *counter = &before_start;

static __attribute__((constructor)) void
open_file(void)
{
	const char *name = getenv("ALLOCATIONS_FILE");
	int fd = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		counter = map;
}

static void
count(void)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void *
malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	count();
	return __libc_realloc(p, size);
}
