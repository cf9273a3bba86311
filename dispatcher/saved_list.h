// SPDX-License-Identifier: Apache-2.0
/*
 * The list of targets that the backend told last, kept in the bucket of the checkpoints while
 * the dispatcher is restarted. The first list after a start may lack a target, and an event
 * that other targets want would then be settled without it. So the saved list is restored
 * before the first refresh, and its targets stay until two lists confirm that they are gone
 * (processors/absence.h).
 */
#ifndef VCOURIER_SAVED_LIST_H
#define VCOURIER_SAVED_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "http.h"
#include "processor.h"

struct saved_list;

struct saved_list_config { /* all borrowed */
	struct bus *bus;
	struct http *http;   /* its loop is woken when it is known what was saved */
	const char *durable; /* the dispatcher's token */
	const struct processor *processor;
};

/* NULL when the processor has no list to save; each function allows NULL. */
struct saved_list *saved_list_open(const struct saved_list_config *config);
void saved_list_close(struct saved_list *list);

/* ---- the loop's; self is the processor's */

/*
 * Restores what was saved as soon as it is known. True, once, when refreshes may begin: a list
 * was restored, or there is none. NULL: false.
 */
bool saved_list_restore(struct saved_list *list, void *self);
/* Saves the list in use after a change. False before saved_list_restore was true. */
bool saved_list_follow(struct saved_list *list, void *self);

/* ---- the watch thread's */

/* Reads or writes the bucket; waits for the server, to which the bus is connected. */
void saved_list_turn(struct saved_list *list, int64_t now_ms);

#endif
