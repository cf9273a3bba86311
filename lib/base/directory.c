// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hash.h"
#include "mem.h"
#include "text.h"

static uint64_t
add_number(uint64_t h, uint64_t n)
{
	return hash_fnv1a(h, &n, sizeof(n));
}

static bool
is_wanted(const char *name, const char *const *suffixes)
{
	if (name[0] == '.')
		return false;
	for (; *suffixes != NULL; suffixes++)
		if (text_ends(name, *suffixes))
			return true;
	return false;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file that vanishes meanwhile, or a broken link, changes the signature like any other. */
static void
add_file(struct directory *d, int fd, const char *name)
{
	uint64_t h = hash_fnv1a(d->signature, name, strlen(name) + 1);
	struct stat st;

	if (fd < 0 || fstatat(fd, name, &st, 0) != 0) {
		d->signature = add_number(h, 0);
		return;
	}
	d->bytes += st.st_size > 0 ? (uint64_t)st.st_size : 0;
	h = add_number(add_number(h, (uint64_t)st.st_ino), (uint64_t)st.st_size);
	h = add_number(
		add_number(h, (uint64_t)st.st_mtim.tv_sec), (uint64_t)st.st_mtim.tv_nsec);
	h = add_number(
		add_number(h, (uint64_t)st.st_ctim.tv_sec), (uint64_t)st.st_ctim.tv_nsec);
	d->signature = h;
}

int
directory_read(struct directory *d, const char *path, const char *const *suffixes, size_t max,
	struct err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t cap = 0;

	*d = (struct directory){ .signature = HASH_FNV1A };
	if (dir == NULL)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "%s: %s",
			path, err_strerror(errno));
	while ((errno = 0, entry = readdir(dir)) != NULL && d->n <= max) {
		if (!is_wanted(entry->d_name, suffixes))
			continue;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
		d->name = mem_grow_for(d->name, d->n, &cap, sizeof(*d->name));
		d->name[d->n++] = mem_strdup(entry->d_name);
	}
	if (entry == NULL && errno != 0)
		err_set(err, ERR_SYSTEM, "%s: %s", path, err_strerror(errno));
	else if (d->n > max)
		err_set(err, ERR_LIMIT, "%s: more than %zu files", path, max);
	else {
		if (d->n > 1)
			/* NOLINTNEXTLINE(bugprone-sizeof-expression): of pointers */
			qsort(d->name, d->n, sizeof(*d->name), by_name);
		for (size_t i = 0; i < d->n; i++)
			add_file(d, dirfd(dir), d->name[i]);
		closedir(dir);
		return 0;
	}
	closedir(dir);
	directory_free(d);
	return -1;
}

void
directory_free(struct directory *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->name[i]);
	free(d->name);
	*d = (struct directory){ .name = NULL };
}

char *
directory_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	size_t dir = path[0] == '/' || slash == NULL ? 0 : (size_t)(slash - file) + 1;
	size_t size = dir + strlen(path) + 1;
	char *full = mem_alloc(size);

	snprintf(full, size, "%.*s%s", (int)dir, file, path);
	return full;
}
