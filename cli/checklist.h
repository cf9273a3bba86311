// SPDX-License-Identifier: Apache-2.0
/* The lines of vcourier check --connect, and the exit status that follows from them. */
#ifndef VCOURIER_CHECKLIST_H
#define VCOURIER_CHECKLIST_H

#include <stdbool.h>

#include "err.h"
#include "http.h"

enum { CHECKLIST_WAIT_MS = 10 * 1000 }; /* for each answer */

struct checklist {
	struct http *http;
	int status; /* exit status: the highest of all failures */
};

/* Prints "ok" or "FAILED", what was tried, and the text, which may come from the peer. */
void checklist_say(struct checklist *list, bool ok, const char *what, const char *fmt, ...)
	ERR_PRINTF(4, 5);

/* A failure: its text and its exit status. */
void checklist_fail(struct checklist *list, const char *what, const struct err *err);

/* Writes "<kind> <name>"; returns out. */
const char *checklist_label(char out[160], const char *kind, const char *name);

#endif
