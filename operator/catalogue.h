// SPDX-License-Identifier: Apache-2.0
/*
 * The kinds of events: the classes of the type table, what the sources describe, and what the
 * streams hold.
 */
#ifndef VCOURIER_CATALOGUE_H
#define VCOURIER_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "table.h"

enum { CATALOGUE_MAX = 32 * 1024 }; /* kinds; a real vCenter describes some 2,500 */

struct catalogue_entry {
	char *name;             /* the key of by_name: a class, or the id of an EventEx */
	const char *eventclass; /* "event", "eventex", "extendedevent"; constant */
	const char *base;       /* the class that it derives from; "" for an id; constant */
	char *severity, *category, *description; /* NULL: no source describes it */
	uint64_t events;                         /* in all streams */
	int64_t last_us;                         /* when the newest was stored; 0: none is */
	char *tail;          /* the part of its subjects that names it; NULL: none is stored */
	char *newest_stream; /* where the newest one is; NULL: none is stored */
	uint64_t newest_seq;
};

struct catalogue {
	struct table by_name;            /* of struct catalogue_entry */
	bool described;                  /* at least one source has described its events */
	struct catalogue_asking *asking; /* catalogue_ask.c */
};

/* Every event class of the type table. */
void catalogue_init(struct catalogue *c);
void catalogue_free(struct catalogue *c);

/*
 * After session_sources. catalogue_ask: asks the collectors for descriptions, and waits some
 * seconds at most. catalogue_count: counts what the streams hold. -1: NATS did not answer or
 * does not permit it.
 */
int catalogue_ask(struct catalogue *c, struct session *s, struct err *err);
int catalogue_count(struct catalogue *c, struct session *s, struct err *err);

/* Before another catalogue_count: what the last one has found. */
void catalogue_forget_counts(struct catalogue *c);

/* All entries by name; n of them; free the list with free(). */
const struct catalogue_entry **catalogue_sorted(const struct catalogue *c, size_t *n);

/* Adds what a reply of a collector has. False: others follow. */
bool catalogue_take(struct catalogue *c, const char *json, size_t len);

/* After the session: replies may come until it is closed. NULL is fine. */
void catalogue_asking_free(struct catalogue_asking *asking);

#endif
