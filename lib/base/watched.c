// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "watched.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "mem.h"

enum {
	PATHS_MAX = 8 * 1024 * 1024,
	/* before each path */
	MUST_EXIST = '!',
	MAY_VANISH = '?',
};

static uint64_t
mix(uint64_t h, uint64_t n)
{
	return (h ^ n) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
}

/*
 * Kubernetes replaces a symbolic link, editors replace the file: both change the result of
 * stat. 0: one of the files does not exist.
 */
static uint64_t
look(const char *paths)
{
	uint64_t h = 1;
	struct stat st;

	for (; *paths != '\0'; paths += strlen(paths) + 1) {
		if (stat(paths + 1, &st) != 0) {
			if (*paths == MUST_EXIST)
				return 0;
			h = mix(h, 0);
			continue;
		}
		h = mix(mix(h, (uint64_t)st.st_ino), (uint64_t)st.st_size);
		h = mix(mix(h, (uint64_t)st.st_mtim.tv_sec), (uint64_t)st.st_mtim.tv_nsec);
	}
	return h;
}

static void
add(struct buf *b, char kind, const char *path)
{
	buf_add_char(b, kind);
	buf_add(b, path, strlen(path) + 1);
}

void
watched_set_with(
	struct watched *w, const char *first, char *const *more, char *const *may_vanish)
{
	struct buf b;
	size_t len;
	char *paths;

	buf_init(&b, PATHS_MAX);
	add(&b, MUST_EXIST, first);
	for (; more != NULL && *more != NULL; more++)
		add(&b, MUST_EXIST, *more);
	for (; may_vanish != NULL && *may_vanish != NULL; may_vanish++)
		add(&b, MAY_VANISH, *may_vanish);
	buf_add_char(&b, '\0');
	paths = buf_take(&b, &len);
	if (w->paths != NULL && w->len == len && memcmp(w->paths, paths, len) == 0) {
		free(paths);
		return;
	}
	free(w->paths);
	w->paths = paths;
	w->len = len;
	w->seen = look(paths);
}

void
watched_set(struct watched *w, const char *first, char *const *more)
{
	watched_set_with(w, first, more, NULL);
}

bool
watched_changed(struct watched *w)
{
	uint64_t now = w->paths != NULL ? look(w->paths) : 0; /* zeroed: it watches nothing */
	bool changed = now != 0 && now != w->seen;

	if (now != 0)
		w->seen = now;
	return changed;
}

void
watched_free(struct watched *w)
{
	free(w->paths);
	w->paths = NULL;
}
