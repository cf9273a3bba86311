// SPDX-License-Identifier: Apache-2.0
/*
 * Files to watch beside the configuration file: reports whether any file changed since the last
 * check.
 */
#ifndef VCOURIER_WATCHED_H
#define VCOURIER_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched {
	char *paths;   /* one after the other, each marked and with its NUL; a NUL at the end */
	size_t len;    /* of paths, all NULs included */
	uint64_t seen; /* hash of the stat results; 0: not checked yet */
};

/*
 * Watches `first` and the NULL-terminated list `more` (or NULL). If these are other files than
 * before, the first check is done at once.
 */
void watched_set(struct watched *w, const char *first, char *const *more);
/* The same, with files and directories that may be removed: that is a change, too. */
void watched_set_with(
	struct watched *w, const char *first, char *const *more, char *const *may_vanish);

/*
 * True when a file changed. If one of `first` or `more` does not exist it is being replaced: no
 * change is reported until it exists again.
 */
bool watched_changed(struct watched *w);
void watched_free(struct watched *w);

#endif
