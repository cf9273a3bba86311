// SPDX-License-Identifier: Apache-2.0
/*
 * Files that matter beside the configuration itself: whether one of them is another than at the
 * last look.
 */
#ifndef VCOURIER_WATCHED_H
#define VCOURIER_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched {
	char *paths;   /* one after the other, each with its NUL, and one more NUL */
	size_t len;    /* of all that */
	uint64_t seen; /* what stat said of them; 0: never looked */
};

/*
 * Watches `first` and the NULL-terminated list `more` (or NULL). Looks at once when they are
 * others than before.
 */
void watched_set(struct watched *w, const char *first, char *const *more);

/*
 * Looks. A file that is not there is between two renames: no change, the next look will tell.
 */
bool watched_changed(struct watched *w);
void watched_free(struct watched *w);

#endif
